import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { dense } from "./dense.ts";
import type { Tensors } from "./differentiable.ts";

/** What every recurrent cell gets; W and U are weightIh and weightHh, and a cell has so many gates of d units. */
export type RecurrentInputs = {
  /** [batch, time, in] */
  x: tf.Tensor;
  /** W [in, gates · d] */
  weightIh: tf.Tensor;
  /** U [d, gates · d] */
  weightHh: tf.Tensor;
  /** [gates · d] */
  biasIh?: tf.Tensor;
  /** [gates · d] */
  biasHh?: tf.Tensor;
  /** the state to begin with [batch, d]; zeros unless given */
  h0?: tf.Tensor;
  /**
   * how many steps of each sequence count, int32 [batch]: beyond them the state stays what it was, and outputs are 0.
   * All of them unless given; so is what exceeds `time`
   */
  lengths?: tf.Tensor;
};

export interface RecurrentAttrs {
  /** from the end of each sequence to its beginning */
  reverse?: boolean;
}

/** The steps in the order in which they are taken. */
export function stepsOf(time: number, reverse = false): number[] {
  const steps = Array.from({ length: time }, (_, t) => t);
  return reverse ? steps.reverse() : steps;
}

/** One step of a sequence: [batch, time, d] -> [batch, d] */
export function at(x: tf.Tensor, t: number): tf.Tensor {
  const [batch, , d] = x.shape;
  return tf.reshape(tf.slice(x, [0, t, 0], [batch, 1, d]), [batch, d]);
}

/** All steps of a sequence: [batch, time, d] -> [batch, d] each. (tf.unstack's gradient throws where there is one.) */
export function eachStep(x: tf.Tensor): tf.Tensor[] {
  return x.shape[1] === 1 ? [tf.squeeze(x, [1])] : tf.unstack(x, 1);
}

/** 1 within a sequence and 0 beyond its end: [batch] -> [batch, time, 1]. Undefined where nothing is beyond. */
export function maskOf(lengths: tf.Tensor | undefined, time: number): tf.Tensor | undefined {
  if (lengths === undefined) return undefined;
  const left = tf.sub(tf.reshape(tf.cast(lengths, "float32"), [-1, 1]), tf.range(0, time)); // [batch, time]
  return tf.expandDims(tf.clipByValue(left, 0, 1), 2);
}

/** x where it is within its sequence, and 0 beyond: [batch, time, d] -> the same */
export function within(mask: tf.Tensor | undefined, x: tf.Tensor): tf.Tensor {
  return mask === undefined ? x : tf.mul(x, mask);
}

/** What a step leaves: `next` within a sequence, `before` beyond its end. [batch, d] -> the same */
export function carry(mask: tf.Tensor | undefined, t: number, next: tf.Tensor, before: tf.Tensor): tf.Tensor {
  if (mask === undefined) return next;
  const inside = at(mask, t); // [batch, 1]
  return tf.add(tf.mul(next, inside), tf.mul(before, tf.sub(1, inside)));
}

/** x W + b for all steps at once: [batch, time, in] -> [batch, time, gates · d] */
export function project({ x, weightIh: weight }: RecurrentInputs, ...biases: (tf.Tensor | undefined)[]): tf.Tensor {
  const given = biases.filter((bias) => bias !== undefined);
  const bias = given.length === 0 ? undefined : given.reduce((a, b) => tf.add(a, b)); // [gates · d]
  return dense({ x, weight, bias });
}

/**
 * The gradients of what `project` gets: ∂L/∂x = δa Wᵀ, ∂L/∂W = Σ_t x_tᵀ δa_t, ∂L/∂b = Σ_t δa_t.
 *
 * @param da δa, the gradient of what it returned [batch, time, gates · d]
 */
export function projectGradients({ x, weightIh: weight, biasIh, biasHh }: RecurrentInputs, da: tf.Tensor) {
  const gradients = dense.backward(da, { x, weight, bias: biasIh ?? biasHh });
  return { x: gradients.x, weightIh: gradients.weight, bias: gradients.bias };
}

/** Σ_t a_tᵀ b_t: [batch, time, m], [batch, time, n] -> [m, n] */
export function overSteps(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const [[, , m], [, , n]] = [a.shape, b.shape];
  return tf.matMul(tf.reshape(a, [-1, m]), tf.reshape(b, [-1, n]), true, false);
}

/** The state that a sequence begins with: what was given, or zeros [batch, d]. */
export function firstState(state: tf.Tensor | undefined, { x, weightHh }: RecurrentInputs): tf.Tensor {
  return state ?? tf.zeros([x.shape[0], weightHh.shape[0]]);
}

/**
 * @param op for the message
 * @param further the shapes that inputs of this cell alone must have
 * @throws InputError when shapes don't fit each other, or there are no steps
 */
export function checkRecurrent<I extends RecurrentInputs>(
  op: string,
  gates: number,
  inputs: I,
  further: { [input: string]: number[] } = {},
): void {
  const { x, weightHh } = inputs;
  const [batch, time, inSize] = x.shape;
  const [d] = weightHh.shape;
  const bias = [gates * d];
  const expected: { [input: string]: number[] } = {
    ...{ weightIh: [inSize, gates * d], weightHh: [d, gates * d], biasIh: bias, biasHh: bias },
    ...{ h0: [batch, d], lengths: [batch], ...further },
  };
  if (x.rank !== 3 || time === 0) throw new InputError(`${op} got x [${x.shape}]; expected [batch, time, in]`);
  for (const [name, shape] of Object.entries(expected)) {
    const tensor = (inputs as Tensors)[name];
    if (tensor === undefined || tf.util.arraysEqual(tensor.shape, shape)) continue;
    throw new InputError(
      `${op} got ${name} [${tensor.shape}]; expected [${shape}] with x [${x.shape}], ${d} unit(s) and ${gates} gate(s)`,
    );
  }
}
