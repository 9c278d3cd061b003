/**
 * Generative adversarial networks (Goodfellow et al. 2014): a generator that makes images out of noise, and a discriminator
 * that tells them from real ones. Both of convolutions, as in Radford, Metz & Chintala 2016, "Unsupervised representation
 * learning with deep convolutional generative adversarial networks" (DCGAN). Classes, where there are any, are told to the
 * generator beside the noise (Mirza & Osindero 2014), and to the discriminator by a projection (Miyato & Koyama 2018).
 *
 * Layer names are those of PyTorch's example (pytorch/examples/dcgan): `main.0`, `main.1` … in either network.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { heNormal, type Initializer, initialize, normal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  BatchNorm,
  Concat,
  Conv2D,
  ConvTranspose2D,
  Embedding,
  GlobalAvgPool2D,
  LeakyReLU,
  SpectralConv2D,
  SpectralEmbedding,
  Tanh,
  Unflatten,
} from "../layers/index.ts";
import { type Gan, type GanEntry, type GanOptions, gan } from "../model-entry.ts";

type Symbolic = tfl.SymbolicTensor;

/** What keeps a discriminator's layers in bounds. */
export type DiscriminatorNorm = "batch" | "spectral" | "none";

export interface DcganOptions extends GanOptions {
  /** of the layers next to the images; each halving of the image doubles them */
  channels?: number;
  /** in the discriminator; the generator has batch norm always */
  norm?: DiscriminatorNorm;
}

interface Variant {
  imageShape: readonly [height: number, width: number, channels: number];
  latent: number;
  channels: number;
  norm: DiscriminatorNorm;
  /** what the generator comes to, and the discriminator */
  params: number;
  macs: number;
  discriminator: { params: number; macs: number };
  recipe: GanEntry["recipe"];
}

const digits = { imageShape: [28, 28, 1], latent: 100, channels: 64 } as const;

const variants = {
  /** PyTorch's example: half the width of the paper's */
  dcgan: {
    ...{ imageShape: [64, 64, 3], latent: 100, channels: 64, norm: "batch", recipe: "dcgan" },
    ...{ params: 3_576_704, macs: 104_628_224, discriminator: { params: 2_765_568, macs: 103_817_216 } },
  },
  "dcgan-mnist": {
    ...{ ...digits, norm: "batch", recipe: "dcgan" },
    ...{ params: 759_680, macs: 7_250_432, discriminator: { params: 138_624, macs: 6_629_504 } },
  },
  /** a critic without batch norm, for the gradient penalty (Gulrajani et al. 2017, sec. 4) */
  "wgan-mnist": {
    ...{ ...digits, norm: "none", recipe: "wgan-gp" },
    ...{ params: 759_680, macs: 7_250_432, discriminator: { params: 138_561, macs: 6_629_504 } },
  },
  /** spectral norm in place of batch norm (Miyato et al. 2018) */
  "sngan-mnist": {
    ...{ ...digits, norm: "spectral", recipe: "hinge" },
    ...{ params: 759_680, macs: 7_250_432, discriminator: { params: 138_561, macs: 6_629_504 } },
  },
} satisfies { [name: string]: Variant };

/**
 * @returns z [batch, d], classes int32 [batch] where there are any -> images [batch, height, width, channels] from −1 to 1;
 *   and such images, and classes -> scores [batch, 1]
 * @throws InputError for images that can't be halved down to a few pixels
 */
export function dcgan(options: DcganOptions = {}): Gan {
  const { imageShape = [64, 64, 3], latent = 100, channels = 64, norm = "batch" } = options;
  const { classes, seed = 0, name = "dcgan" } = options;
  const sizes: Sizes = { imageShape, latent, classes, ...levelsOf(imageShape, channels) };
  const generator = begin(dcganGenerator(sizes, `${name}_generator`), seed, normal(0.02), normal(1));
  const judge = dcganDiscriminator(sizes, norm, `${name}_discriminator`);
  // Their layers have the same names, and would begin alike.
  const other = seed === null ? null : seed + 2 ** 31;
  const discriminator = begin(judge, other, norm === "batch" ? normal(0.02) : heNormal(), normal(0.02));
  const dispose = () => {
    generator.dispose();
    discriminator.dispose();
  };
  return { generator, discriminator, latent, classes, dispose };
}

interface Sizes {
  imageShape: readonly [number, number, number];
  latent: number;
  classes: number | undefined;
  /** height and width of the smallest images, the generator's first and the discriminator's last */
  base: [number, number];
  /** channels of each level, from the smallest images to those of half the size */
  widths: number[];
}

/** Halves images while they stay whole and 4 pixels or more: 64 -> 4, 32 -> 4, 28 -> 7. */
function levelsOf([height, width]: readonly number[], channels: number): Pick<Sizes, "base" | "widths"> {
  let [h, w] = [height, width];
  const widths: number[] = [];
  while (h % 2 === 0 && w % 2 === 0 && Math.min(h, w) >= 8) {
    [h, w] = [h / 2, w / 2];
    widths.unshift(channels * 2 ** widths.length);
  }
  if (widths.length === 0 || Math.max(h, w) > 8) {
    throw new InputError(
      `a DCGAN got images of ${height}x${width}; expected a size that halves to 4 to 8 pixels, such as 28, 32 or 64`,
    );
  }
  return { base: [h, w], widths };
}

