import { CharTokenizer } from "@tfjs-zoo/models/text";
import { expect, it } from "vitest";
import { LONGEST_SENTENCE, pairsAsIds } from "./translate.ts";

it("reads the first tokens of a sentence that is too long, and says of how many", () => {
  const tokenizer = CharTokenizer.fromText("ab", { specialTokens: ["<pad>", "<s>", "</s>"] });
  const [a, long] = ["a", "b".repeat(LONGEST_SENTENCE)];
  const { source, target, cut } = pairsAsIds({ source: [a, long, long.slice(1)], target: [long, a, a] }, tokenizer, {
    pad: 0,
    bos: 1,
    eos: 2,
  });
  expect(source.map(({ length }) => length)).toEqual([2, LONGEST_SENTENCE, LONGEST_SENTENCE]);
  expect(source.map((ids) => ids.at(-1))).toEqual([2, 2, 2]);
  expect(target.map(({ length }) => length)).toEqual([LONGEST_SENTENCE - 1, 1, 1]);
  expect(cut).toBe(2);
});
