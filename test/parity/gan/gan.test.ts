/**
 * Our GANs against PyTorch in float64: the losses of both networks on a batch and every gradient, the penalty's too, whose
 * gradient is one of a gradient. The tolerance is that of parity.test.ts.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type DcganOptions, dcgan, type GanLossName, randomStream } from "@tfjs-zoo/models";
import { adversarial } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, fillNetwork, fixturesBeside, gradientSummaries, parityBackends, type Summaries } from "../fixture.ts";

const TOLERANCE = 1e-4;

interface Side {
  loss: number;
  gradients: Summaries;
}

/** What make_gan_fixtures.py wrote. */
interface Fixture {
  name: string;
  options: DcganOptions & Required<Pick<DcganOptions, "imageShape" | "latent">>;
  seed: number;
  batch: number;
  loss: GanLossName;
  penalty: number;
  discriminator: Side;
  generator: Side;
}

const fixtures = fixturesBeside<Fixture>(import.meta.url);

describe.each(parityBackends)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(fixtures)("$name has PyTorch's losses and gradients", async (fixture, { skip }) => {
    if (!starts) skip();
    const before = tf.memory().numTensors;
    const { options, loss, penalty } = fixture;
    const gan = dcgan({ ...options, seed: null });
    for (const side of ["generator", "discriminator"] as const) fillNetwork(gan[side], fixture);
    const inputs = given(fixture, (z, classes) => {
      return gan.generator.apply(classes ? [z, classes] : z, { training: true }) as tf.Tensor4D;
    });
    for (const update of adversarial(gan, options.imageShape, { loss, gradientPenalty: penalty }).updates) {
      const side = update.name as "generator" | "discriminator";
      const variables = update.variables.map((weight) => weight.read() as tf.Variable);
      const { value, grads } = tf.variableGrads(() => {
        const computed = update.loss(inputs);
        tf.dispose(computed.metrics);
        return computed.loss;
      }, variables);
      expect(Math.abs((await value.data())[0] / fixture[side].loss - 1), side).toBeLessThan(TOLERANCE);
      const gradients = await gradientSummaries(gan[side], grads, fixture);
      const { name, error } = errorOf(gradients, fixture[side].gradients);
      expect(error, `gradient of the ${side}'s ${name}`).toBeLessThan(TOLERANCE);
      tf.dispose([value, grads]);
    }
    tf.dispose(inputs);
    gan.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A batch of real images and noise, and what the generator makes of it. */
function given(
  { options, seed, batch, penalty }: Fixture,
  make: (z: tf.Tensor2D, classes?: tf.Tensor1D) => tf.Tensor4D,
) {
  const drawn = (what: string, shape: number[]) => {
    const random = randomStream(seed, "fixture", what);
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal());
    return tf.tensor(values, shape);
  };
  const { imageShape, latent, classes: kinds } = options;
  return tf.tidy(() => {
    const kind = (first: number) =>
      kinds === undefined
        ? undefined
        : tf.tensor1d(
            Array.from({ length: batch }, (_, i) => (first + i) % kinds),
            "int32",
          );
    const z = drawn("z", [batch, latent]) as tf.Tensor2D;
    const real = tf.tanh(drawn("images", [batch, ...imageShape])) as tf.Tensor4D;
    const [classes, fakeClasses] = [kind(0), kind(1)];
    const fake = make(z, fakeClasses);
    const share = tf.sigmoid(drawn("share", [batch, 1, 1, 1]));
    const between = tf.add(fake, tf.mul(share, tf.sub(real, fake))) as tf.Tensor4D;
    return {
      ...{ z, real, fake },
      ...(classes && fakeClasses && { classes, fakeClasses }),
      ...(penalty > 0 && { between }),
    };
  });
}
