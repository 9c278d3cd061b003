import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { randomStream } from "@tfjs-zoo/models";
import { describe, expect, it } from "vitest";
import { featureRows } from "./feature-rows.ts";
import { nearest, nearestByProducts } from "./nearest.ts";
import { mannWhitney, memorising } from "./nearest-neighbours.ts";
import { normalRows, rowsOf } from "./test-rows.ts";

describe("nearest", () => {
  it("finds the k nearest in their order, as a sort of all does", async () => {
    const [queries, set] = [normalRows(37, 70, "queries"), normalRows(50, 70, "set")];
    const { index, squared } = await nearest(queries, set, 4);
    for (let i = 0; i < queries.count; i++) {
      const all = Array.from({ length: set.count }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < 70; k++) sum += (queries.values[i * 70 + k] - set.values[j * 70 + k]) ** 2;
        return { j, sum };
      }).sort((a, b) => a.sum - b.sum);
      for (let k = 0; k < 4; k++) {
        expect(index[i * 4 + k]).toBe(all[k].j);
        expect(squared[i * 4 + k]).toBeCloseTo(all[k].sum, 10);
      }
    }
  });

  it("leaves out a row itself, not its twin", async () => {
    const set = rowsOf([[0], [5], [0], [7]]);
    const { index, squared } = await nearest(set, set, 1);
    expect([...index]).toEqual([2, 3, 0, 1]);
    expect([...squared]).toEqual([0, 4, 0, 4]);
    await expect(nearest(set, set, 4)).rejects.toThrow(/^4 image\(s\) are too few to compare: give at least 5$/);
  });

  it("finds the same by products of matrices, twins too, and leaves no tensors behind", async () => {
    await tf.setBackend("cpu");
    const before = tf.memory().numTensors;
    const twin = normalRows(300, 9, "set");
    twin.values.copyWithin(9, 0, 9);
    const pixels = featureRows(
      Uint8Array.from(twin.values, (value) => 100 + 20 * value),
      9,
    );
    for (const [queries, set] of [
      [normalRows(40, 9, "queries"), twin],
      [twin, twin],
      [pixels, pixels],
      [normalRows(3, 9, "queries"), normalRows(4, 9, "few")],
    ]) {
      const expected = await nearest(queries, set, 3);
      expect(await nearestByProducts(queries, set, 3, () => {})).toEqual(expected);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("takes pixels of 0 to 255", async () => {
    const set = featureRows(Uint8Array.of(0, 0, 255, 255, 10, 20), 2);
    const { index, squared } = await nearest(featureRows(Uint8Array.of(11, 18), 2), set, 2);
    expect([...index]).toEqual([2, 0]);
    expect([...squared]).toEqual([1 + 4, 121 + 324]);
  });
});

describe("memorising", () => {
  const training = normalRows(400, 12, "training");
  const heldOut = normalRows(200, 12, "held out");

  it("finds nothing in new samples of the data", async () => {
    const found = await memorising(normalRows(200, 12, "samples"), { training, heldOut });
    expect(Math.abs(found.nearer - 0.5)).toBeLessThan(0.1);
    expect(Math.abs(found.score)).toBeLessThan(3);
    expect(found).toMatchObject({ copies: 0, heldOutCopies: 0, memorised: false });
  });

  it("finds copies of training images, and which", async () => {
    const random = randomStream(0, "copies");
    const of = Array.from({ length: 100 }, () => random.integer(training.count));
    const values = Float32Array.from(
      of.flatMap((i) => [...training.values.subarray(i * 12, (i + 1) * 12)]),
      (value) => value + 0.05 * random.normal(),
    );
    const found = await memorising(featureRows(values, 12), { training, heldOut });
    expect([...found.neighbours.index]).toEqual(of);
    expect(found).toMatchObject({ nearer: 1, copies: 1, memorised: true });
    expect(found.score).toBeLessThan(-10);
  });

  it("does not take blurred means for copies, though they are near", async () => {
    const found = await memorising(normalRows(200, 12, "blurred", { scale: 0.2 }), { training, heldOut });
    expect(found.nearer).toBeGreaterThan(0.9);
    expect(found).toMatchObject({ copies: 0, memorised: false });
  });

  it("does not blame samples for twins that the data has", async () => {
    const twins = (name: string) => {
      const random = randomStream(0, name);
      const values = Float32Array.from(heldOut.values.subarray(0, 60 * 12), (value) => value + 0.01 * random.normal());
      return featureRows(values, 12);
    };
    const found = await memorising(twins("a"), { training: heldOut, heldOut: twins("b") });
    expect(found).toMatchObject({ copies: 1, heldOutCopies: 1, memorised: false });
  });

  it("refuses none", async () => {
    const none = featureRows(new Float32Array(), 12);
    await expect(memorising(none, { training, heldOut })).rejects.toThrow(/^0 samples and 200 held-out images/);
  });
});

describe("mannWhitney", () => {
  it("is 0 for equal numbers, and below 0 where the first are smaller", () => {
    const [a, b] = [Float64Array.of(1, 1, 1), Float64Array.of(1, 1)];
    expect(mannWhitney(a, b)).toBe(0);
    expect(mannWhitney(a, Float64Array.of(2, 3))).toBeCloseTo(-3 / Math.sqrt((6 * 6) / 12), 12);
  });
});
