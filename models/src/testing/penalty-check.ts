import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import {
  AvgPool2D,
  Conv2D,
  type Conv2DConfig,
  Dense,
  Elu,
  Flatten,
  GlobalAvgPool2D,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  LeakyReLU,
  Silu,
} from "../layers/index.ts";
import { gradientPenalty } from "../ops/index.ts";
import { type Random, randomStream } from "../random.ts";
import type { Array64, Inputs64 } from "./array64.ts";
import { gradient64, largest, relativeError, secondGradients64 } from "./numeric.ts";
import { textbook } from "./textbook/index.ts";

/** A layer, and the op's textbook that says in doubles what it does; weights have the names of the op's inputs. */
interface Stage {
  readonly layer: tfl.layers.Layer;
  readonly op: string;
  readonly attrs?: object;
  /** names of the op's inputs, in the order of the layer's weights */
  readonly weights?: readonly string[];
  /** Whether the op has a kink at 0, from which its input has to keep away. */
  readonly kinked?: true;
}

const conv2d = (config: Conv2DConfig): Stage => ({
  layer: new Conv2D(config),
  op: "Conv2D",
  attrs: config,
  weights: ["filter", "bias"],
});
const dense = (units: number): Stage => ({ layer: new Dense({ units }), op: "Dense", weights: ["weight", "bias"] });
const leakyRelu = (): Stage => ({
  layer: new LeakyReLU({ slope: 0.2 }),
  op: "LeakyRelu",
  attrs: { slope: 0.2 },
  kinked: true,
});

/** Critics of the layers that WGAN-GP's are made of, and what they see. */
const critics: { readonly [name: string]: { shape: readonly number[]; stages(): Stage[] } } = {
  "strided convolutions, instance norm, leaky ReLU": {
    shape: [5, 4, 2],
    stages: () => [
      conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 1 }),
      leakyRelu(),
      conv2d({ filters: 2, kernelSize: 2, padding: 1 }),
      {
        layer: new InstanceNorm({ affine: true }),
        op: "GroupNorm",
        attrs: { groups: 2 },
        weights: ["gamma", "beta"],
      },
      leakyRelu(),
      { layer: new Flatten({}), op: "Flatten" },
      dense(1),
    ],
  },
  "group norm, SiLU, average and global pooling": {
    shape: [4, 4, 2],
    stages: () => [
      conv2d({ filters: 4, kernelSize: 3, padding: 1 }),
      { layer: new GroupNorm({ groups: 2 }), op: "GroupNorm", attrs: { groups: 2 }, weights: ["gamma", "beta"] },
      { layer: new Silu(), op: "Silu" },
      { layer: new AvgPool2D({ poolSize: 2 }), op: "AvgPool2D", attrs: { poolSize: 2 } },
      conv2d({ filters: 3, kernelSize: 1 }),
      { layer: new Silu(), op: "Silu" },
      { layer: new GlobalAvgPool2D(), op: "GlobalAvgPool2D" },
      dense(1),
    ],
  },
  "layer norm, ELU, dense layers": {
    shape: [6],
    stages: () => [
      dense(5),
      { layer: new LayerNorm(), op: "LayerNorm", weights: ["gamma", "beta"] },
      { layer: new Elu(), op: "Elu", kinked: true },
      dense(1),
    ],
  },
};

/** What the check of one critic found. */
export interface PenaltyCheck {
  critic: string;
  /** of the penalty, and of its gradient for each weight, as the gradient check measures them */
  errors: { [what: string]: number };
  /** tensors left behind */
  left: number;
}

/**
 * The gradient penalty of small critics and its gradients for all weights, a gradient of a gradient, on the backend in
 * use, against doubles: ∂D/∂x by central differences of the textbooks, and the gradients by mixed second ones.
 */
export async function* checkPenalties(seed: number): AsyncGenerator<PenaltyCheck> {
  for (const critic of Object.keys(critics)) yield await checkPenalty(critic, seed);
}

const BATCH = 3;

