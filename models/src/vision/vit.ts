/**
 * ViT (Dosovitskiy et al. 2021, "An image is worth 16x16 words: transformers for image recognition at scale"): an image
 * is cut into patches, each is a token, and a transformer's encoder reads them; the class is read from a token that was
 * put before them. Base with patches of 16 pixels (`vit-b16`, table 1), and, for CIFAR, with patches of 4, the smaller
 * size that Touvron et al. (2021, "Training data-efficient image transformers", table 1) call tiny. Layer names are
 * timm's (`blocks.0.attn.qkv` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, truncatedNormal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  ClassToken,
  Dense,
  Gelu,
  LayerNorm,
  PatchEmbedding,
  PositionEmbedding,
  SelfAttention,
  StochasticDepth,
  TokenPool,
} from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

export interface VitOptions extends BuildOptions {
  /** pixels of a patch's side */
  patchSize?: number;
  /** D: channels of a token */
  dim?: number;
  /** L: blocks */
  depth?: number;
  heads?: number;
  /** units of a block's hidden layer, in multiples of D */
  mlpRatio?: number;
  /** how often the last block is dropped in training; the others less, in proportion to their depth */
  stochasticDepth?: number;
}

const variants = {
  "vit-b16": {
    ...{ patchSize: 16, dim: 768, depth: 12, heads: 12 },
    ...{ params: 86_567_656, macs: 17_563_828_224 },
  },
  "vit-tiny-cifar": { patchSize: 4, dim: 192, depth: 12, heads: 3, params: 5_362_762, macs: 365_107_584 },
} as const;

/** z′ = MSA(LN(z)) + z, z = MLP(LN(z′)) + z′ (eq. 2 and 3). */
function encoderBlock(
  z: tfl.SymbolicTensor,
  path: string,
  { dim, heads, hidden, dropped }: { dim: number; heads: number; hidden: number; dropped: number },
): tfl.SymbolicTensor {
  const plus = (x: tfl.SymbolicTensor, branch: tfl.SymbolicTensor, name: string) => {
    const kept = dropped > 0 ? chain(branch, new StochasticDepth({ name: `${name}_drop`, rate: dropped })) : branch;
    return new Add({ name }).apply([kept, x]) as tfl.SymbolicTensor;
  };
  const attended = chain(
    z, // [batch, tokens, dim]
    new LayerNorm({ name: `${path}.norm1`, epsilon: 1e-6 }),
    new Dense({ name: `${path}.attn.qkv`, units: 3 * dim }), // [batch, tokens, 3 dim]
    new SelfAttention({ name: `${path}.attn`, heads }), // [batch, tokens, dim]
    new Dense({ name: `${path}.attn.proj`, units: dim }),
  );
  const between = plus(z, attended, `${path}.add1`);
  const mapped = chain(
    between,
    new LayerNorm({ name: `${path}.norm2`, epsilon: 1e-6 }),
    new Dense({ name: `${path}.mlp.fc1`, units: hidden }), // [batch, tokens, hidden]
    new Gelu({ name: `${path}.mlp.act` }),
    new Dense({ name: `${path}.mlp.fc2`, units: dim }), // [batch, tokens, dim]
  );
  return plus(between, mapped, `${path}.add2`);
}

/**
 * @returns [batch, height, width, channels] -> logits [batch, classes]; height and width are multiples of the patch size
 */
export function vit(options: VitOptions = {}): tfl.LayersModel {
  const { patchSize = 16, dim = 768, depth = 12, heads = 12, mlpRatio = 4, stochasticDepth = 0 } = options;
  const { classes = 1000, seed = 0, inputShape = [224, 224, 3], name = "vit" } = options;

  const images = tfl.input({ shape: [...inputShape], name: "input" });
  let z = chain(
    images,
    new PatchEmbedding({ name: "patch_embed.proj", patchSize, units: dim }), // [batch, patches, dim]
    new ClassToken({ name: "cls_token" }), // [batch, 1 + patches, dim]
    new PositionEmbedding({ name: "pos_embed" }),
  );
  for (let block = 0; block < depth; block++) {
    const dropped = (stochasticDepth * block) / Math.max(depth - 1, 1);
    z = encoderBlock(z, `blocks.${block}`, { dim, heads, hidden: mlpRatio * dim, dropped });
  }
  const logits = chain(
    z,
    new LayerNorm({ name: "norm", epsilon: 1e-6 }),
    new TokenPool({ name: "pool", pool: "first" }), // [batch, dim]
    new Dense({ name: "head", units: classes }), // [batch, classes]
  );
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: truncatedNormal(0.02), dense: truncatedNormal(0.02) });
}

const narrow: VitOptions = { patchSize: 4, dim: 8, depth: 2, heads: 2, inputShape: [16, 16, 3], classes: 7 };

const { "vit-b16": base, "vit-tiny-cifar": tiny } = variants;

export const vits = [
  classifier({
    name: "vit-b16",
    family: "vit",
    summary: "ViT-Base of patches of 16 pixels",
    inputShape: [224, 224, 3],
    classes: 1000,
    params: base.params,
    macs: base.macs,
    build: (options) => vit({ ...options, ...base, name: "vit-b16" }),
    narrow: (options) => vit({ ...narrow, ...options }),
  }),
  classifier({
    name: "vit-tiny-cifar",
    family: "vit",
    summary: "ViT-Tiny of patches of 4 pixels, for CIFAR",
    inputShape: [32, 32, 3],
    classes: 10,
    params: tiny.params,
    macs: tiny.macs,
    build: (options) => vit({ inputShape: [32, 32, 3], classes: 10, ...options, ...tiny, name: "vit-tiny-cifar" }),
    narrow: (options) => vit({ ...narrow, stochasticDepth: 0.2, ...options }),
  }),
];
