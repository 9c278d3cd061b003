import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type Random, randomStream } from "./random.ts";

/**
 * How wide a weight is: the inputs that one output sums over (fan in), and the outputs that one input reaches (fan out).
 *
 * @param shape [in, out], or [height, width, in, out] of a convolution
 */
export function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const receptive = shape.slice(0, -2).reduce((product, n) => product * n, 1);
  const [inputs, outputs] = shape.slice(-2);
  return { fanIn: receptive * inputs, fanOut: receptive * outputs };
}

/** Draws one weight of a given shape. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

const draw = (shape: readonly number[], sample: () => number): Float32Array =>
  Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, sample);

/** N(0, 2 / fan in) for ReLU networks (He et al. 2015, eq. 10; `mode` fanOut: eq. 14). */
export const heNormal =
  (mode: "fanIn" | "fanOut" = "fanIn"): Initializer =>
  (shape, random) => {
    const deviation = Math.sqrt(2 / fans(shape)[mode]);
    return draw(shape, () => deviation * random.normal());
  };

/** U(−a, a) with a = √(6 / (fan in + fan out)), for saturating units (Glorot & Bengio 2010, eq. 16). */
export const glorotUniform: Initializer = (shape, random) => {
  const { fanIn, fanOut } = fans(shape);
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return draw(shape, () => limit * (2 * random.uniform() - 1));
};

/** U(−a, a) with a = 1 / √fan in (LeCun et al. 1998, "Efficient backprop", sec. 4.6): PyTorch's default. */
export const lecunUniform: Initializer = (shape, random) => {
  const limit = 1 / Math.sqrt(fans(shape).fanIn);
  return draw(shape, () => limit * (2 * random.uniform() - 1));
};

/** N(0, σ²): what GPT-2 begins with (σ 0.02). */
export const normal =
  (deviation: number): Initializer =>
  (shape, random) =>
    draw(shape, () => deviation * random.normal());

/** N(0, σ²), cut off at 2 σ: what transformers begin with (σ 0.02). */
export const truncatedNormal =
  (deviation: number): Initializer =>
  (shape, random) =>
    draw(shape, () => {
      for (;;) {
        const z = random.normal();
        if (Math.abs(z) <= 2) return deviation * z;
      }
    });

/**
 * A convolution that passes on what it gets (Zagoruyko & Komodakis 2017, "DiracNets"): filter c < inChannels copies channel
 * c; what there are of others are `lecunUniform`.
 */
export const dirac: Initializer = (shape, random) => {
  const [height, width, inputs, outputs] = shape;
  const values = lecunUniform(shape, random);
  for (let place = 0; place < height * width * inputs; place++) {
    values.fill(0, place * outputs, place * outputs + Math.min(inputs, outputs));
  }
  const centre = ((height >> 1) * width + (width >> 1)) * inputs;
  for (let c = 0; c < Math.min(inputs, outputs); c++) values[(centre + c) * outputs + c] = 1;
  return values;
};

/** Which initializer a weight gets, by what it is; biases stay 0, batch norm 1 and 0, unless `constant` says otherwise. */
export interface Initialization {
  conv: Initializer;
  dense: Initializer;
  /** weights to fill with a constant: the value for a weight's full name, or undefined */
  constant?: (name: string) => number | undefined;
  /** the initializer of a weight that is unlike the others, by its full name */
  named?: (name: string) => Initializer | undefined;
}

/**
 * Fills a new model's weights. A weight's values depend on the seed and its name only, not on the other layers.
 *
 * @param seed null leaves them as they are
 * @returns the model
 */
export function initialize(model: tfl.LayersModel, seed: number | null, rule: Initialization): tfl.LayersModel {
  if (seed === null) return model;
  for (const variable of model.weights) {
    const { originalName: name, shape } = variable;
    const constant = rule.constant?.(name);
    const matrix = shape.length === 2 ? rule.dense : rule.conv;
    const draws = rule.named?.(name) ?? (shape.length < 2 ? undefined : matrix);
    if (constant === undefined && draws === undefined) continue;
    const size = tf.util.sizeFromShape(shape as number[]);
    const values =
      constant === undefined && draws
        ? draws(shape as number[], randomStream(seed, "weights", name))
        : new Float32Array(size).fill(constant as number);
    const tensor = tf.tensor(values, shape as number[]);
    variable.write(tensor);
    tensor.dispose();
  }
  return model;
}
