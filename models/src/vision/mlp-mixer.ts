/**
 * MLP-Mixer (Tolstikhin et al. 2021, "MLP-Mixer: an all-MLP architecture for vision"): patches as ViT's, but in place of
 * attention a perceptron over the patches of each channel, in turns with one over the channels of each patch. Base with
 * patches of 16 pixels (`mixer-b16`, table 1), and a smaller one with patches of 4 for CIFAR. Layer names are timm's
 * (`blocks.0.mlp_tokens.fc1` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, truncatedNormal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Add, Dense, Gelu, LayerNorm, PatchEmbedding, TokenPool } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface MixerOptions extends BuildOptions {
  /** pixels of a patch's side */
  patchSize?: number;
  /** C: channels of a token */
  dim?: number;
  /** blocks */
  depth?: number;
  /** D_S: hidden units of the perceptron over the patches */
  tokenUnits?: number;
  /** D_C: hidden units of the one over the channels */
  channelUnits?: number;
}

const variants = {
  "mixer-b16": {
    ...{ patchSize: 16, dim: 768, depth: 12, tokenUnits: 384, channelUnits: 3072 },
    ...{ params: 59_880_472, macs: 12_601_767_936 },
  },
  "mixer-cifar": {
    ...{ patchSize: 4, dim: 256, depth: 8, tokenUnits: 128, channelUnits: 1024 },
    ...{ params: 4_360_970, macs: 302_778_880 },
  },
} as const;

/** W₂ σ(W₁ x) on the last axis, σ the GELU, which keeps its size. */
function perceptron(x: tfl.SymbolicTensor, path: string, hidden: number): tfl.SymbolicTensor {
  return chain(
    x,
    new Dense({ name: `${path}.fc1`, units: hidden }),
    new Gelu({ name: `${path}.act` }),
    new Dense({ name: `${path}.fc2`, units: x.shape[2] as number }),
  );
}

/** U = X + W₂ σ(W₁ LN(X)) over the patches, Y = U + W₄ σ(W₃ LN(U)) over the channels (eq. 1). */
function mixerBlock(x: tfl.SymbolicTensor, path: string, tokenUnits: number, channelUnits: number) {
  const plus = (a: tfl.SymbolicTensor, b: tfl.SymbolicTensor, name: string) =>
    new Add({ name }).apply([a, b]) as tfl.SymbolicTensor;
  const swapped = (name: string) => tfl.layers.permute({ name, dims: [2, 1] });
  const columns = chain(
    x, // [batch, patches, dim]
    new LayerNorm({ name: `${path}.norm1`, epsilon: 1e-6 }),
    swapped(`${path}.to_channels`), // [batch, dim, patches]
  );
  const mixed = chain(perceptron(columns, `${path}.mlp_tokens`, tokenUnits), swapped(`${path}.to_tokens`));
  const u = plus(mixed, x, `${path}.add1`); // [batch, patches, dim]
  const rows = chain(u, new LayerNorm({ name: `${path}.norm2`, epsilon: 1e-6 }));
  return plus(perceptron(rows, `${path}.mlp_channels`, channelUnits), u, `${path}.add2`);
}

/**
 * @returns [batch, height, width, channels] -> logits [batch, classes]; height and width are multiples of the patch size
 */
export function mlpMixer(options: MixerOptions = {}): tfl.LayersModel {
  const { patchSize = 16, dim = 768, depth = 12, tokenUnits = 384, channelUnits = 3072 } = options;
  const { classes = 1000, seed = 0, inputShape = [224, 224, 3], name = "mlp-mixer" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let x = chain(images, new PatchEmbedding({ name: "stem.proj", patchSize, units: dim })); // [batch, patches, dim]
  for (let block = 0; block < depth; block++) x = mixerBlock(x, `blocks.${block}`, tokenUnits, channelUnits);
  const logits = chain(
    x,
    new LayerNorm({ name: "norm", epsilon: 1e-6 }),
    new TokenPool({ name: "pool", pool: "mean" }), // [batch, dim]
    new Dense({ name: "head", units: classes }), // [batch, classes]
  );
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: truncatedNormal(0.02), dense: truncatedNormal(0.02) });
}

const { "mixer-b16": base, "mixer-cifar": small } = variants;

const narrow: MixerOptions = {
  ...{ patchSize: 4, dim: 6, depth: 2, tokenUnits: 5, channelUnits: 12 },
  ...{ inputShape: [16, 16, 3] as const, classes: 7 },
};

export const mixers = [
  classifier({
    name: "mixer-b16",
    family: "mlp-mixer",
    summary: "MLP-Mixer-Base of patches of 16 pixels",
    inputShape: [224, 224, 3],
    classes: 1000,
    params: base.params,
    macs: base.macs,
    build: (options) => mlpMixer({ ...options, ...base, name: "mixer-b16" }),
    narrow: (options) => mlpMixer({ ...narrow, ...options }),
  }),
  classifier({
    name: "mixer-cifar",
    family: "mlp-mixer",
    summary: "a small MLP-Mixer of patches of 4 pixels, for CIFAR",
    inputShape: [32, 32, 3],
    classes: 10,
    params: small.params,
    macs: small.macs,
    build: (options) => mlpMixer({ inputShape: [32, 32, 3], classes: 10, ...options, ...small, name: "mixer-cifar" }),
    narrow: (options) => mlpMixer({ ...narrow, ...options }),
  }),
];
