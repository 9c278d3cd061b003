/**
 * Variational autoencoders (Kingma & Welling 2014, "Auto-encoding variational Bayes"): an encoder says where in a small
 * space of z an image may come from, q(z|x) = N(μ, diag σ²), and a decoder what images a z makes, p(x|z). Both of layers
 * that are fully connected, as in the paper (App. C), or of convolutions.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Conv2D, ConvTranspose2D, Dense, Flatten, ReLU, SharedLogVariance, Tanh, Unflatten } from "../layers/index.ts";
import { type AutoencoderEntry, autoencoder, type Vae, type VaeOptions } from "../model-entry.ts";
import { countUses } from "../sequence/shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

/** A decoder's and an encoder's layers, around which all VAEs are alike. */
interface Halves {
  /** images [batch, height, width, channels] -> [batch, features] */
  encode(images: Symbolic): Symbolic;
  /** z [rows, d] -> [rows, height, width, channels] */
  decode(z: Symbolic): Symbolic;
}

/** Graphs over the same layers; `train` has all of their weights. */
function graphs(
  { name, inputShape, latent, likelihood, seed }: Required<VaeOptions>,
  { encode: encoder, decode: decoder }: Halves,
): Vae {
  const images = tfl.input({ shape: [...inputShape], name: "images" }); // [batch, height, width, channels]
  const encoded = encoder(images); // [batch, features]
  const mean = chain(encoded, new Dense({ name: "fc_mu", units: latent })); // μ [batch, d]
  const logVariance = chain(encoded, new Dense({ name: "fc_var", units: latent })); // log σ² [batch, d]
  const encode = tfl.model({ inputs: images, outputs: [mean, logVariance], name: `${name}_encode` });

  const z = tfl.input({ shape: [latent], name: "z" }); // [rows, d]
  const drawn = decoder(z); // [rows, height, width, channels]
  const noise = new SharedLogVariance({ name: "likelihood" });
  const outputs = likelihood === "bernoulli" ? drawn : [drawn, noise.apply(drawn) as Symbolic];
  const decode = tfl.model({ inputs: z, outputs, name: `${name}_decode` });

  const train = tfl.model({ inputs: [images, z], outputs: [mean, logVariance, ...[outputs].flat()], name });
  countUses([encode, decode, train]);
  initialize(train, seed, { conv: lecunUniform, dense: lecunUniform });
  const dispose = () => {
    for (const graph of [encode, decode, train]) graph.dispose();
  };
  return { encode, decode, train, latent, likelihood, dispose };
}

/** What this family takes beside what every VAE does. */
export interface MlpVaeOptions extends VaeOptions {
  /** units of the encoder's hidden layers, from the image on; the decoder has them in reverse */
  hidden?: readonly number[];
  activation?: "relu" | "tanh";
}

const variants = {
  /** the form that courses use for MNIST: 784-400-20 */
  vae: { hidden: [400], latent: 20, activation: "relu", params: 652_824, macs: 651_200 },
  /** the one of Burda, Grosse & Salakhutdinov 2016, sec. 5.1, with one layer of z */
  "vae-2x200": { hidden: [200, 200], latent: 50, activation: "tanh", params: 425_284, macs: 423_600 },
} as const;

/** A VAE of layers that are fully connected. */
export function vae({
  name = "vae",
  inputShape = [28, 28, 1],
  hidden = variants.vae.hidden,
  activation = "relu",
  latent = variants.vae.latent,
  likelihood = "bernoulli",
  seed = 0,
}: MlpVaeOptions = {}): Vae {
  const pixels = inputShape.reduce((product, n) => product * n, 1);
  const Activation = activation === "relu" ? ReLU : Tanh;
  const stack = (x: Symbolic, path: string, widths: readonly number[]): Symbolic =>
    widths.reduce((y, units, i) => {
      const active = new Activation({ name: `${path}.${2 * i + 1}` });
      return chain(y, new Dense({ name: `${path}.${2 * i}`, units }), active);
    }, x);
  return graphs(
    { name, inputShape, latent, likelihood, seed },
    {
      encode: (images) => stack(chain(images, new Flatten({ name: "flatten" })), "encoder", hidden), // [batch, hidden]
      decode: (z) =>
        chain(
          stack(z, "decoder", [...hidden].reverse()), // [rows, hidden]
          new Dense({ name: `decoder.${2 * hidden.length}`, units: pixels }), // [rows, pixels]
          new Unflatten({ name: "unflatten", shape: [...inputShape] }), // [rows, height, width, channels]
        ),
    },
  );
}

