/**
 * The U-Net that takes noise away (Ho, Jain & Abbeel 2020, "Denoising diffusion probabilistic models", app. B): a PixelCNN++'s
 * way down and up (Salimans et al. 2017) of residual blocks with group norm, each told the time, and attention among the
 * pixels of small images. What each block on the way down gave, a block on the way up gets. Classes, where there are any,
 * are told with the time (Dhariwal & Nichol 2021, sec. 4); one class more, the null class, stands for none (Ho & Salimans
 * 2022).
 *
 * Layer names are those of the usual PyTorch port of Ho's code (pesser/pytorch_diffusion, which ermongroup/ddim has too):
 * `down.0.block.0.norm1`, `mid.attn_1.q`, `up.0.upsample.conv` … The class embedding's is guided-diffusion's, `label_emb`.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { glorotUniform, type Initializer, initialize, normal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  ChannelShift,
  Concat,
  Conv2D,
  Dense,
  Dropout,
  Embedding,
  GroupNorm,
  ImageAttention,
  PadEnd,
  Silu,
  TimeEmbedding,
  Upsample2D,
} from "../layers/index.ts";
import { type DiffusionEntry, type DiffusionOptions, denoiser } from "../model-entry.ts";
import type { Denoise } from "./sampling.ts";

type Symbolic = tfl.SymbolicTensor;

export interface UnetOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels]; both sides can be halved between all levels */
  imageShape?: readonly [height: number, width: number, channels: number];
  /** of the first level */
  channels?: number;
  /** what each level's channels are a multiple of; between two levels an image is halved */
  multipliers?: readonly number[];
  /** residual blocks of each level on the way down; on the way up there is one more */
  blocks?: number;
  /** heights of the images whose pixels attend to one another; those in the middle always do */
  attentionResolutions?: readonly number[];
  /** of the group norms */
  groups?: number;
  /** classes that it is told; none unless given */
  classes?: number;
  /** share of a residual block's units that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** The sizes of a variant, and what they come to. */
export type UnetVariant = Required<Omit<UnetOptions, "name" | "classes" | "seed">> & { params: number; macs: number };

/** What is published (sec. 4 and app. B: CIFAR-10, 35.7 M parameters), and a small one for digits. */
export const unetVariants = {
  "ddpm-cifar": {
    ...{ imageShape: [32, 32, 3], channels: 128, multipliers: [1, 2, 2, 2], blocks: 2 },
    ...{ attentionResolutions: [16], groups: 32, dropout: 0.1 },
    ...{ params: 35_746_307, macs: 6_221_856_768 },
  } as UnetVariant,
  ddpm: {
    ...{ imageShape: [28, 28, 1], channels: 32, multipliers: [1, 2, 2], blocks: 1 },
    ...{ attentionResolutions: [7], groups: 8, dropout: 0.1 },
    ...{ params: 1_112_801, macs: 190_039_552 },
  } as UnetVariant,
};

const published = unetVariants["ddpm-cifar"];

/** What the blocks of a network share: its options, and the time and class as a vector of every example. */
interface Context {
  groups: number;
  dropout: number;
  attentionResolutions: readonly number[];
  /** SiLU of the embedding [batch, 4 channels] */
  told: Symbolic;
}

const norm = (name: string, { groups }: Pick<Context, "groups">) => new GroupNorm({ name, groups, epsilon: 1e-6 });

const conv3x3 = (name: string, filters: number) => new Conv2D({ name, filters, kernelSize: 3, padding: 1 });

const conv1x1 = (name: string, filters: number) => new Conv2D({ name, filters, kernelSize: 1 });

const add = (name: string, ...terms: Symbolic[]) => new Add({ name }).apply(terms) as Symbolic;

/** y = x + conv(σ(GN(conv(σ(GN(x))) + W e))), σ the SiLU and e what is told; x through a 1×1 where the channels change */
function residualBlock(x: Symbolic, path: string, channels: number, context: Context): Symbolic {
  const first = chain(
    x, // [batch, height, width, inChannels]
    norm(`${path}.norm1`, context),
    new Silu({ name: `${path}.act1` }),
    conv3x3(`${path}.conv1`, channels), // [batch, height, width, channels]
  );
  const shift = chain(context.told, new Dense({ name: `${path}.temb_proj`, units: channels })); // [batch, channels]
  const shifted = new ChannelShift({ name: `${path}.shift` }).apply([first, shift]) as Symbolic;
  const residual = chain(
    shifted,
    norm(`${path}.norm2`, context),
    new Silu({ name: `${path}.act2` }),
    ...(context.dropout > 0 ? [new Dropout({ name: `${path}.dropout`, rate: context.dropout })] : []),
    conv3x3(`${path}.conv2`, channels),
  );
  const carried = x.shape[3] === channels ? x : chain(x, conv1x1(`${path}.nin_shortcut`, channels));
  return add(`${path}.add`, residual, carried);
}

