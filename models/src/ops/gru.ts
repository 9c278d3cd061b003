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
import { sumToLastAxis } from "./sum-to-last-axis.ts";

export type GruInputs = RecurrentInputs;
export interface GruAttrs extends RecurrentAttrs {
  /**
   * where the reset gate acts: after the product with U, as in cuDNN, PyTorch and Keras, unless this is false; then
   * before it, as in the paper
   */
  resetAfter?: boolean;
}

/**
 * Gated recurrent unit of a whole sequence (Cho et al. 2014, "Learning phrase representations using RNN
 * encoder-decoder", eq. 5 to 8). W and U have PyTorch's order of gates, r, z, n.
 *
 *   r  = σ(x W_r + h U_r + b_r)                h of the step before; b_r and b_z are sums of the two biases
 *   z  = σ(x W_z + h U_z + b_z)
 *   n  = tanh(x W_n + b_n + r s)               s = h U_n + b′_n
 *   h′ = (1 − z) n + z h                       reset before: n = tanh(x W_n + (r h) U_n + b_n + b′_n)
 *
 * Backward through time, from the last step to the first:
 *
 *   δh′  = ∂L/∂y + δh of the step after
 *   δa_n = δh′ (1 − z) (1 − n²)
 *   δa_z = δh′ (h − n) z (1 − z)
 *   δa_r = δa_n s r (1 − r)                    reset before: δ(r h) h r (1 − r), with δ(r h) = δa_n U_nᵀ
 *   δs   = δa_n r
 *   δh   = δh′ z + [δa_r, δa_z, δs] Uᵀ         reset before: δh′ z + δ(r h) r + [δa_r, δa_z] U_rzᵀ
 *
 *   ∂L/∂x = δa Wᵀ        ∂L/∂W = Σ xᵀ δa        ∂L/∂U = Σ hᵀ [δa_r, δa_z, δs]        ∂L/∂h₀: the first step's δh
 *   ∂L/∂b = Σ δa         ∂L/∂b′_n = Σ δs        reset before: ∂L/∂U_n = Σ (r h)ᵀ δa_n, ∂L/∂b′_n = Σ δa_n
 *
 * x W and the sums are one product each for all steps; only the recursions go step by step.
 *
 * @param x [batch, time, in]  @param weightIh W [in, 3 d]  @param weightHh U [d, 3 d]
 * @param biasIh b [3 d], optional  @param biasHh b′ [3 d], optional
 * @param h0 [batch, d], optional  @param lengths int32 [batch], optional
 * @returns `all`: [y [batch, time, d], every h′, 0 beyond a sequence's length; the last h′ [batch, d]]; both are
 *   differentiated
 * @throws InputError when shapes don't fit each other
 */
export const gru: Op<GruInputs, GruAttrs> = differentiable("Gru", {
  gradients: ["x", "weightIh", "weightHh", "biasIh", "biasHh", "h0"],
  outputs: 2,
  differentiated: 2,

  forward(inputs: GruInputs, { resetAfter = true, reverse }: GruAttrs) {
    checkRecurrent("gru", 3, inputs);
    const { weightHh, biasIh, biasHh, lengths } = inputs;
    const projected = resetAfter ? project(inputs, biasIh) : project(inputs, biasIh, biasHh); // [batch, time, 3 d]
    const bias = resetAfter ? biasHh : undefined;
    const given = { projected, h0: firstState(inputs.h0, inputs), weightHh, bias, lengths };
    const attrs = { resetAfter, reverse };
    const [y, h, activations, before] = hasKernel("ZooGruSteps")
      ? runKernel("ZooGruSteps", given, attrs)
      : steps(given, attrs);
    return { output: [y, h], saved: { ...inputs, activations, before } };
  },

  backward(dy, { activations, before, ...inputs }, { resetAfter = true, reverse }, [dh]) {
    const { weightHh, biasHh, lengths } = inputs;
    const given = { dy, dh, activations, before, weightHh, lengths };
    const attrs = { resetAfter, reverse };
    const [dh0, da, ds] = hasKernel("ZooGruStepsGrad")
      ? runKernel("ZooGruStepsGrad", given, attrs)
      : stepsBackward(given, attrs);
    const { bias, ...gradients } = projectGradients(inputs, da);
    return {
      ...gradients,
      weightHh: resetAfter ? overSteps(before, ds) : resetBeforeGradient(da, activations, before), // [d, 3 d]
      biasIh: bias, // [3 d]
      biasHh: biasHh && (resetAfter ? sumToLastAxis(ds) : bias && tf.clone(bias)), // [3 d]
      h0: dh0, // [batch, d]
    };
  },
});

interface Forward {
  /** x W and the biases that are added to it [batch, time, 3 d] */
  projected: tf.Tensor;
  h0: tf.Tensor;
  weightHh: tf.Tensor;
  /** b′, where the reset gate acts on it [3 d] */
  bias?: tf.Tensor;
  lengths?: tf.Tensor;
}

