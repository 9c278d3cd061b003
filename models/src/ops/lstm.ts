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

export type LstmInputs = RecurrentInputs & {
  /** the cell to begin with [batch, d]; zeros unless given */
  c0?: tf.Tensor;
  /** p_i, p_f and p_o [3, d]: what the gates see of the cell; with coupled gates p_i and p_o [2, d] */
  peephole?: tf.Tensor;
};
export interface LstmAttrs extends RecurrentAttrs {
  /** f = 1 − i: what is written takes the place of what is forgotten, and there are three gates, i, g, o */
  coupled?: boolean;
}

/**
 * Long short-term memory of a whole sequence (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000; peepholes:
 * Gers et al. 2002; coupled gates: Greff et al. 2017, "LSTM: a search space odyssey"). W and U have PyTorch's order of
 * gates, i, f, g, o.
 *
 *   i  = σ(x W_i + h U_i + b_i + p_i c)        h and c of the step before; b is the sum of the two biases
 *   f  = σ(x W_f + h U_f + b_f + p_f c)        coupled: f = 1 − i
 *   g  = tanh(x W_g + h U_g + b_g)
 *   c′ = f c + i g
 *   o  = σ(x W_o + h U_o + b_o + p_o c′)
 *   h′ = o tanh c′
 *
 * Backward through time, from the last step to the first (Greff et al., sec. II-B):
 *
 *   δh′  = ∂L/∂y + δh of the step after
 *   δa_o = δh′ tanh(c′) o (1 − o)
 *   δc′  = δh′ o (1 − tanh² c′) + δa_o p_o + δc of the step after
 *   δa_i = δc′ g i (1 − i)                     coupled: δc′ (g − c) i (1 − i)
 *   δa_f = δc′ c f (1 − f)
 *   δa_g = δc′ i (1 − g²)
 *   δh   = δa Uᵀ                               δc = δc′ f + δa_i p_i + δa_f p_f
 *
 *   ∂L/∂x = δa Wᵀ        ∂L/∂W = Σ xᵀ δa        ∂L/∂U = Σ hᵀ δa        ∂L/∂b = Σ δa
 *   ∂L/∂p_i = Σ c δa_i   ∂L/∂p_f = Σ c δa_f     ∂L/∂p_o = Σ c′ δa_o    ∂L/∂h₀, ∂L/∂c₀: the first step's δh, δc
 *
 * x W and the sums are one product each for all steps; only the recursions go step by step.
 *
 * @param x [batch, time, in]  @param weightIh W [in, 4 d]  @param weightHh U [d, 4 d]; coupled: 3 d, here and below
 * @param biasIh [4 d], optional  @param biasHh [4 d], optional  @param peephole [3, d], optional; coupled: [2, d]
 * @param h0 [batch, d], optional  @param c0 [batch, d], optional  @param lengths int32 [batch], optional
 * @returns `all`: [y [batch, time, d], every h′, 0 beyond a sequence's length; the last h′ and c′ [batch, d]]; all are
 *   differentiated
 * @throws InputError when shapes don't fit each other
 */
