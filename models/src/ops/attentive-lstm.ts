import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { look, lookBackward } from "./additive-attention.ts";
import { dense } from "./dense.ts";
import { differentiable, hasKernel, type Op, runKernel, type Tensors } from "./differentiable.ts";
import { at, overSteps } from "./recurrence.ts";

export type AttentiveLstmInputs = {
  x: tf.Tensor;
  weightIh: tf.Tensor;
  weightHh: tf.Tensor;
  biasIh: tf.Tensor;
  biasHh: tf.Tensor;
  queryWeight: tf.Tensor;
  queryBias: tf.Tensor;
  v: tf.Tensor;
  keys: tf.Tensor;
  values: tf.Tensor;
  h0: tf.Tensor;
  c0: tf.Tensor;
  lengths?: tf.Tensor;
};

/**
 * An LSTM that looks at a memory before each step, and reads what it saw beside x, for a whole sequence: the decoder of
 * Bahdanau, Cho & Bengio (2015, sec. 3.1 and A.1.2), with the cell of `lstm` and the attention of `additiveAttention`.
 *
 *   q  = h W_q + b_q                       h and c of the step before
 *   z  = attention(q, keys, v, values)     what it sees
 *   a  = x W + z C + h U + b               C are the last rows of weightIh, W those before; b is the sum of two biases
 *   h′, c′ as `lstm`'s, of a = [a_i a_f a_g a_o]
 *
 * Backward through time, with δa of `lstm`, from the last step to the first:
 *
 *   δz = ∂L/∂z + δa Cᵀ        δq, ∂L/∂keys, ∂L/∂v, ∂L/∂values of δz as `additiveAttention`'s, the last three summed over steps
 *   δh = δa Uᵀ + δq W_qᵀ
 *
 *   ∂L/∂x = δa Wᵀ        ∂L/∂W = Σ xᵀ δa     ∂L/∂C = Σ zᵀ δa     ∂L/∂U = Σ hᵀ δa     ∂L/∂b = Σ δa
 *   ∂L/∂W_q = Σ hᵀ δq    ∂L/∂b_q = Σ δq      ∂L/∂h₀, ∂L/∂c₀: the first step's δh, δc
 *
 * x W and the sums are one product each for all steps; only the recursions go step by step.
 *
 * @param x [batch, time, e]  @param weightIh [e + m, 4 d], of x and of what is seen  @param weightHh U [d, 4 d]
 * @param biasIh [4 d]  @param biasHh [4 d]  @param queryWeight W_q [d, k]  @param queryBias [k]  @param v [k]
 * @param keys [batch, places, k]  @param values [batch, places, m]  @param h0 [batch, d]  @param c0 [batch, d]
 * @param lengths int32 [batch], optional: of row n, places from lengths[n] on are masked
 * @returns `all`: [every h′ [batch, time, d], every z [batch, time, m], and where each step looked [batch, time, places],
 *   which has no gradient]
 * @throws InputError when shapes don't fit each other
 */
