import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { upsample2d } from "./upsample2d.ts";

it.each([1.5, 0, -2])("refuses a factor of %d", (factor) => {
  const run = () => tf.tidy(() => upsample2d({ x: tf.ones([1, 2, 2, 1]) }, { factor }));
  expect(run).toThrow(`upsample2d got a factor of ${factor}x${factor}; expected whole numbers of at least 1`);
});
