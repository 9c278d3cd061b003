import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readTokenizer, trainWordPiece, writeTokenizer } from "./index.ts";

/** Made by make-tokenizers.py. */
const reference: { corpus: string[]; learnedWordPieces: string[] } = JSON.parse(
  readFileSync(new URL("./fixtures/tokenizers.json", import.meta.url), "utf8"),
);

/** The words of Hugging Face's course, and how often each is there. */
const words = { hug: 10, pug: 5, pun: 12, bun: 4, hugs: 5 };
const texts = Object.entries(words).map(([word, count]) => `${word} `.repeat(count));

describe("trainWordPiece", () => {
  it("merges the most frequent pair first, as the reference does", () => {
    const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    const characters = [..."bghnpsu", "##g", "##n", "##s", "##u"];
    // u g 20 times, u n 16, h ug 15, p un 12; then hug s and p ug are as frequent, and the first of them in the vocabulary wins.
    const learned = ["##ug", "##un", "hug", "pun", "pug", "hugs", "bun"];
    expect(trainWordPiece(texts, 100).vocabulary.tokens).toEqual([...special, ...characters, ...learned]);
    expect(trainWordPiece(texts, 18).vocabulary.tokens).toEqual([...special, ...characters, ...learned.slice(0, 2)]);
    expect(trainWordPiece(texts, 100, { minFrequency: 15 }).vocabularySize).toBe(16 + 3);
  });

  it("learns what the reference learns, whatever the order of the texts", () => {
    const tokenizer = trainWordPiece(reference.corpus, 5000);
    expect(tokenizer.vocabulary.tokens).toEqual(reference.learnedWordPieces);
    const backward = trainWordPiece(reference.corpus.toReversed(), 5000);
    expect(backward.vocabulary.tokens).toEqual(tokenizer.vocabulary.tokens);
  });

  it("makes a tokenizer that encodes with these tokens, and can be kept", () => {
    const tokenizer = trainWordPiece(texts, 100);
    expect([...tokenizer.encode("Pugs hugs buns!")].map((id) => tokenizer.tokenOf(id))).toEqual(
      "pug ##s hugs bun ##s [UNK]".split(" "),
    );
    expect(readTokenizer(writeTokenizer(tokenizer)).encode("hugs pun")).toEqual(tokenizer.encode("hugs pun"));
    const cased = trainWordPiece(["Ärger ärger"], 100, { cleaning: { lowerCase: false } });
    expect(cased.decode(cased.encode("Ärger"))).toBe("Ärger");
  });

  it("leaves out the rarest of many characters, and words that have them", () => {
    const many = Array.from({ length: 1100 }, (_, i) => String.fromCodePoint(0x4e00 + i));
    const tokenizer = trainWordPiece([many.join(" "), many.slice(0, 900).join(" ")], 5000);
    expect(tokenizer.vocabularySize).toBe(5 + 1000);
    expect(tokenizer.idOf(many[899])).toBeDefined();
    expect(tokenizer.idOf(many[1099])).toBeUndefined();
  });

  it("says how far it is", () => {
    const told: [number, number][] = [];
    trainWordPiece(texts, 23, { progress: (done, total) => told.push([done, total]) });
    expect(told.at(-1)).toEqual([7, 7]);
  });

  it.each([
    [texts, 15, /^a vocabulary of 15 tokens: give a whole number from 16 \(the text's characters and 5 special/],
    [texts, 1e9, /1000000000 tokens/],
    [texts, 99.5, /99.5 tokens/],
    [[], 99, /^there is no text to learn a vocabulary from/],
    [[" \n\u0007"], 99, /^there is no text/],
  ])("refuses %#", (given, size, message) => {
    expect(() => trainWordPiece(given, size)).toThrow(message);
  });
});
