import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { corpusBleu, tokenize13a } from "./bleu.ts";
import { perplexity } from "./perplexity.ts";

interface Fixture {
  sacrebleu: string;
  tokens: { sentence: string; tokens: string[] }[];
  corpora: {
    name: string;
    hypotheses: string[];
    references: string[];
    score: number;
    precisions: number[];
    brevityPenalty: number;
    hypothesisLength: number;
    referenceLength: number;
  }[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/bleu.json", import.meta.url), "utf8"));

describe("corpusBleu", () => {
  it.each(fixture.corpora)("is sacreBLEU's: $name", ({ hypotheses, references, name: _, ...expected }) => {
    const { precisions, ...numbers } = corpusBleu(hypotheses, references);
    for (const [key, value] of Object.entries(numbers)) {
      expect(value, key).toBeCloseTo(expected[key as keyof typeof numbers], 9);
    }
    for (const [i, precision] of precisions.entries()) expect(precision).toBeCloseTo(expected.precisions[i], 9);
  });

  it("is between 0 and 100, and 100 only of what is the same", () => {
    const references = fixture.corpora[0].references;
    expect(corpusBleu(references, references).score).toBeCloseTo(100, 9);
    for (const { score } of fixture.corpora) expect(score).toBeLessThanOrEqual(100 + 1e-9);
  });

  it.each([
    [["a"], [], /^1 hypotheses and 0 references/],
    [[], [], /^0 hypotheses and 0 references/],
    [["a", "b"], ["a", ""], /^reference 1 is empty/],
  ])("refuses %j and %j", (hypotheses, references, message) => {
    expect(() => corpusBleu(hypotheses, references)).toThrow(message);
  });
});

describe("tokenize13a", () => {
  it.each(fixture.tokens)("$sentence", ({ sentence, tokens }) => {
    expect(tokenize13a(sentence)).toEqual(tokens);
  });
});

it("perplexity of one in eight is eight", () => {
  expect(perplexity(Math.log(8))).toBeCloseTo(8, 12);
  expect(perplexity(0)).toBe(1);
});