function dcganGenerator({ imageShape, latent, classes, base, widths }: Sizes, name: string): tfl.LayersModel {
  const z = tfl.input({ shape: [latent], name: "z" }); // [batch, d]
  const labels = classInput(classes); // [batch]
  const known = labels.map((ids) =>
    chain(ids, new Embedding({ name: "label_emb", vocabulary: Number(classes), units: latent })),
  );
  const given = known.length === 0 ? z : (new Concat({ name: "told" }).apply([z, ...known]) as Symbolic);
  const pixel = new Unflatten({ name: "pixel", shape: [1, 1, given.shape[1] as number] });

  let x = chain(given, pixel); // [batch, 1, 1, d], and as much again for a class
  let place = 0; // in PyTorch's list of layers
  for (const [level, filters] of widths.entries()) {
    const grow =
      level === 0
        ? new ConvTranspose2D({ name: `main.${place}`, filters, kernelSize: base, useBias: false })
        : doubled(`main.${place}`, filters);
    x = chain(x, grow, new BatchNorm({ name: `main.${place + 1}`, activation: "relu" })); // twice the size, half the channels
    place += 3;
  }
  const images = chain(x, doubled(`main.${place}`, imageShape[2]), new Tanh({ name: `main.${place + 1}` }));
  return tfl.model({ inputs: [z, ...labels], outputs: images, name }); // [batch, height, width, channels]
}

/** Images of twice the height and width. */
const doubled = (name: string, filters: number) =>
  new ConvTranspose2D({ name, filters, kernelSize: 4, strides: 2, padding: 1, useBias: false });

function dcganDiscriminator(
  { imageShape, classes, base, widths }: Sizes,
  norm: DiscriminatorNorm,
  name: string,
): tfl.LayersModel {
  const Convolution = norm === "spectral" ? SpectralConv2D : Conv2D;
  const useBias = norm !== "batch";
  const images = tfl.input({ shape: [...imageShape], name: "images" });
  const labels = classInput(classes); // [batch]

  let x = images;
  let place = 0;
  for (const [level, filters] of [...widths].reverse().entries()) {
    const halved = new Convolution({ name: `main.${place}`, filters, kernelSize: 4, strides: 2, padding: 1, useBias });
    const normed = norm === "batch" && level > 0; // the first has none (Radford et al., sec. 3)
    place += normed ? 1 : 0;
    const between = normed ? [new BatchNorm({ name: `main.${place}` })] : [];
    x = chain(x, halved, ...between, new LeakyReLU({ name: `main.${place + 1}`, slope: 0.2 })); // half the size
    place += 2;
  }
  const last = new Convolution({ name: `main.${place}`, filters: 1, kernelSize: base, useBias }); // [batch, 1, 1, 1]
  const score = chain(x, last, new GlobalAvgPool2D({ name: "score" })); // [batch, 1]
  if (labels.length === 0) return tfl.model({ inputs: images, outputs: score, name });

  // What the image has of its class: ⟨its class's vector, the mean of the last features⟩
  const Vectors = norm === "spectral" ? SpectralEmbedding : Embedding;
  const kind = chain(labels[0], new Vectors({ name: "label_emb", vocabulary: Number(classes), units: widths[0] }));
  const seen = chain(x, new GlobalAvgPool2D({ name: "seen" })); // [batch, channels]
  const projection = tfl.layers.dot({ name: "projection", axes: 1 }).apply([kind, seen]) as Symbolic; // [batch, 1]
  const sum = new Add({ name: "sum" }).apply([score, projection]) as Symbolic;
  return tfl.model({ inputs: [images, ...labels], outputs: sum, name });
}

/** An input for the class of every example, where there are classes. */
const classInput = (classes: number | undefined): Symbolic[] =>
  classes === undefined ? [] : [tfl.input({ shape: [], dtype: "int32", name: "classes" })];

/**
 * N(0, 0.02²) (Radford et al., sec. 4), or what a network without norms needs; batch norm's γ are drawn around 1.
 *
 * @param kinds of the vectors of classes
 */
function begin(model: tfl.LayersModel, seed: number | null, draws: Initializer, kinds: Initializer): tfl.LayersModel {
  const gammas = new Set(
    model.layers.filter((layer) => layer instanceof BatchNorm).map(({ name }) => `${name}/weight`),
  );
  const aroundOne: Initializer = (shape, random) => normal(0.02)(shape, random).map((value) => 1 + value);
  return initialize(model, seed, {
    conv: draws,
    dense: kinds,
    named: (weight) => {
      if (weight.endsWith("/weight_v")) return unit; // of spectral norm
      return gammas.has(weight) ? aroundOne : undefined;
    },
  });
}

/** A vector of length 1. */
const unit: Initializer = (shape) => {
  const size = tf.util.sizeFromShape([...shape]);
  return new Float32Array(size).fill(size ** -0.5);
};

const narrow = { imageShape: [16, 16, 1], latent: 5, channels: 3 } satisfies DcganOptions;

const entryOf = (name: keyof typeof variants, summary: string): GanEntry => {
  const { params, macs, discriminator, recipe, imageShape, ...sizes } = variants[name] as Variant;
  return gan({
    ...{
      name,
      family: "gan",
      summary,
      params,
      macs,
      discriminator,
      recipe,
      inputShape: imageShape,
      latent: sizes.latent,
    },
    scoresAlone: sizes.norm !== "batch",
    build: (options) => dcgan({ ...sizes, name, imageShape, ...options }),
    narrow: (options) => dcgan({ norm: sizes.norm, ...narrow, name, ...options }),
  });
};

export const gans = [
  entryOf("dcgan", "a generator and a discriminator of convolutions, for pictures of 64x64"),
  entryOf("dcgan-mnist", "a generator and a discriminator of convolutions, for digits and clothes"),
  entryOf("wgan-mnist", "a generator and a critic without batch norm, for the gradient penalty"),
  entryOf("sngan-mnist", "a generator and a discriminator with spectral norm"),
];
