import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { averagedLogits, type TestViews } from "./test-views.ts";

beforeAll(() => tf.setBackend("cpu"));

const rows = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
const image = tf.tensor4d(rows.flat(), [1, 3, 3, 1]);

/** A "network" whose logits are the pixels. */
const pixels = (images: tf.Tensor4D): tf.Tensor2D => tf.reshape(images, [images.shape[0], -1]);

const mirror = (picture: number[][]) => picture.map((row) => [...row].reverse());
const mean = (weighted: [number, number[][]][]) =>
  weighted[0][1].flat().map((_, i) => weighted.reduce((sum, [weight, picture]) => sum + weight * picture.flat()[i], 0));

describe("test views", () => {
  // Moved by one pixel, with the mirror image beyond the edge.
  const downRight = [
    [5, 4, 5],
    [2, 1, 2],
    [5, 4, 5],
  ];
  const upLeft = [
    [5, 6, 5],
    [8, 9, 8],
    [5, 6, 5],
  ];
  const cases: [TestViews, [number, number[][]][]][] = [
    ["plain", [[1, rows]]],
    [
      "mirror",
      [
        [1 / 2, rows],
        [1 / 2, mirror(rows)],
      ],
    ],
    [
      "shifts",
      [
        [1 / 4, rows],
        [1 / 4, mirror(rows)],
        ...[downRight, upLeft].flatMap((moved): [number, number[][]][] => [
          [1 / 8, moved],
          [1 / 8, mirror(moved)],
        ]),
      ],
    ],
  ];
  it.each(cases)("%s", (views, weighted) => {
    expect([...averagedLogits(pixels, image, views).dataSync()]).toEqual(mean(weighted));
  });

  it("keeps no tensors but the result", () => {
    const before = tf.memory().numTensors;
    averagedLogits(pixels, image, "shifts").dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
