/**
 * Variational autoencoders (Kingma & Welling 2014, "Auto-encoding variational Bayes"): an encoder says where in a small
 * space of z an image may come from, q(z|x) = N(μ, diag σ²), and a decoder what images a z makes, p(x|z). Both of layers
 * that are fully connected, as in the paper (App. C).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Dense, Flatten, ReLU, SharedLogVariance, Unflatten } from "../layers/index.ts";
import { type AutoencoderEntry, autoencoder, type Vae, type VaeOptions } from "../model-entry.ts";
import { countUses } from "../sequence/shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

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

/**
 * @returns graphs over the same layers; `train` has all of their weights
 */
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
  const stack = (x: Symbolic, path: string, widths: readonly number[]): Symbolic =>
    widths.reduce((y, units, i) => {
      const active = activation === "relu" ? new ReLU({ name: `${path}.${2 * i + 1}` }) : tanh(`${path}.${2 * i + 1}`);
      return chain(y, new Dense({ name: `${path}.${2 * i}`, units }), active);
    }, x);

  const images = tfl.input({ shape: [...inputShape], name: "images" }); // [batch, height, width, channels]
  const encoded = stack(chain(images, new Flatten({ name: "flatten" })), "encoder", hidden); // [batch, hidden]
  const mean = chain(encoded, new Dense({ name: "fc_mu", units: latent })); // μ [batch, d]
  const logVariance = chain(encoded, new Dense({ name: "fc_var", units: latent })); // log σ² [batch, d]
  const encode = tfl.model({ inputs: images, outputs: [mean, logVariance], name: `${name}_encode` });

  const z = tfl.input({ shape: [latent], name: "z" }); // [rows, d]
  const drawn = chain(
    stack(z, "decoder", [...hidden].reverse()), // [rows, hidden]
    new Dense({ name: `decoder.${2 * hidden.length}`, units: pixels }), // [rows, pixels]
    new Unflatten({ name: "unflatten", shape: [...inputShape] }), // [rows, height, width, channels]
  );
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

const tanh = (name: string): tfl.layers.Layer => tfl.layers.activation({ name, activation: "tanh" });

const narrow = { inputShape: [4, 4, 1], hidden: [6, 5], latent: 3 } satisfies MlpVaeOptions;

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
];
