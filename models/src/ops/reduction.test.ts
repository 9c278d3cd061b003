import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { absoluteError, gaussianKl, huberLoss, sigmoidCrossEntropy, squaredError } from "./index.ts";

it.each([
  ["absoluteError", () => absoluteError({ prediction: tf.zeros([2, 3]), target: tf.zeros([3]) })],
  ["huberLoss", () => huberLoss({ prediction: tf.zeros([2, 3]), target: tf.zeros([3]) })],
  ["squaredError", () => squaredError({ prediction: tf.zeros([2, 3]), target: tf.zeros([3]) })],
  ["sigmoidCrossEntropy", () => sigmoidCrossEntropy({ logits: tf.zeros([2, 3]), target: tf.zeros([3]) })],
  ["gaussianKl", () => gaussianKl({ mean: tf.zeros([2, 3]), logVariance: tf.zeros([3]) })],
])("%s refuses what would be broadcast", (name, loss) => {
  const run = () => tf.tidy(loss);
  expect(run).toThrow(InputError);
  expect(run).toThrow(new RegExp(`^${name} got \\w+ \\[2,3\\] and \\w+ \\[3\\]; expected equal shapes$`));
});

it("a loss is one number for the batch, or one for each element", () => {
  const prediction = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const target = tf.zerosLike(prediction);
  const of = (reduction?: "mean" | "batchMean" | "none") =>
    Array.from(tf.tidy(() => squaredError({ prediction, target }, { reduction }).dataSync()));
  expect(of()).toEqual([7.5]);
  expect(of("batchMean")).toEqual([15]);
  expect(of("none")).toEqual([1, 4, 9, 16]);
  tf.dispose([prediction, target]);
});
