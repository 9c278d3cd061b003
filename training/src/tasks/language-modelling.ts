import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { TokenBatch } from "@tfjs-zoo/datasets";
import { ops, seedDropout } from "@tfjs-zoo/models";
import { events } from "../loop/events.ts";
import type { Task } from "./task.ts";

/** ids: [size, time]; what comes after each: [size · time]. */
type Inputs = { ids: tf.Tensor2D; next: tf.Tensor1D };

/** Text into its next tokens, by softmax cross-entropy at every place. */
export function languageModelling(
  model: tfl.LayersModel,
  { labelSmoothing = 0 }: { labelSmoothing?: number } = {},
): Task<TokenBatch, Inputs> {
  return {
    weights: model.weights,
    size: ({ size, length }) => size * (length - 1),
    upload: inputsOf,
    seed: (seed, step) => seedDropout(model, seed, step),
    updates: [
      {
        name: "language model",
        variables: model.trainableWeights,
        loss(inputs) {
          const loss = lossOf(model, inputs, { training: true, labelSmoothing });
          return { loss };
        },
      },
    ],
  };
}

/** What a language model does on a whole text. */
export interface TextEvaluation {
  /** mean cross-entropy of a token, nats */
  loss: number;
  /** e to the loss: among how many tokens, all alike, it would have to guess */
  perplexity: number;
  tokens: number;
}

/** Measures a language model in inference mode on batches of text. */
export async function evaluateText(
  model: tfl.LayersModel,
  batches: AsyncIterable<TokenBatch> | Iterable<TokenBatch>,
  onBatch: (tokens: number) => void = () => {},
): Promise<TextEvaluation> {
  let [sum, tokens] = [0, 0];
  for await (const batch of batches) {
    const loss = tf.tidy(() => lossOf(model, inputsOf(batch), { training: false, labelSmoothing: 0 }));
    const count = batch.size * (batch.length - 1);
    sum += (await loss.data())[0] * count;
    tokens += count;
    loss.dispose();
    onBatch(tokens);
    await events();
  }
  const loss = sum / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

function inputsOf({ tokens, size, length }: TokenBatch): Inputs {
  const time = length - 1;
  const [ids, next] = [new Int32Array(size * time), new Int32Array(size * time)];
  for (let row = 0; row < size; row++) {
    ids.set(tokens.subarray(row * length, row * length + time), row * time);
    next.set(tokens.subarray(row * length + 1, (row + 1) * length), row * time);
  }
  return { ids: tf.tensor2d(ids, [size, time], "int32"), next: tf.tensor1d(next, "int32") };
}

function lossOf(
  model: tfl.LayersModel,
  { ids, next }: Inputs,
  { training, labelSmoothing }: { training: boolean; labelSmoothing: number },
): tf.Scalar {
  const logits = model.apply(ids, { training }) as tf.Tensor3D; // [size, time, vocabulary]
  const rows = tf.reshape(logits, [-1, logits.shape[2]]); // [size · time, vocabulary]
  return ops.softmaxCrossEntropy({ logits: rows, labels: next }, { labelSmoothing }) as tf.Scalar;
}