/** y = x + W attention(W GN(x)), among the pixels of an image, in one head */
function attentionBlock(x: Symbolic, path: string, context: Context): Symbolic {
  const channels = x.shape[3] as number;
  const normed = chain(x, norm(`${path}.norm`, context));
  const images = ["q", "k", "v"].map((part) => chain(normed, conv1x1(`${path}.${part}`, channels)));
  const attended = new ImageAttention({ name: `${path}.attention` }).apply(images) as Symbolic;
  return add(`${path}.add`, chain(attended, conv1x1(`${path}.proj_out`, channels)), x);
}

/** A block of a level, with attention where images are small enough. */
function levelBlock(x: Symbolic, level: string, i: number, channels: number, context: Context): Symbolic {
  const y = residualBlock(x, `${level}.block.${i}`, channels, context);
  const attends = context.attentionResolutions.includes(y.shape[1] as number);
  return attends ? attentionBlock(y, `${level}.attn.${i}`, context) : y;
}

/**
 * @returns [images [batch, height, width, channels], times [batch], classes int32 [batch] where there are any] -> the
 *   prediction, in the shape of the images. A class of `classes` is the null class.
 * @throws InputError for sizes that don't fit each other
 */
export function unet(options: UnetOptions = {}): tfl.LayersModel {
  const { imageShape = [32, 32, 3], channels = 128, multipliers = published.multipliers, blocks = 2 } = options;
  const { attentionResolutions = published.attentionResolutions, groups = 32, dropout = 0.1 } = options;
  const { classes, seed = 0, name = "unet" } = options;
  checkSizes({ imageShape, channels, multipliers, blocks, attentionResolutions, groups, classes });

  const images = tfl.input({ shape: [...imageShape], name: "input" });
  const times = tfl.input({ shape: [], dtype: "int32", name: "times" }); // [batch]
  const labels = classes === undefined ? [] : [tfl.input({ shape: [], dtype: "int32", name: "classes" })]; // [batch]

  // The time, and the class, in 4 times as many channels
  const units = 4 * channels;
  const time = chain(
    times,
    new TimeEmbedding({ name: "temb", units: channels }), // [batch, channels]
    new Dense({ name: "temb.dense.0", units }),
    new Silu({ name: "temb.act" }),
    new Dense({ name: "temb.dense.1", units }),
  );
  const kinds = labels.map((ids) =>
    chain(ids, new Embedding({ name: "label_emb", vocabulary: Number(classes) + 1, units })),
  );
  const known = kinds.reduce((sum, kind) => add("temb.add", sum, kind), time);
  const told = chain(known, new Silu({ name: "temb.out" })); // [batch, 4 channels]
  const context: Context = { groups, dropout, attentionResolutions, told };

  // Down, keeping what every layer gave
  const levels = multipliers.map((multiplier) => multiplier * channels);
  let x = chain(images, conv3x3("conv_in", channels)); // [batch, height, width, channels]
  const kept = [x];
  for (const [level, width] of levels.entries()) {
    const path = `down.${level}`;
    for (let i = 0; i < blocks; i++) {
      x = levelBlock(x, path, i, width, context);
      kept.push(x);
    }
    if (level === levels.length - 1) continue;
    const half = new Conv2D({ name: `${path}.downsample.conv`, filters: width, kernelSize: 3, strides: 2 });
    x = chain(x, new PadEnd({ name: `${path}.downsample.pad` }), half); // half the height and width
    kept.push(x);
  }

  // In the middle
  x = residualBlock(x, "mid.block_1", levels[levels.length - 1], context);
  x = attentionBlock(x, "mid.attn_1", context);
  x = residualBlock(x, "mid.block_2", levels[levels.length - 1], context);

  // Up, with what was kept
  for (let level = levels.length - 1; level >= 0; level--) {
    const path = `up.${level}`;
    for (let i = 0; i <= blocks; i++) {
      const both = new Concat({ name: `${path}.concat.${i}` }).apply([x, kept.pop() as Symbolic]) as Symbolic;
      x = levelBlock(both, path, i, levels[level], context);
    }
    if (level === 0) continue;
    const larger = new Upsample2D({ name: `${path}.upsample`, factor: 2 });
    x = chain(x, larger, conv3x3(`${path}.upsample.conv`, levels[level])); // twice the height and width
  }
  const prediction = chain(
    x, // [batch, height, width, levels[0]]
    norm("norm_out", context),
    new Silu({ name: "act_out" }),
    conv3x3("conv_out", imageShape[2]),
  ); // [batch, height, width, channels of the image]
  return begin(tfl.model({ inputs: [images, times, ...labels], outputs: prediction, name }), seed);
}