export const attentiveLstm: Op<AttentiveLstmInputs, object> = differentiable("AttentiveLstm", {
  gradients: [
    ...(["x", "weightIh", "weightHh", "biasIh", "biasHh", "queryWeight", "queryBias", "v"] as const),
    ...(["keys", "values", "h0", "c0"] as const),
  ],
  outputs: 3,
  differentiated: 2,

  forward(inputs: AttentiveLstmInputs) {
    checkAttentive(inputs);
    const { x, biasIh, biasHh, queryWeight, queryBias, keys, v, values, h0, c0, lengths } = inputs;
    const { weightX, weight } = partsOf(inputs);
    const projected = dense({ x, weight: weightX, bias: tf.add(biasIh, biasHh) }); // [batch, time, 4 d]
    const given = { projected, h0, c0, weight, queryWeight, queryBias, keys, v, values, lengths };
    const [y, seen, looked, ...kept] = hasKernel("ZooAttentiveLstmSteps")
      ? runKernel("ZooAttentiveLstmSteps", given, {})
      : steps(given);
    const [activations, hBefore, cBefore, queries] = kept;
    return { output: [y, seen, looked], saved: { ...inputs, seen, looked, activations, hBefore, cBefore, queries } };
  },

  backward(dy, { seen, looked, activations, hBefore, cBefore, queries, ...inputs }, _, [dseen]) {
    const { x, biasIh, queryWeight, keys, v, values } = inputs;
    const { weightX, weight } = partsOf(inputs as AttentiveLstmInputs);
    const given = { dy, dseen, activations, cBefore, looked, queries, weight, queryWeight, keys, v, values };
    const [da, dq, dkeys, dv, dvalues, dh0, dc0] = hasKernel("ZooAttentiveLstmStepsGrad")
      ? runKernel("ZooAttentiveLstmStepsGrad", given, {})
      : stepsBackward(given);
    const ofX = dense.backward(da, { x, weight: weightX, bias: biasIh });
    const bias = ofX.bias as tf.Tensor; // [4 d]
    return {
      x: ofX.x, // [batch, time, e]
      weightIh: tf.concat([ofX.weight as tf.Tensor, overSteps(seen, da)], 0), // [e + m, 4 d]
      weightHh: overSteps(hBefore, da), // [d, 4 d]
      biasIh: bias,
      biasHh: tf.clone(bias),
      queryWeight: overSteps(hBefore, dq), // [d, k]
      queryBias: tf.sum(dq, [0, 1]), // [k]
      v: dv, // [k]
      keys: dkeys, // [batch, places, k]
      values: dvalues, // [batch, places, m]
      h0: dh0, // [batch, d]
      c0: dc0, // [batch, d]
    };
  },
});

/** W [e, 4 d], and C above U [m + d, 4 d]. */
function partsOf({ x, weightIh, weightHh }: Pick<AttentiveLstmInputs, "x" | "weightIh" | "weightHh">) {
  const e = x.shape[2] as number;
  const [weightX, weightC] = tf.split(weightIh, [e, weightIh.shape[0] - e], 0);
  return { weightX, weight: tf.concat([weightC, weightHh], 0) };
}

interface Memory {
  queryWeight: tf.Tensor;
  keys: tf.Tensor;
  v: tf.Tensor;
  values: tf.Tensor;
  /** C above U [m + d, 4 d] */
  weight: tf.Tensor;
}

type Forward = Memory & {
  /** x W + b [batch, time, 4 d] */
  projected: tf.Tensor;
  h0: tf.Tensor;
  c0: tf.Tensor;
  queryBias: tf.Tensor;
  lengths?: tf.Tensor;
};

/**
 * @returns of every step: h′, z, where it looked; then i, f, g, o [batch, time, 4 d], h and c before it [batch, time, d],
 *   and q [batch, time, k]
 */
function steps({ projected, h0, c0, weight, queryWeight, queryBias, keys, v, values, lengths }: Forward): tf.Tensor[] {
  const [states, seen, looked, activations]: tf.Tensor[][] = [[], [], [], []];
  const [hBefore, cBefore, queries]: tf.Tensor[][] = [[], [], []];
  const time = projected.shape[1] as number;
  let [h, c] = [h0, c0]; // [batch, d] each
  for (let t = 0; t < time; t++) {
    [hBefore[t], cBefore[t]] = [h, c];
    const query = tf.add(tf.matMul(h, queryWeight), queryBias); // [batch, k]
    const [z, places] = look({ query, keys, v, values, lengths });
    const sums = tf.add(at(projected, t), tf.matMul(tf.concat([z, h], -1), weight)); // [batch, 4 d]
    const [ai, af, ag, ao] = tf.split(sums, 4, -1);
    const [i, f, g, o] = [tf.sigmoid(ai), tf.sigmoid(af), tf.tanh(ag), tf.sigmoid(ao)];
    c = tf.add(tf.mul(f, c), tf.mul(i, g));
    h = tf.mul(o, tf.tanh(c));
    states[t] = h;
    seen[t] = z;
    looked[t] = places;
    activations[t] = tf.concat([i, f, g, o], -1);
    queries[t] = query;
  }
  return [states, seen, looked, activations, hBefore, cBefore, queries].map((ofSteps) => tf.stack(ofSteps, 1));
}

