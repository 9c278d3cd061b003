/**
 * Our variational autoencoders against PyTorch in float64: the loss of a batch and every gradient, for all likelihoods and
 * both bounds. The tolerance is that of parity.test.ts.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type ConvVaeOptions, convVae, type MlpVaeOptions, randomStream, vae } from "@tfjs-zoo/models";
import { autoencoding } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, fillNetwork, fixturesBeside, gradientSummaries, parityBackends, type Summaries } from "../fixture.ts";

const TOLERANCE = 1e-4;

/** What make_vae_fixtures.py wrote. */
interface Fixture {
  name: string;
  options: Required<Pick<MlpVaeOptions, "inputShape" | "latent">> & (MlpVaeOptions | ConvVaeOptions);
  seed: number;
  batch: number;
  draws: number;
  klWeight: number;
  loss: number;
  gradients: Summaries;
}

const fixtures = fixturesBeside<Fixture>(import.meta.url);

describe.each(parityBackends)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(fixtures)("$name has PyTorch's loss and gradients", async (fixture, { skip }) => {
    if (!starts) skip();
    const { options, seed, batch, draws, klWeight } = fixture;
    const before = tf.memory().numTensors;
    const network = ("channels" in options ? convVae : vae)({ ...options, seed: null });
    fillNetwork(network.train, fixture);
    const normals = (what: string, size: number) => {
      const random = randomStream(seed, "fixture", what);
      return Float32Array.from({ length: size }, () => random.normal());
    };
    const pixels = batch * options.inputShape.reduce((product, n) => product * n, 1);
    const inputs = {
      images: tf.tensor4d(
        normals("images", pixels).map((z) => 1 / (1 + Math.exp(-z))),
        [batch, ...options.inputShape],
      ),
      noise: tf.tensor(
        normals("noise", batch * draws * options.latent),
        draws > 1 ? [batch, draws, options.latent] : [batch, options.latent],
      ),
      klWeight,
    };
    const [update] = autoencoding(network, { shape: options.inputShape, draws }).updates;
    const variables = update.variables.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(() => update.loss(inputs).loss, variables);
    expect(Math.abs((await value.data())[0] - fixture.loss) / fixture.loss).toBeLessThan(TOLERANCE);
    const gradients = await gradientSummaries(network.train, grads, fixture);
    const { name, error } = errorOf(gradients, fixture.gradients);
    expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
    tf.dispose([inputs.images, inputs.noise, value, grads]);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
