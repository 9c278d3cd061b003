/**
 * How others name the weights of our networks, and how their names become ours (torchvision's). A rule is tried on all
 * names at once, and kept where more of them then fit.
 */

import { sizeOf } from "./safetensors.ts";

type Rule = readonly [what: string, rename: (name: string) => string];

const rules: readonly Rule[] = [
  // torch.nn.DataParallel, torch.compile, and modules that wrap a network
  ...["module.", "_orig_mod.", "transformer.", "model.", "net.", "network.", "backbone.", "encoder."].map(
    (prefix): Rule => [`without ${prefix}`, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)],
  ),
  ["linear -> fc", (name) => name.replace(/^linear\./, "fc.")],
  ["linear -> classifier", (name) => name.replace(/^linear\./, "classifier.")],
  ["head -> fc", (name) => name.replace(/^head\.(fc\.)?/, "fc.")],
  ["head -> classifier", (name) => name.replace(/^head\.(fc\.)?/, "classifier.")],
  ["fc -> classifier", (name) => name.replace(/^fc\./, "classifier.")],
  ["classifier -> fc", (name) => name.replace(/^classifier\./, "fc.")],
  ["shortcut -> downsample", (name) => name.replace(/\.shortcut\.(\d)\./, ".downsample.$1.")],
  ["norm.1 -> norm1", (name) => name.replace(/\.(norm|conv)\.([12])\./, ".$1$2.")], // DenseNets of torchvision before 0.2
  ["torchvision's ConvNeXt", torchvisionConvNext],
  ["torchvision's ViT", torchvisionVit],
  [
    "timm's VGG",
    (name) => name.replace(/^(?:pre_logits\.fc([12])|head\.fc)\./, (_, n) => `classifier.${vggHead[n ?? 3]}.`),
  ],
  ["residual functions", residualFunction],
  ["compressible_ -> nothing", (name) => name.replaceAll("compressible_", "")], // akamaster's later ResNets
  ["gamma, beta -> weight, bias", normNames], // BERT's first files, out of TensorFlow
  ["with bert.", (name) => name.replace(/^(embeddings|encoder|pooler)\./, "bert.$1.")], // the encoder saved by itself
  ["embed_tokens -> shared", (name) => name.replace(/^(?:en|de)coder\.embed_tokens\./, "shared.")], // T5's table, under another of its names
  ["linear -> head", (name) => name.replace(/^linear\./, "head.")],
  ["stages of a list", (name) => name.replace(/^(?:layers|stages)\.(\d+)\./, (_, n) => `layer${Number(n) + 1}.`)],
  ["stage -> layer", (name) => name.replace(/^(?:stage_|stage|block|group)(\d)\./, "layer$1.")],
];

/** Places of VGG's three dense layers in torchvision's `classifier`. */
const vggHead: { [which: string]: number } = { 1: 0, 2: 3, 3: 6 };

/** `features.3.0.block.5.weight` -> `stages.1.blocks.0.mlp.fc2.weight`: stages and what halves the image take turns there. */
function torchvisionConvNext(name: string): string {
  const parts: { [index: string]: string } = { 0: "conv_dw", 2: "norm", 3: "mlp.fc1", 5: "mlp.fc2" };
  return name
    .replace(/^features\.0\.([01])\./, "stem.$1.")
    .replace(/^features\.([1357])\.(\d+)\./, (_, i, block) => `stages.${(Number(i) - 1) / 2}.blocks.${block}.`)
    .replace(/^features\.([246])\.([01])\./, (_, i, part) => `stages.${Number(i) / 2}.downsample.${part}.`)
    .replace(/\.block\.([0235])\./, (_, i) => `.${parts[i]}.`)
    .replace(/\.layer_scale$/, ".gamma")
    .replace(/^classifier\.0\./, "head.norm.")
    .replace(/^classifier\.2\./, "head.fc.");
}

/** `encoder.layers.encoder_layer_0.self_attention.in_proj_weight` -> `blocks.0.attn.qkv.weight` */
function torchvisionVit(name: string): string {
  return name
    .replace(/^class_token$/, "cls_token")
    .replace(/^conv_proj\./, "patch_embed.proj.")
    .replace(/^(?:encoder\.)?pos_embedding$/, "pos_embed")
    .replace(/^(?:encoder\.)?layers\.encoder_layer_(\d+)\./, "blocks.$1.")
    .replace(/\.ln_([12])\./, ".norm$1.")
    .replace(/\.self_attention\.in_proj_/, ".attn.qkv.")
    .replace(/\.self_attention\.out_proj\./, ".attn.proj.")
    .replace(/\.mlp\.(?:0|linear_1)\./, ".mlp.fc1.")
    .replace(/\.mlp\.(?:3|linear_2)\./, ".mlp.fc2.")
    .replace(/^(?:encoder\.)?ln\./, "norm.")
    .replace(/^heads\.head\./, "head.");
}

/** `bert.embeddings.LayerNorm.gamma` -> `bert.embeddings.LayerNorm.weight` */
function normNames(name: string): string {
  return name.replace(/\.LayerNorm\.gamma$/, ".LayerNorm.weight").replace(/\.LayerNorm\.beta$/, ".LayerNorm.bias");
}

/** `conv3_x.0.residual_function.4.weight` -> `layer2.0.bn2.weight`, as in weiaicunzai's networks for CIFAR-100. */
function residualFunction(name: string): string {
  return name
    .replace(/^conv1\.([01])\./, (_, i) => (i === "0" ? "conv1." : "bn1."))
    .replace(/^conv(\d)_x\./, (_, n) => `layer${Number(n) - 1}.`)
    .replace(/\.residual_function\.(\d)\./, (_, i) => `.${i % 3 === 0 ? "conv" : "bn"}${Math.floor(i / 3) + 1}.`);
}

/**
 * Whether a tensor holds what a network wants in another shape: axes of 1, or a convolution over all of an image where we
 * have a dense layer, [4096, 512, 7, 7] for [4096, 25088].
 */
export function sameNumbers(shape: readonly number[], wanted: readonly number[]): boolean {
  if (shape.length === wanted.length) return shape.join() === wanted.join();
  const real = (sizes: readonly number[]) => sizes.filter((size) => size !== 1).join();
  const rows = (sizes: readonly number[]) => `${sizes[0]},${sizeOf(sizes.slice(1))}`;
  return real(shape) === real(wanted) || (wanted.length === 2 && rows(shape) === rows(wanted));
}

/**
 * Renames tensors of another's file.
 *
 * @param names in the file
 * @param wanted names of the network
 * @returns their names in the network by their names in the file, and the rules that helped
 */
export function matchNames(
  names: readonly string[],
  wanted: ReadonlySet<string>,
): { renamed: Map<string, string>; applied: string[] } {
  let current = new Map(names.map((name) => [name, name]));
  const applied: string[] = [];
  const fitting = (map: ReadonlyMap<string, string>) =>
    new Set([...map.values()].filter((name) => wanted.has(name))).size;
  // A prefix may hide behind another, and a head's name behind a prefix: once more for each rule.
  for (let round = 0; round < 3; round++) {
    for (const [what, rename] of rules) {
      const next = new Map([...current].map(([name, now]) => [name, rename(now)]));
      const touched = [...next].some(([name, now]) => now !== current.get(name));
      const all = [...next].every(([name, now]) => now !== current.get(name));
      const prefix = what.startsWith("without ") && all;
      if (!touched || !(fitting(next) > fitting(current) || (prefix && fitting(next) >= fitting(current)))) continue;
      current = next;
      applied.push(what);
    }
  }
  return { renamed: current, applied };
}