/** What a convolutional VAE takes beside what every VAE does. */
export interface ConvVaeOptions extends VaeOptions {
  /** of the encoder's convolutions, each of which halves the image; the decoder has them in reverse */
  channels?: readonly number[];
  /** of a dense layer between the smallest image and z, and of one on the way back; 0 for none */
  units?: number;
}

const convolutional = { channels: [32, 64], units: 256, latent: 32, params: 1_700_609, macs: 5_042_176 } as const;

/**
 * A VAE of convolutions, whose decoder doubles an image as often as the encoder halves it, with a dense layer on either
 * side of z (as in Salimans, Kingma & Welling 2015, "Markov chain Monte Carlo and variational inference").
 *
 * @throws InputError for images that can't be halved so often
 */
export function convVae({
  name = "vae-conv",
  inputShape = [28, 28, 1],
  channels = convolutional.channels,
  units = convolutional.units,
  latent = convolutional.latent,
  likelihood = "bernoulli",
  seed = 0,
}: ConvVaeOptions = {}): Vae {
  const [height, width, ofImage] = inputShape;
  const times = 2 ** channels.length;
  if (height % times !== 0 || width % times !== 0) {
    throw new InputError(
      `${name} got images of ${height}x${width}; expected a height and width that are multiples of ${times}`,
    );
  }
  const last = channels[channels.length - 1];
  const small = [height / times, width / times, last] as const; // the smallest image
  const window = { kernelSize: 4, strides: 2, padding: 1 } as const;
  const dense = (path: string) =>
    units === 0 ? [] : [new Dense({ name: `${path}.0`, units }), new ReLU({ name: `${path}.1` })];
  return graphs(
    { name, inputShape, latent, likelihood, seed },
    {
      encode: (images) => {
        const halved = channels.reduce(
          (x, filters, i) =>
            chain(
              x,
              new Conv2D({ name: `encoder.${2 * i}`, filters, ...window }), // half the height and width
              new ReLU({ name: `encoder.${2 * i + 1}` }),
            ),
          images,
        );
        return chain(halved, new Flatten({ name: "flatten" }), ...dense("encoder_dense"));
      },
      decode: (z) => {
        const begun = chain(
          z,
          ...dense("decoder_dense"), // [rows, units]
          new Dense({ name: "decoder.0", units: small[0] * small[1] * last }),
          new ReLU({ name: "decoder.1" }),
          new Unflatten({ name: "unflatten", shape: [...small] }), // [rows, height / 2ⁿ, width / 2ⁿ, channels]
        );
        const growing = [...channels.slice(0, -1).reverse(), ofImage];
        return growing.reduce((x, filters, i) => {
          const doubled = new ConvTranspose2D({ name: `decoder.${2 * i + 3}`, filters, ...window });
          const isLast = i === growing.length - 1;
          return chain(x, doubled, ...(isLast ? [] : [new ReLU({ name: `decoder.${2 * i + 4}` })]));
        }, begun);
      },
    },
  );
}

const narrow = { inputShape: [4, 4, 1], hidden: [6, 5], latent: 3 } satisfies MlpVaeOptions;
const narrowConvolutional = { inputShape: [8, 8, 1], channels: [3, 2], units: 5, latent: 3 } satisfies ConvVaeOptions;

const entryOf = (name: keyof typeof variants, summary: string): AutoencoderEntry => {
  const { params, macs, ...sizes } = variants[name];
  return autoencoder({
    ...{ name, family: "vae", summary, params, macs, inputShape: [28, 28, 1], latent: sizes.latent },
    build: (options) => vae({ ...sizes, name, ...options }),
    narrow: (options) => vae({ ...sizes, ...narrow, name, ...options }),
  });
};

export const vaes = [
  entryOf("vae", "a variational autoencoder of one hidden layer, for digits"),
  entryOf("vae-2x200", "a variational autoencoder of two hidden layers and 50 numbers, for digits"),
  autoencoder({
    ...{ name: "vae-conv", family: "vae", summary: "a variational autoencoder of convolutions, for small images" },
    ...{
      params: convolutional.params,
      macs: convolutional.macs,
      inputShape: [28, 28, 1],
      latent: convolutional.latent,
    },
    build: convVae,
    narrow: (options) => convVae({ ...narrowConvolutional, ...options }),
  }),
];
