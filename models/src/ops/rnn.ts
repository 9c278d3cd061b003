import * as tf from "@tensorflow/tfjs-core";
import { differentiable, hasKernel, type Op, runKernel } from "./differentiable.ts";
import {
  at,
  carry,
  checkRecurrent,
  firstState,
  maskOf,
  overSteps,
  project,
  projectGradients,
  type RecurrentAttrs,
  type RecurrentInputs,
  stepsOf,
  within,
} from "./recurrence.ts";

export type RnnInputs = RecurrentInputs;
export interface RnnAttrs extends RecurrentAttrs {
  /** φ; tanh unless given */
  activation?: "tanh" | "relu";
}

/**
 * The simple recurrent network of a whole sequence (Elman 1990, "Finding structure in time").
 *
 *   a  = x W + h U + b        h of the step before; b is the sum of the two biases
 *   h′ = φ(a)                 φ = tanh, or ReLU
 *
 * Backward through time, from the last step to the first (Werbos 1990):
 *
 *   δh′ = ∂L/∂y + δh of the step after
 *   δa  = δh′ φ′(a)           φ′ = 1 − h′², or 1 where h′ > 0
 *   δh  = δa Uᵀ
 *
 *   ∂L/∂x = δa Wᵀ        ∂L/∂W = Σ xᵀ δa        ∂L/∂U = Σ hᵀ δa        ∂L/∂b = Σ δa        ∂L/∂h₀: the first step's δh
 *
 * x W and the sums are one product each for all steps; only the recursions go step by step.
 *
 * @param x [batch, time, in]  @param weightIh W [in, d]  @param weightHh U [d, d]
 * @param biasIh [d], optional  @param biasHh [d], optional
 * @param h0 [batch, d], optional  @param lengths int32 [batch], optional
 * @returns `all`: [y [batch, time, d], every h_t, 0 beyond a sequence's length; the last h [batch, d]]; both are
 *   differentiated
 * @throws InputError when shapes don't fit each other
 */
export const rnn: Op<RnnInputs, RnnAttrs> = differentiable("Rnn", {
  gradients: ["x", "weightIh", "weightHh", "biasIh", "biasHh", "h0"],
  outputs: 2,
  differentiated: 2,

  forward(inputs: RnnInputs, attrs: RnnAttrs) {
    checkRecurrent("rnn", 1, inputs);
    const { weightHh, biasIh, biasHh, lengths } = inputs;
    const projected = project(inputs, biasIh, biasHh); // [batch, time, d]
    const given = { projected, h0: firstState(inputs.h0, inputs), weightHh, lengths };
    const [y, h, before] = hasKernel("ZooRnnSteps") ? runKernel("ZooRnnSteps", given, attrs) : steps(given, attrs);
    return { output: [y, h], saved: { ...inputs, y, before } };
  },

  backward(dy, { y, before, ...inputs }, attrs, [dh]) {
    const { weightHh, biasHh, lengths } = inputs;
    const given = { dy, dh, y, weightHh, lengths };
    const [da, dh0] = hasKernel("ZooRnnStepsGrad")
      ? runKernel("ZooRnnStepsGrad", given, attrs)
      : stepsBackward(given, attrs);
    const { bias, ...gradients } = projectGradients(inputs, da);
    return {
      ...gradients,
      weightHh: overSteps(before, da), // [d, d]
      biasIh: bias, // [d]
      biasHh: bias && biasHh && tf.clone(bias),
      h0: dh0, // [batch, d]
    };
  },
});

interface Forward {
  /** x W + b [batch, time, d] */
  projected: tf.Tensor;
  h0: tf.Tensor;
  weightHh: tf.Tensor;
  lengths?: tf.Tensor;
}

/** @returns y, the last h, and the state before each step [batch, time, d] */
function steps({ projected, h0, weightHh, lengths }: Forward, { activation, reverse }: RnnAttrs): tf.Tensor[] {
  const [, time] = projected.shape;
  const mask = maskOf(lengths, time);
  const [before, states]: tf.Tensor[][] = [[], []];
  let h = h0; // [batch, d]
  for (const t of stepsOf(time, reverse)) {
    before[t] = h;
    const a = tf.add(at(projected, t), tf.matMul(h, weightHh)); // [batch, d]
    h = carry(mask, t, activation === "relu" ? tf.relu(a) : tf.tanh(a), h);
    states[t] = h;
  }
  return [within(mask, tf.stack(states, 1)), h, tf.stack(before, 1)];
}

interface Backward {
  dy: tf.Tensor;
  /** of the last h */
  dh: tf.Tensor;
  y: tf.Tensor;
  weightHh: tf.Tensor;
  lengths?: tf.Tensor;
}

/** @returns δa [batch, time, d], ∂L/∂h₀ */
function stepsBackward({ dy, dh: last, y, weightHh, lengths }: Backward, { activation, reverse }: RnnAttrs) {
  const [, time] = y.shape;
  const mask = maskOf(lengths, time);
  const slope = within(mask, activation === "relu" ? tf.step(y) : tf.sub(1, tf.square(y))); // [batch, time, d]
  const inside = within(mask, dy);
  const back = tf.transpose(weightHh);
  const changes: tf.Tensor[] = [];
  let dh = last; // [batch, d]
  for (const t of stepsOf(time, !reverse)) {
    changes[t] = tf.mul(tf.add(dh, at(inside, t)), at(slope, t)); // [batch, d]
    dh = carry(mask, t, tf.matMul(changes[t], back), dh);
  }
  return [tf.stack(changes, 1), dh];
}