export const lstm: Op<LstmInputs, LstmAttrs> = differentiable("Lstm", {
  gradients: ["x", "weightIh", "weightHh", "biasIh", "biasHh", "peephole", "h0", "c0"],
  outputs: 3,
  differentiated: 3,

  forward(inputs: LstmInputs, attrs: LstmAttrs) {
    const { weightHh, biasIh, biasHh, peephole, lengths } = inputs;
    const [h0, c0] = [firstState(inputs.h0, inputs), firstState(inputs.c0, inputs)]; // [batch, d] each
    const gates = attrs.coupled ? 3 : 4;
    checkRecurrent("lstm", gates, inputs, { c0: h0.shape, peephole: [gates - 1, weightHh.shape[0]] });
    const given = { projected: project(inputs, biasIh, biasHh), h0, c0, weightHh, peephole, lengths };
    const [y, h, c, activations, hBefore, cBefore] = hasKernel("ZooLstmSteps")
      ? runKernel("ZooLstmSteps", given, attrs)
      : steps(given, attrs);
    return { output: [y, h, c], saved: { ...inputs, activations, hBefore, cBefore } };
  },

  backward(dy, { activations, hBefore, cBefore, ...inputs }, attrs, [dh, dc]) {
    const { weightHh, biasHh, peephole, lengths } = inputs;
    const given = { dy, dh, dc, activations, cBefore, weightHh, peephole, lengths };
    const [da, dh0, dc0] = hasKernel("ZooLstmStepsGrad")
      ? runKernel("ZooLstmStepsGrad", given, attrs)
      : stepsBackward(given, attrs);
    const { bias, ...gradients } = projectGradients(inputs, da);
    return {
      ...gradients,
      weightHh: overSteps(hBefore, da), // [d, 4 d]
      biasIh: bias, // [4 d]
      biasHh: bias && biasHh && tf.clone(bias),
      peephole: peephole && peepholeGradient(da, cellsOf(given, attrs), attrs), // [3, d]
      h0: dh0, // [batch, d]
      c0: dc0, // [batch, d]
    };
  },
});

interface Forward {
  /** x W + b [batch, time, 4 d] */
  projected: tf.Tensor;
  h0: tf.Tensor;
  c0: tf.Tensor;
  weightHh: tf.Tensor;
  peephole?: tf.Tensor;
  lengths?: tf.Tensor;
}

/** @returns y, the last h and c; then i, f, g, o [batch, time, 4 d], h and c before each step [batch, time, d] */
function steps(given: Forward, { coupled, reverse }: LstmAttrs): tf.Tensor[] {
  const { projected, h0, c0, weightHh, peephole, lengths } = given;
  const [, time] = projected.shape;
  const mask = maskOf(lengths, time);
  const p = peepholesOf(peephole, coupled);
  const [states, activations, hBefore, cBefore]: tf.Tensor[][] = [[], [], [], []];
  let [h, c] = [h0, c0]; // [batch, d] each
  for (const t of stepsOf(time, reverse)) {
    [hBefore[t], cBefore[t]] = [h, c];
    const { ai, af, ag, ao } = gatesOf(tf.add(at(projected, t), tf.matMul(h, weightHh)), coupled); // [batch, d] each
    const i = tf.sigmoid(seeing(ai, p.i, c));
    const f = af === undefined ? tf.sub(1, i) : tf.sigmoid(seeing(af, p.f, c));
    const g = tf.tanh(ag);
    const next = tf.add(tf.mul(f, c), tf.mul(i, g));
    const o = tf.sigmoid(seeing(ao, p.o, next));
    h = carry(mask, t, tf.mul(o, tf.tanh(next)), h);
    c = carry(mask, t, next, c);
    states[t] = h;
    activations[t] = tf.concat(coupled ? [i, g, o] : [i, f, g, o], -1); // [batch, 4 d]
  }
  const y = within(mask, tf.stack(states, 1)); // [batch, time, d]
  return [y, h, c, tf.stack(activations, 1), tf.stack(hBefore, 1), tf.stack(cBefore, 1)];
}

interface Saved {
  activations: tf.Tensor;
  cBefore: tf.Tensor;
  weightHh: tf.Tensor;
  peephole?: tf.Tensor;
  lengths?: tf.Tensor;
}

/**
 * All but the recursions is computed for all steps at once: how large the gradient of a gate's sum is when that of c′
 * (for o: of h′) is 1.
 *
 * @returns δa [batch, time, 4 d], ∂L/∂h₀, ∂L/∂c₀
 */
