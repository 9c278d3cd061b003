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

it("is 1 for images as different as the real ones, and falls with the kinds that are missing", () => {
  const real = imagesOf(10, 1);
  expect(variety(imagesOf(10, 2), real, PIXELS)).toBeCloseTo(1, 1);
  expect(variety(imagesOf(1, 2), real, PIXELS)).toBeLessThan(COLLAPSED / 4);
  expect(variety(new Float32Array(400 * PIXELS).fill(0.3), real, PIXELS)).toBeCloseTo(0, 6);
});
