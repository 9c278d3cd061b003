import { randomStream } from "@tfjs-zoo/models";
import { expect, it } from "vitest";
import { COLLAPSED, variety } from "./variety.ts";

const PIXELS = 20;

/** Images of so many kinds, a kind's images nearly alike. */
function imagesOf(kinds: number, seed: number): Float32Array {
  const random = randomStream("variety", seed);
  const kind = Array.from({ length: 10 }, (_, k) => {
    const own = randomStream("kind", k);
    return Array.from({ length: PIXELS }, () => own.uniform());
  });
  return Float32Array.from({ length: 400 * PIXELS }, (_, i) => {
    const image = Math.floor(i / PIXELS);
    return kind[image % kinds][i % PIXELS] + 0.05 * random.normal();
  });
}

it("is 1 for images as different as the real ones, and falls with the kinds that are missing", async () => {
  const real = imagesOf(10, 1);
  expect(await variety(imagesOf(10, 2), real, PIXELS)).toBeCloseTo(1, 1);
  expect(await variety(imagesOf(1, 2), real, PIXELS)).toBeLessThan(COLLAPSED / 4);
  expect(await variety(new Float32Array(400 * PIXELS).fill(0.3), real, PIXELS)).toBeCloseTo(0, 6);
});

it("is 0 for a few images that repeat, however different they are", async () => {
  const real = imagesOf(10, 1);
  const few = real.subarray(0, 5 * PIXELS);
  const repeated = Float32Array.from(real, (_, i) => few[i % few.length]);
  expect(await variety(repeated, real, PIXELS)).toBe(0);
});
