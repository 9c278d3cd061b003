import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { candidates, chooseToken } from "./choose-token.ts";

/** Logits whose softmax is this. */
const logits = [0.1, 0.4, 0.2, 0.3].map(Math.log);
const ids = (...args: Parameters<typeof candidates>) => candidates(...args).map(({ id }) => id);

describe("candidates", () => {
  it.each([
    ["NaN", [0, Number.NaN, 1]],
    ["∞", [0, Number.POSITIVE_INFINITY, 1]],
    ["nothing but −∞", [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ])("are refused of %s, at every temperature", (_, damaged) => {
    for (const temperature of [0, 1]) expect(() => candidates(damaged, { temperature })).toThrow(/not finite/);
    expect(ids([Number.NEGATIVE_INFINITY, 0])).toEqual([1]);
  });

  it("come with their probabilities, the likeliest first", () => {
    const all = candidates(logits);
    expect(all.map(({ id }) => id)).toEqual([1, 3, 2, 0]);
    expect(all.map(({ probability }) => Number(probability.toFixed(6)))).toEqual([0.4, 0.3, 0.2, 0.1]);
  });

  it("are as few as top-k and top-p say, with what is left made whole", () => {
    expect(ids(logits, { topK: 2 })).toEqual([1, 3]);
    expect(candidates(logits, { topK: 2 })[0].probability).toBeCloseTo(4 / 7);
    expect(ids(logits, { topP: 0.69 })).toEqual([1, 3]);
    expect(ids(logits, { topP: 0.71 })).toEqual([1, 3, 2]);
    expect(ids(logits, { topP: 1e-9 })).toEqual([1]);
    expect(ids(logits, { topK: 3, topP: 0.5 })).toEqual([1, 3]);
  });

  it("are the likeliest alone at temperature 0, and nearly alike at a high one", () => {
    expect(candidates(logits, { temperature: 0 })).toEqual([{ id: 1, probability: 1 }]);
    for (const { probability } of candidates(logits, { temperature: 1e6 })) expect(probability).toBeCloseTo(0.25, 4);
    expect(candidates([1000, 0], { temperature: 1 })[0].probability).toBe(1);
  });
});

it("tokens are drawn as often as they are likely", () => {
  const random = randomStream(1, "choose");
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4000; n++) counts[chooseToken(logits, {}, random)]++;
  for (const [id, share] of [0.1, 0.4, 0.2, 0.3].entries())
    expect(Math.abs(counts[id] / 4000 - share)).toBeLessThan(0.03);
});
