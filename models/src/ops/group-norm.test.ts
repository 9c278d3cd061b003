import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { groupNorm, instanceNorm } from "./group-norm.ts";
import { layerNorm } from "./layer-norm.ts";

const x = () => tf.randomNormal([2, 3, 4, 6], 1, 2, "float32", 1);
const difference = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];

it("of one group is layer norm of whole images, of one for each channel instance norm", () => {
  tf.tidy(() => {
    const images = x();
    const whole = layerNorm({ x: tf.reshape(images, [2, 72]), gamma: tf.ones([72]), beta: tf.zeros([72]) });
    expect(difference(groupNorm({ x: images }), tf.reshape(whole, images.shape))).toBeLessThan(1e-5);
    expect(difference(groupNorm({ x: images }, { groups: 6 }), instanceNorm({ x: images }))).toBe(0);
    const { mean, variance } = tf.moments(instanceNorm({ x: images }), [1, 2]);
    expect(difference(mean, tf.zeros([2, 6]))).toBeLessThan(1e-5);
    expect(difference(variance, tf.ones([2, 6]))).toBeLessThan(1e-4);
  });
});

it("refuses groups that do not divide the channels", () => {
  expect(() => tf.tidy(() => groupNorm({ x: x() }, { groups: 4 }))).toThrow(
    /^groupNorm got x \[2,3,4,6\] and 4 groups; expected .* channels a multiple of groups$/,
  );
});
