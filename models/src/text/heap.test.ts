import { expect, it } from "vitest";
import { Random } from "../random.ts";
import { Heap } from "./heap.ts";

it("gives back in order what was put in, in between too", () => {
  const random = new Random(1, 2);
  const heap = new Heap<number>((a, b) => a < b);
  const kept: number[] = [];
  for (let i = 0; i < 2000; i++) {
    if (random.uniform() < 0.6) {
      const item = random.integer(50);
      heap.push(item);
      kept.push(item);
    } else {
      kept.sort((a, b) => a - b);
      expect(heap.pop()).toBe(kept.shift());
    }
  }
  kept.sort((a, b) => a - b);
  for (const item of kept) expect(heap.pop()).toBe(item);
  expect(heap.pop()).toBeUndefined();
});
