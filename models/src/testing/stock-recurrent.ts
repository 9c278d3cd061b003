/** Recurrent cells in stock TensorFlow.js: a sequence and a step at a time, so that no masks are needed. */
import * as tf from "@tensorflow/tfjs-core";
import type { GruAttrs } from "../ops/gru.ts";
import type { LstmAttrs } from "../ops/lstm.ts";
import type { RecurrentAttrs } from "../ops/recurrence.ts";
import type { RnnAttrs } from "../ops/rnn.ts";

type NamedTensors = { readonly [name: string]: tf.Tensor };

/** x [1, in] and the states [1, d] before a step -> the states after it */
type Step = (x: tf.Tensor2D, states: tf.Tensor[]) => tf.Tensor[];

/** @returns y [batch, time, d], then each state after the last step [batch, d] */
function unrolled(
  inputs: NamedTensors,
  stateNames: readonly string[],
  { reverse }: RecurrentAttrs,
  step: Step,
): tf.Tensor[] {
  const { x, weightHh, lengths } = inputs;
  const [batch, time, inSize] = x.shape;
  const [d] = weightHh.shape;
  const counts = lengths?.dataSync();
  const sequences = Array.from({ length: batch }, (_, n) => {
    const length = counts === undefined ? time : Math.min(counts[n], time);
    const outputs = Array.from({ length: time }, (): tf.Tensor => tf.zeros([1, d]));
    let states: tf.Tensor[] = stateNames.map((name) =>
      inputs[name] === undefined ? tf.zeros([1, d]) : tf.slice(inputs[name], [n, 0], [1, d]),
    );
    for (let taken = 0; taken < length; taken++) {
      const t = reverse ? length - 1 - taken : taken;
      states = step(tf.reshape(tf.slice(x, [n, t, 0], [1, 1, inSize]), [1, inSize]), states);
      outputs[t] = states[0];
    }
    return [tf.reshape(tf.concat(outputs, 0), [1, time, d]), ...states];
  });
  return sequences[0].map((_, k) =>
    tf.concat(
      sequences.map((results) => results[k]),
      0,
    ),
  );
}

/** v M + b for one gate of several, whose weights are cut out first. */
function affine(weight: tf.Tensor, bias: tf.Tensor | undefined, gates: number) {
  const parts = (x: tf.Tensor) => (gates === 1 ? [x] : tf.split(x, gates, -1));
  const [weights, biases] = [parts(weight), bias && parts(bias)];
  return (v: tf.Tensor, gate: number): tf.Tensor => {
    const y = tf.matMul(v as tf.Tensor2D, weights[gate] as tf.Tensor2D);
    return biases === undefined ? y : tf.add(y, biases[gate]);
  };
}

export function rnnStock(inputs: NamedTensors, { activation, ...attrs }: RnnAttrs): tf.Tensor[] {
  const fromX = affine(inputs.weightIh, inputs.biasIh, 1);
  const fromH = affine(inputs.weightHh, inputs.biasHh, 1);
  return unrolled(inputs, ["h0"], attrs, (x, [h]) => {
    const a = tf.add(fromX(x, 0), fromH(h, 0));
    return [activation === "relu" ? tf.relu(a) : tf.tanh(a)];
  });
}

export function lstmStock(inputs: NamedTensors, { coupled, ...attrs }: LstmAttrs): tf.Tensor[] {
  const order = coupled ? "igo" : "ifgo";
  const seen = coupled ? "io" : "ifo";
  const fromX = affine(inputs.weightIh, inputs.biasIh, order.length);
  const fromH = affine(inputs.weightHh, inputs.biasHh, order.length);
  const peepholes = inputs.peephole && tf.split(inputs.peephole, seen.length, 0); // [1, d] each
  return unrolled(inputs, ["h0", "c0"], attrs, (x, [h, c]) => {
    const sum = (gate: string, cell?: tf.Tensor): tf.Tensor => {
      const a = tf.add(fromX(x, order.indexOf(gate)), fromH(h, order.indexOf(gate)));
      return peepholes === undefined || cell === undefined ? a : tf.add(a, tf.mul(peepholes[seen.indexOf(gate)], cell));
    };
    const i = tf.sigmoid(sum("i", c));
    const f = coupled ? tf.sub(1, i) : tf.sigmoid(sum("f", c));
    const next = tf.add(tf.mul(f, c), tf.mul(i, tf.tanh(sum("g"))));
    return [tf.mul(tf.sigmoid(sum("o", next)), tf.tanh(next)), next];
  });
}

export function gruStock(inputs: NamedTensors, { resetAfter = true, ...attrs }: GruAttrs): tf.Tensor[] {
  const fromX = affine(inputs.weightIh, inputs.biasIh, 3);
  const fromH = affine(inputs.weightHh, inputs.biasHh, 3);
  return unrolled(inputs, ["h0"], attrs, (x, [h]) => {
    const r = tf.sigmoid(tf.add(fromX(x, 0), fromH(h, 0)));
    const z = tf.sigmoid(tf.add(fromX(x, 1), fromH(h, 1)));
    const reset = resetAfter ? tf.mul(r, fromH(h, 2)) : fromH(tf.mul(r, h), 2);
    const n = tf.tanh(tf.add(fromX(x, 2), reset));
    return [tf.add(tf.mul(tf.sub(1, z), n), tf.mul(z, h))];
  });
}