function stepsBackward(given: Saved & { dy: tf.Tensor; dh: tf.Tensor; dc: tf.Tensor }, attrs: LstmAttrs): tf.Tensor[] {
  const { dy, weightHh, peephole, lengths } = given;
  const [, time] = dy.shape;
  const mask = maskOf(lengths, time);
  const p = peepholesOf(peephole, attrs.coupled);
  const { i, f, g, o, c, before } = cellsOf(given, attrs); // [batch, time, d] each
  const squashed = tf.tanh(c);
  const slopeI = tf.mul(attrs.coupled ? tf.sub(g, before) : g, tf.mul(i, tf.sub(1, i)));
  const slopeF = tf.mul(before, tf.mul(f, tf.sub(1, f)));
  const slopeG = tf.mul(i, tf.sub(1, tf.square(g)));
  const slopeO = tf.mul(squashed, tf.mul(o, tf.sub(1, o)));
  const ofGates = attrs.coupled ? [slopeI, slopeG, slopeO] : [slopeI, slopeF, slopeG, slopeO];
  const slopes = within(mask, tf.concat(ofGates, -1)); // [batch, time, 4 d]
  const ofH = within(mask, seeing(tf.mul(o, tf.sub(1, tf.square(squashed))), p.o, slopeO)); // ∂h′/∂c′
  const kept = seeing(seeing(f, p.i, slopeI), p.f, slopeF); // ∂c′/∂c
  const inside = within(mask, dy);
  const back = tf.transpose(weightHh); // [4 d, d]

  const changes: tf.Tensor[] = [];
  let { dh, dc } = given; // [batch, d] each
  for (const t of stepsOf(time, !attrs.reverse)) {
    const dhere = tf.add(dh, at(inside, t));
    const dcell = tf.add(dc, tf.mul(dhere, at(ofH, t)));
    const ofCell = attrs.coupled ? [dcell, dcell] : [dcell, dcell, dcell];
    changes[t] = tf.mul(tf.concat([...ofCell, dhere], -1), at(slopes, t)); // [batch, 4 d]
    dh = carry(mask, t, tf.matMul(changes[t], back), dh);
    dc = carry(mask, t, tf.mul(dcell, at(kept, t)), dc);
  }
  return [tf.stack(changes, 1), dh, dc];
}

/** The activations of all steps, and c after (c) and before each: [batch, time, d] each. */
function cellsOf({ activations, cBefore: before }: Pick<Saved, "activations" | "cBefore">, { coupled }: LstmAttrs) {
  const { ai: i, af, ag: g, ao: o } = gatesOf(activations, coupled);
  const f = af ?? tf.sub(1, i);
  return { i, f, g, o, c: tf.add(tf.mul(f, before), tf.mul(i, g)), before };
}

/** [d] each: Σ c δa_i, Σ c δa_f and Σ c′ δa_o over batch and steps, as [3, d] */
function peepholeGradient(da: tf.Tensor, { c, before }: ReturnType<typeof cellsOf>, { coupled }: LstmAttrs): tf.Tensor {
  const { ai, af, ao } = gatesOf(da, coupled);
  const along = (change: tf.Tensor, cell: tf.Tensor) => tf.sum(tf.mul(change, cell), [0, 1]);
  return tf.stack([along(ai, before), ...(af === undefined ? [] : [along(af, before)]), along(ao, c)]);
}

/** The parts of a row of gates; there is no f where it is coupled: [..., 4 d] -> [..., d] each */
function gatesOf(a: tf.Tensor, coupled = false): { ai: tf.Tensor; af?: tf.Tensor; ag: tf.Tensor; ao: tf.Tensor } {
  const parts = tf.split(a, coupled ? 3 : 4, -1);
  const [ai, ag, ao] = coupled ? parts : [parts[0], parts[2], parts[3]];
  return { ai, af: coupled ? undefined : parts[1], ag, ao };
}

/** [d] each, or none. */
function peepholesOf(peephole?: tf.Tensor, coupled = false): { i?: tf.Tensor; f?: tf.Tensor; o?: tf.Tensor } {
  if (peephole === undefined) return {};
  const [i, ...others] = tf.unstack(peephole);
  return coupled ? { i, o: others[0] } : { i, f: others[0], o: others[1] };
}

/** a + p c, where there is a peephole p [d]: [..., d] -> the same */
const seeing = (a: tf.Tensor, p: tf.Tensor | undefined, c: tf.Tensor): tf.Tensor =>
  p === undefined ? a : tf.add(a, tf.mul(p, c));