/** @returns y, the last h′; then r, z, n, and s where there is one [batch, time, 3 d or 4 d], h [batch, time, d] */
function steps(given: Forward, { resetAfter, reverse }: GruAttrs): tf.Tensor[] {
  const { projected, h0, weightHh, bias, lengths } = given;
  const [, time] = projected.shape;
  const mask = maskOf(lengths, time);
  // [d, 3 d], or [d, 2 d] and [d, d]
  const [forGates, forCandidate] = resetAfter ? [weightHh] : splitCandidate(weightHh);
  const [before, states, activations]: tf.Tensor[][] = [[], [], []];
  let h = h0; // [batch, d]
  for (const t of stepsOf(time, reverse)) {
    before[t] = h;
    const [xr, xz, xn] = tf.split(at(projected, t), 3, -1); // [batch, d] each
    const fromH = tf.matMul(h, forGates); // [batch, 3 d or 2 d]
    const [hr, hz, s] = tf.split(bias === undefined ? fromH : tf.add(fromH, bias), resetAfter ? 3 : 2, -1);
    const r = tf.sigmoid(tf.add(xr, hr));
    const z = tf.sigmoid(tf.add(xz, hz));
    const n = tf.tanh(tf.add(xn, resetAfter ? tf.mul(r, s) : tf.matMul(tf.mul(r, h), forCandidate)));
    activations[t] = tf.concat(resetAfter ? [r, z, n, s] : [r, z, n], -1);
    h = carry(mask, t, tf.add(n, tf.mul(z, tf.sub(h, n))), h);
    states[t] = h;
  }
  return [within(mask, tf.stack(states, 1)), h, tf.stack(activations, 1), tf.stack(before, 1)];
}

interface Backward {
  dy: tf.Tensor;
  /** of the last h */
  dh: tf.Tensor;
  activations: tf.Tensor;
  before: tf.Tensor;
  weightHh: tf.Tensor;
  lengths?: tf.Tensor;
}

/**
 * All but the recursion is computed for all steps at once: how large the gradient of a gate's sum is when δh′ (reset
 * before, for r: δ(r h)) is 1.
 *
 * @returns ∂L/∂h₀, δa [batch, time, 3 d], and with the reset after the product [δa_r, δa_z, δs], as large
 */
function stepsBackward(given: Backward, { resetAfter, reverse }: GruAttrs): tf.Tensor[] {
  const { dy, activations, before, weightHh, lengths } = given;
  const [, time, d] = before.shape;
  const [, , saved] = activations.shape;
  const mask = maskOf(lengths, time);
  const [r, z, n, s] = tf.split(activations, saved / d, -1); // [batch, time, d] each
  const slopeN = within(mask, tf.mul(tf.sub(1, z), tf.sub(1, tf.square(n))));
  const slopeZ = within(mask, tf.mul(tf.sub(before, n), tf.mul(z, tf.sub(1, z))));
  const slopeSigmoid = tf.mul(r, tf.sub(1, r));
  const inside = within(mask, dy);

  const changes: tf.Tensor[] = [];
  const candidates: tf.Tensor[] = [];
  let dh = given.dh; // [batch, d]
  if (resetAfter) {
    const slopeR = tf.mul(slopeN, tf.mul(s, slopeSigmoid));
    const slopes = tf.concat([slopeR, slopeZ, tf.mul(slopeN, r)], -1); // [batch, time, 3 d]
    const back = tf.transpose(weightHh); // [3 d, d]
    for (const t of stepsOf(time, !reverse)) {
      const dhere = tf.add(dh, at(inside, t));
      candidates[t] = dhere;
      changes[t] = tf.mul(tf.concat([dhere, dhere, dhere], -1), at(slopes, t)); // [batch, 3 d]
      dh = carry(mask, t, tf.add(tf.mul(dhere, at(z, t)), tf.matMul(changes[t], back)), dh);
    }
    const ds = tf.stack(changes, 1); // [batch, time, 3 d]
    const [ofGates] = splitCandidate(ds); // [batch, time, 2 d]
    return [dh, tf.concat([ofGates, tf.mul(tf.stack(candidates, 1), slopeN)], -1), ds];
  }
  const slopeR = tf.mul(before, slopeSigmoid);
  const [gatesBack, candidateBack] = splitCandidate(weightHh).map((part) => tf.transpose(part)); // [2 d, d], [d, d]
  for (const t of stepsOf(time, !reverse)) {
    const dhere = tf.add(dh, at(inside, t));
    const dn = tf.mul(dhere, at(slopeN, t));
    const dreset = tf.matMul(dn, candidateBack); // δ(r h) [batch, d]
    const ofGates = tf.concat([tf.mul(dreset, at(slopeR, t)), tf.mul(dhere, at(slopeZ, t))], -1); // [batch, 2 d]
    const direct = tf.add(tf.mul(dhere, at(z, t)), tf.mul(dreset, at(r, t)));
    changes[t] = tf.concat([ofGates, dn], -1); // [batch, 3 d]
    dh = carry(mask, t, tf.add(direct, tf.matMul(ofGates, gatesBack)), dh);
  }
  return [dh, tf.stack(changes, 1)];
}

/** ∂L/∂U where the reset gate acts before the product: [d, 3 d] */
function resetBeforeGradient(da: tf.Tensor, activations: tf.Tensor, before: tf.Tensor): tf.Tensor {
  const [ofGates, ofCandidate] = splitCandidate(da); // [batch, time, 2 d], [batch, time, d]
  const [r] = tf.split(activations, 3, -1);
  return tf.concat([overSteps(before, ofGates), overSteps(tf.mul(r, before), ofCandidate)], -1);
}

/** What is of r and z, and what is of n: [..., 3 d] -> [..., 2 d], [..., d] */
function splitCandidate(x: tf.Tensor): tf.Tensor[] {
  const d = x.shape[x.rank - 1] / 3;
  return tf.split(x, [2 * d, d], -1);
}
