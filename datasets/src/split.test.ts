import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { inMemoryImages } from "./in-memory.ts";
import { holdOut, permutation, subset } from "./split.ts";

/** Images of 1x1x1 whose pixel and label are their place. */
function numbered(count: number) {
  return inMemoryImages(
    Uint8Array.from({ length: count }, (_, i) => i),
    Uint16Array.from({ length: count }, (_, i) => i),
    [1, 1, 1],
  );
}

async function pixels(set: ReturnType<typeof numbered>): Promise<number[]> {
  const into = new Uint8Array(set.count);
  await set.read([...Array(set.count).keys()], into);
  return [...into];
}

describe("permutation", () => {
  it("holds every index once, in every order equally often", () => {
    expect([...permutation(100, testRandom("p"))].sort((a, b) => a - b)).toEqual([...Array(100).keys()]);
    const seen = new Map<string, number>();
    const random = testRandom("orders");
    for (let i = 0; i < 6000; i++) {
      const key = permutation(3, random).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const n of seen.values()) expect(Math.abs(n - 1000)).toBeLessThan(150);
  });
});

describe("subset", () => {
  it("is a view in the order given, also of a view", async () => {
    const inner = subset(subset(numbered(10), [7, 3, 9, 1]), [2, 0]);
    expect([...inner.labels]).toEqual([9, 7]);
    expect(await pixels(inner)).toEqual([9, 7]);
  });

  it("refuses what is not there", () => {
    expect(() => subset(numbered(3), [3])).toThrow("image 3 of 3");
    expect(() => subset(numbered(3), [1]).read([1], new Uint8Array(1))).toThrow("image 1 of 1");
  });
});

describe("holdOut", () => {
  it("splits without overlap, the same for the same stream", async () => {
    const { train, validation } = holdOut(numbered(50), 10, testRandom("split", 1));
    const again = holdOut(numbered(50), 10, testRandom("split", 1));
    const other = holdOut(numbered(50), 10, testRandom("split", 2));
    expect([train.count, validation.count]).toEqual([40, 10]);
    expect([...(await pixels(train)), ...(await pixels(validation))].sort((a, b) => a - b)).toEqual([
      ...Array(50).keys(),
    ]);
    expect(again.validation.labels).toEqual(validation.labels);
    expect(other.validation.labels).not.toEqual(validation.labels);
  });

  it.each([0, -1, 50, 2.5, Number.NaN])("refuses %s of 50", (count) => {
    expect(() => holdOut(numbered(50), count, testRandom())).toThrow(/from 1 to 49/);
  });
});
