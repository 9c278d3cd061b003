/**
 * Our U-Net of diffusion against one in PyTorch in float64: output, loss and every gradient, from noisy images that each
 * side makes by itself; one that is told classes too. The tolerance is that of parity.test.ts.
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  type NoiseScheduleName,
  noiseSchedule,
  ops,
  type Prediction,
  qSample,
  randomStream,
  targetOf,
  type UnetOptions,
  unet,
} from "@tfjs-zoo/models";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, fillNetwork, fixturesBeside, gradientSummaries, parityBackends, type Summaries } from "../fixture.ts";

const TOLERANCE = 1e-4;

/** What make_diffusion_fixtures.py wrote. */
interface Fixture {
  name: string;
  options: UnetOptions & Required<Pick<UnetOptions, "imageShape">>;
  seed: number;
  /** of each image */
  times: number[];
  /** the class of each image, the null class among them; null for a network that knows none */
  labels: number[] | null;
  prediction: Prediction;
  schedule: NoiseScheduleName;
  /** [batch · height · width · channels] */
  output: number[];
  loss: number;
  gradients: Summaries;
}

const fixtures = fixturesBeside<Fixture>(import.meta.url);

describe.each(parityBackends)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(fixtures)("$name: output, loss and gradients are PyTorch's", async (fixture, { skip }) => {
    if (!starts) skip();
    const before = tf.memory().numTensors;
    const model = unet({ ...fixture.options, dropout: 0, seed: null });
    fillNetwork(model, fixture);
    const { inputs, target } = given(fixture);
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    let output: tf.Tensor | undefined;
    const { value, grads } = tf.variableGrads(() => {
      output = tf.keep(model.apply(inputs, { training: true }) as tf.Tensor);
      return ops.squaredError({ prediction: output, target }, { reduction: "mean" }) as tf.Scalar;
    }, variables);
    expect(worstOf(await (output as tf.Tensor).data(), fixture.output)).toBeLessThan(TOLERANCE);
    expect(Math.abs((await value.data())[0] / fixture.loss - 1)).toBeLessThan(TOLERANCE);
    const gradients = await gradientSummaries(model, grads, fixture);
    const { name, error } = errorOf(gradients, fixture.gradients);
    expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
    tf.dispose([inputs, target, output as tf.Tensor, value, grads]);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** What the network is given, and what it is to say. */
function given({ options, seed, times, labels, prediction, schedule: name }: Fixture) {
  const shape = [times.length, ...options.imageShape];
  const drawn = (what: string) => {
    const random = randomStream(seed, "fixture", what);
    return tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
      shape,
    );
  };
  const schedule = noiseSchedule(name, 1000);
  return tf.tidy(() => {
    const [x0, noise] = [drawn("images"), drawn("noise")];
    const known = labels === null ? [] : [tf.tensor1d(labels, "int32")];
    const inputs = [qSample(schedule, x0, times, noise), tf.tensor1d(times, "int32"), ...known];
    return { inputs, target: targetOf(prediction, schedule, { x0, noise, t: times }) };
  });
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}
