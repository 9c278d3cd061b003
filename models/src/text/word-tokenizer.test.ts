import { describe, expect, it } from "vitest";
import { readTokenizer, writeTokenizer } from "./tokenizer-json.ts";
import { trainWords, WordTokenizer } from "./word-tokenizer.ts";

const texts = ["Ein Hund rennt im Schnee.", "Ein Hund schläft.", "Der Hund rennt."];

describe("WordTokenizer", () => {
  const tokenizer = trainWords(texts, 10, { addPrefixSpace: true });

  it("has the most frequent words, each with the space before it", () => {
    const words = [4, 5, 6, 7, 8, 9].map((id) => tokenizer.wordOf(id));
    expect(words).toEqual([".", " Hund", " Ein", " rennt", " Der", " Schnee"]);
    expect(tokenizer.special).toEqual({ pad: 0, bos: 1, eos: 2, unk: 3 });
  });

  it("gives known words back, and one token for all others", () => {
    const text = "Ein Hund rennt. Der Schnee.";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    const ids = tokenizer.encode("Ein Dackel rennt.");
    expect([...ids]).toEqual([6, 3, 7, 4]);
    expect(tokenizer.decode(ids, { special: true })).toBe("Ein<unk> rennt.");
    expect(tokenizer.words("Ein Dackel rennt.")).toEqual([" Ein", " Dackel", " rennt", "."]);
    expect(tokenizer.join([" Ein", " Dackel", "."])).toBe("Ein Dackel.");
  });

  it("is read from the file that it writes", () => {
    const json = writeTokenizer(tokenizer);
    const read = readTokenizer(json) as WordTokenizer;
    expect(read).toBeInstanceOf(WordTokenizer);
    expect([read.vocabulary.tokens, read.addPrefixSpace]).toEqual([tokenizer.vocabulary.tokens, true]);
    expect(writeTokenizer(read)).toBe(json);
    const other = json.replace('"unk_token":"<unk>"', '"unk_token":"[UNK]"');
    expect(() => readTokenizer(other)).toThrow(/its unk_token is "\[UNK\]": expected "<unk>"/);
  });

  it("refuses what is no vocabulary of words", () => {
    expect(() => new WordTokenizer({ tokens: ["a"] })).toThrow(/no special token "<unk>"/);
    const tokens = ["<unk>", "a b"];
    expect(() => new WordTokenizer({ tokens, specialTokens: ["<unk>"] })).toThrow(/the token "a b" has characters/);
    expect(() => trainWords(texts, 4)).toThrow(/a vocabulary of 4 tokens: give a whole number from 5 to/);
    expect(() => trainWords([""], 10)).toThrow("there is no text to learn a vocabulary from");
  });
});