type Backward = Memory & { [saved in "activations" | "cBefore" | "looked" | "queries"]: tf.Tensor } & {
  dy: tf.Tensor;
  dseen: tf.Tensor;
};

/** @returns δa [batch, time, 4 d], δq [batch, time, k], ∂L/∂keys, ∂L/∂v, ∂L/∂values, ∂L/∂h₀, ∂L/∂c₀ */
function stepsBackward(given: Backward): tf.Tensor[] {
  const { dy, dseen, activations, cBefore, looked, queries, weight, queryWeight, keys, v, values } = given;
  const [, time, m] = dseen.shape as [number, number, number];
  const d = dy.shape[2] as number;
  const [i, f, g, o] = tf.split(activations, 4, -1); // [batch, time, d] each
  const squashed = tf.tanh(tf.add(tf.mul(f, cBefore), tf.mul(i, g)));
  const slopes = tf.concat(
    [
      tf.mul(g, tf.mul(i, tf.sub(1, i))),
      tf.mul(cBefore, tf.mul(f, tf.sub(1, f))),
      tf.mul(i, tf.sub(1, tf.square(g))),
      tf.mul(squashed, tf.mul(o, tf.sub(1, o))),
    ],
    -1,
  ); // [batch, time, 4 d]: of each gate's sum, for a gradient 1 of c′ (of o: of h′)
  const ofH = tf.mul(o, tf.sub(1, tf.square(squashed))); // ∂h′/∂c′

  const [changes, dqueries]: tf.Tensor[][] = [[], []];
  let sums: tf.Tensor[] = [tf.zerosLike(keys), tf.zerosLike(v), tf.zerosLike(values)];
  let [dh, dc] = [tf.zerosLike(at(dy, 0)), tf.zerosLike(at(dy, 0))]; // [batch, d] each
  for (let t = time - 1; t >= 0; t--) {
    const dhere = tf.add(dh, at(dy, t));
    const dcell = tf.add(dc, tf.mul(dhere, at(ofH, t)));
    const da = tf.mul(tf.concat([dcell, dcell, dcell, dhere], -1), at(slopes, t)); // [batch, 4 d]
    const [dz, dfromSums] = tf.split(tf.matMul(da, weight, false, true), [m, d], -1); // [batch, m], [batch, d]
    const saved = { query: at(queries, t), keys, v, values, a: at(looked, t) };
    const back = lookBackward(tf.add(dz, at(dseen, t)), saved);
    sums = [back.keys, back.v, back.values].map((change, n) => tf.add(sums[n], change));
    changes[t] = da;
    dqueries[t] = back.query; // [batch, k]
    dh = tf.add(dfromSums, tf.matMul(back.query, queryWeight, false, true));
    dc = tf.mul(dcell, at(f, t));
  }
  return [tf.stack(changes, 1), tf.stack(dqueries, 1), ...sums, dh, dc];
}

function checkAttentive(inputs: AttentiveLstmInputs): void {
  const { x, weightHh, queryWeight, values } = inputs;
  const [batch, time, e] = x.shape;
  const [[d], [, k], [, places, m]] = [weightHh, queryWeight, values].map(({ shape }) => shape);
  const wide = [4 * d];
  const expected: { [input: string]: number[] } = {
    ...{ weightIh: [e + m, 4 * d], weightHh: [d, 4 * d], biasIh: wide, biasHh: wide, queryWeight: [d, k] },
    ...{ queryBias: [k], v: [k], keys: [batch, places, k], values: [batch, places, m], h0: [batch, d], c0: [batch, d] },
    lengths: [batch],
  };
  if (x.rank !== 3 || time === 0) throw new InputError(`attentive lstm got x [${x.shape}]; expected [batch, time, e]`);
  for (const [name, shape] of Object.entries(expected)) {
    const tensor = (inputs as Tensors)[name];
    if (tensor === undefined || tf.util.arraysEqual(tensor.shape, shape)) continue;
    throw new InputError(
      `attentive lstm got ${name} [${tensor.shape}]; expected [${shape}] with x [${x.shape}], ${d} unit(s) and values [${values.shape}]`,
    );
  }
}