async function checkPenalty(critic: string, seed: number): Promise<PenaltyCheck> {
  const { shape, stages } = critics[critic];
  const list = stages();
  const input = tfl.input({ shape: [...shape] });
  const output = list.reduce((x, { layer }) => layer.apply(x) as tfl.SymbolicTensor, input);
  const model = tfl.model({ inputs: input, outputs: output });
  const inputs = awayFromKinks(list, [BATCH, ...shape], randomStream(seed, "penalty", critic));
  const variables = list.flatMap(({ layer, weights = [] }, i) =>
    weights.map((name, k) => ({ name: `${i}.${name}`, variable: layer.weights[k] })),
  );
  for (const { name, variable } of variables) {
    const value = tensorOf(inputs[name]);
    variable.write(value);
    value.dispose();
  }
  const run = async () => {
    const x = tensorOf(inputs.x);
    const weights = variables.map(({ variable }) => variable.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(
      () => gradientPenalty((at) => model.apply(at, { training: true }) as tf.Tensor, x),
      weights,
    );
    // What the slope does not depend on, as the last bias, has no gradient.
    const numbers = weights.map(({ name, size }) => grads[name]?.data() ?? new Float32Array(size));
    const result = { value: await value.data(), gradients: await Promise.all(numbers) };
    tf.dispose([x, value, grads]);
    return result;
  };
  await run(); // a first run may fill caches that stay
  const before = tf.memory().numTensors;
  const actual = await run();
  const left = tf.memory().numTensors - before;
  model.dispose();

  const expected = penalty64(list, inputs);
  const scale = Math.max(...Object.values(expected.gradients).map(largest));
  const errors: PenaltyCheck["errors"] = { penalty: relativeError(actual.value, [expected.value], expected.value) };
  for (const [i, { name }] of variables.entries()) {
    errors[name] = relativeError(actual.gradients[i], expected.gradients[name], scale);
  }
  return { critic, errors, left };
}

/** The penalty and its gradients for all inputs but x, in doubles. */
function penalty64(list: readonly Stage[], inputs: Inputs64) {
  const score = (at: Inputs64): Array64[] => [scored(list, at)];
  const ones = Float64Array.from({ length: BATCH }, () => 1);
  const slope = gradient64(score, inputs, {}, "x", [ones]);
  const size = slope.length / BATCH;
  const norms = Array.from({ length: BATCH }, (_, n) => Math.hypot(...slope.subarray(n * size, (n + 1) * size)));
  // ∂L/∂w = Σ_n 2 (‖gₙ‖ − 1) / N ‖gₙ‖ · gₙ ∂gₙ/∂w: the derivative for w of D's derivative along this direction.
  const along = slope.map((g, i) => {
    const norm = norms[Math.floor(i / size)];
    return (2 * (norm - 1) * g) / (BATCH * norm);
  });
  const weights = Object.keys(inputs).filter((name) => name !== "x");
  const value = norms.reduce((sum, norm) => sum + (norm - 1) ** 2, 0) / BATCH;
  return { value, gradients: secondGradients64(score, inputs, {}, "x", weights, [ones], along) };
}

/** D(x) [batch, 1] in doubles; `seen` is called with what each op with a kink gets. */
function scored(list: readonly Stage[], inputs: Inputs64, seen?: (x: Array64) => void): Array64 {
  return list.reduce((x, { op, attrs = {}, weights = [], kinked }, i) => {
    if (kinked) seen?.(x);
    const own = Object.fromEntries(weights.map((name) => [name, inputs[`${i}.${name}`]]));
    return textbook[op]({ x, ...own }, attrs)[0];
  }, inputs.x);
}

/** Random x and weights for which nothing is near a kink. */
function awayFromKinks(list: readonly Stage[], shape: readonly number[], random: Random): Inputs64 {
  const filled = (size: readonly number[], deviation: number): Array64 => ({
    shape: size,
    values: Float64Array.from({ length: tf.util.sizeFromShape([...size]) }, () =>
      Math.fround(deviation * random.normal()),
    ),
  });
  for (;;) {
    const weights = list.flatMap(({ layer, weights: names = [] }, i) =>
      names.map((name, k) => [`${i}.${name}`, filled(layer.weights[k].shape as number[], 0.7)]),
    );
    const inputs: Inputs64 = { x: filled(shape, 1), ...Object.fromEntries(weights) };
    let nearest = Number.POSITIVE_INFINITY;
    scored(list, inputs, ({ values }) => {
      for (const value of values) nearest = Math.min(nearest, Math.abs(value));
    });
    if (nearest > 0.05) return inputs;
  }
}

const tensorOf = ({ values, shape }: Array64): tf.Tensor => tf.tensor(Float32Array.from(values), [...shape]);
