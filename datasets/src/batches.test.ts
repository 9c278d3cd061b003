import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { batchCount, epochBatches, evaluationBatches } from "./batches.ts";
import { inMemoryImages } from "./in-memory.ts";
import type { Batch } from "./types.ts";

const shape = [8, 8, 3] as const;
const mean = [0.4914, 0.4822, 0.4465];
const std = [0.247, 0.2435, 0.2616];

function randomSet(count: number) {
  const random = testRandom("set");
  const pixels = Uint8Array.from({ length: count * 192 }, () => random.integer(256));
  return inMemoryImages(
    pixels,
    Uint16Array.from({ length: count }, (_, i) => i % 10),
    shape,
  );
}

const set = randomSet(53);
const common = {
  set,
  mean,
  std,
  batchSize: 8,
  random: testRandom,
  augmentation: { pad: 2, flip: true, cutout: 3, randAugment: { operations: 2, magnitude: 9 } },
};

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

describe("epochBatches", () => {
  it("shows every image once, with its label", async () => {
    const batches = await all(epochBatches({ ...common, epoch: 0 }));
    expect(batches.map(({ size }) => size)).toEqual([8, 8, 8, 8, 8, 8, 5]);
    const indices = batches.flatMap((batch) => [...batch.indices]);
    expect(indices.toSorted((a, b) => a - b)).toEqual([...Array(53).keys()]);
    expect(batches.flatMap((batch) => [...batch.labels])).toEqual(indices.map((i) => i % 10));
  });

  it("goes on at any batch with bit-equal batches", async () => {
    const whole = await all(epochBatches({ ...common, epoch: 3 }));
    for (const start of [1, 4, 6, 7]) {
      expect(await all(epochBatches({ ...common, epoch: 3, start }))).toEqual(whole.slice(start));
    }
  });

  it("gives an image the same augmentation whatever the batch size, another in every epoch", async () => {
    const imageOf = async (epoch: number, batchSize: number, index: number) => {
      for (const batch of await all(epochBatches({ ...common, epoch, batchSize }))) {
        const at = batch.indices.indexOf(index);
        if (at >= 0) return batch.images.slice(at * 192, (at + 1) * 192);
      }
    };
    expect(await imageOf(1, 8, 17)).toEqual(await imageOf(1, 53, 17));
    expect(await imageOf(1, 8, 17)).not.toEqual(await imageOf(2, 8, 17));
  });

  it("shuffles differently in every epoch", async () => {
    const [a, b] = await Promise.all([0, 1].map((epoch) => all(epochBatches({ ...common, epoch }))));
    expect(a[0].indices).not.toEqual(b[0].indices);
  });

  it("drops a smaller last batch when told to", async () => {
    const batches = await all(epochBatches({ ...common, epoch: 0, dropLast: true }));
    expect(batches.map(({ size }) => size)).toEqual([8, 8, 8, 8, 8, 8]);
  });

  it("prepares far more than 5000 CIFAR images a second", async () => {
    const cifar = inMemoryImages(new Uint8Array(2560 * 3072).fill(77), new Uint16Array(2560), [32, 32, 3]);
    const augmentation = { pad: 4, flip: true, cutout: 8 };
    const options = { ...common, set: cifar, batchSize: 128, augmentation };
    await all(epochBatches({ ...options, epoch: 0 }));
    const began = performance.now();
    await all(epochBatches({ ...options, epoch: 1 }));
    expect(2560 / ((performance.now() - began) / 1000)).toBeGreaterThan(5000);
  });
});

describe("evaluationBatches", () => {
  it("keeps the order, changes nothing but the scale, and ends with a smaller batch", async () => {
    const batches = await all(evaluationBatches({ set, mean, std, batchSize: 20 }));
    expect(batches.map(({ size }) => size)).toEqual([20, 20, 13]);
    expect(batches.flatMap((batch) => [...batch.indices])).toEqual([...Array(53).keys()]);
    const pixels = new Uint8Array(192);
    set.read([21], pixels);
    const expected = Float32Array.from(pixels, (value, i) => (value / 255 - mean[i % 3]) / std[i % 3]);
    expect(batches[1].images.slice(192, 384)).toEqual(expected);
  });

  it("passes on what reading throws", async () => {
    const broken = { ...set, read: () => Promise.reject(new Error("unreadable")) };
    await expect(all(evaluationBatches({ set: broken, mean, std, batchSize: 2 }))).rejects.toThrow("unreadable");
  });
});

describe("batchCount", () => {
  it("counts, and refuses sizes that make no batch", () => {
    expect([batchCount(10, 4), batchCount(10, 4, true), batchCount(8, 4)]).toEqual([3, 2, 2]);
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => batchCount(10, size)).toThrow("whole number");
    expect(() => batchCount(10, 16, true)).toThrow("more than the set's 10 images");
  });

  it("mirrors every image in one of two epochs when it alternates", async () => {
    const at = async (epoch: number) => {
      const augmentation = { flip: true, alternateFlip: true };
      const images = new Map<number, string>();
      for await (const batch of epochBatches({ ...common, augmentation, epoch })) {
        const size = batch.images.length / batch.size;
        for (const [i, index] of batch.indices.entries()) {
          images.set(index, batch.images.subarray(i * size, (i + 1) * size).join());
        }
      }
      return images;
    };
    const [first, second, third] = [await at(0), await at(1), await at(2)];
    for (const [index, image] of first) {
      expect(third.get(index)).toBe(image);
      expect(second.get(index)).not.toBe(image);
    }
  });
});