/** Ho's code: U(−a, a) with a = √(3 / mean of fan in and out); what ends a residual, and the network, is next to 0. */
function begin(model: tfl.LayersModel, seed: number | null): tfl.LayersModel {
  const nextToNothing: Initializer = (shape, random) => glorotUniform(shape, random).map((weight) => 1e-5 * weight);
  return initialize(model, seed, {
    conv: glorotUniform,
    dense: glorotUniform,
    named: (weight) => {
      if (/(conv2|proj_out|conv_out)\/weight$/.test(weight)) return nextToNothing;
      return weight.startsWith("label_emb/") ? normal(0.02) : undefined;
    },
  });
}

type Sizes = Required<Omit<UnetOptions, "name" | "classes" | "dropout" | "seed">> & Pick<UnetOptions, "classes">;

function checkSizes({ imageShape, channels, multipliers, blocks, attentionResolutions, groups, classes }: Sizes): void {
  const refused = (got: string, expected: string) => new InputError(`a U-Net got ${got}; expected ${expected}`);
  for (const [what, sizes] of Object.entries({
    imageShape,
    channels,
    multipliers,
    blocks,
    groups,
    classes: classes ?? 1,
  })) {
    const wrong = [sizes].flat().find((size) => !Number.isInteger(size) || size < 1);
    if (wrong !== undefined) throw refused(`${wrong} for ${what}`, "positive integers");
  }
  if (multipliers.length === 0) throw refused("no multipliers", "one for each of its levels, such as 1, 2, 2");
  const halvings = multipliers.length - 1;
  const [height, width] = imageShape;
  if (height % 2 ** halvings !== 0 || width % 2 ** halvings !== 0) {
    throw refused(
      `images of ${height}×${width} and ${multipliers.length} levels`,
      `a height and width that can be halved ${halvings} time(s)`,
    );
  }
  const heights = multipliers.map((_, level) => height / 2 ** level);
  const unseen = attentionResolutions.find((resolution) => !heights.includes(resolution));
  if (unseen !== undefined) throw refused(`attention at a height of ${unseen}`, `heights among ${heights.join(", ")}`);
  if (channels % 2 !== 0 || channels < 4) throw refused(`${channels} channels`, "an even number of at least 4");
  const uneven = multipliers.find((multiplier) => (multiplier * channels) % groups !== 0);
  if (uneven !== undefined)
    throw refused(`${uneven * channels} channels in ${groups} groups`, "a multiple of the groups");
}

/** Classes that a U-Net is told, without the null class; undefined where it is told none. */
export function unetClasses(model: tfl.LayersModel): number | undefined {
  const embedding = model.layers.find(({ name }) => name === "label_emb");
  return embedding instanceof Embedding ? embedding.vocabulary - 1 : undefined;
}

/**
 * A U-Net as samplers and the variational bound ask it, in inference mode. One that knows classes is told the null class
 * where it is given none.
 */
export function unetDenoiser(model: tfl.LayersModel): Denoise {
  const nullClass = unetClasses(model);
  return (x, t, labels) => {
    if (labels !== undefined && nullClass === undefined) {
      throw new InputError(`${model.name} was given classes, and knows none: it was trained without`);
    }
    return tf.tidy(() => {
      const each = (value: number) => tf.fill([x.shape[0]], value, "int32");
      const classes = nullClass === undefined ? [] : [labels ?? each(nullClass)];
      return model.apply([x, each(t), ...classes], { training: false }) as tf.Tensor;
    });
  };
}

const narrow = {
  ...{ imageShape: [8, 8, 1], channels: 4, multipliers: [1, 2], blocks: 1, attentionResolutions: [4], groups: 2 },
} satisfies UnetOptions;

const entryOf = (name: keyof typeof unetVariants, summary: string): DiffusionEntry => {
  const { params, macs, imageShape, ...sizes } = unetVariants[name];
  return denoiser({
    ...{ name, family: "unet", summary, params, macs, inputShape: imageShape },
    build: ({ inputShape = imageShape, ...options }: DiffusionOptions = {}) =>
      unet({ ...sizes, name, imageShape: inputShape, ...options }),
    narrow: ({ inputShape: _, ...options }: DiffusionOptions = {}) => unet({ ...narrow, name, ...options }),
  });
};

export const unets = [
  entryOf("ddpm", "a U-Net that makes digits out of noise, in many small steps"),
  entryOf("ddpm-cifar", "the U-Net of diffusion as published, for CIFAR-10"),
];
