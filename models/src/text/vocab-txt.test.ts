import { describe, expect, it } from "vitest";
import { readVocabTxt } from "./index.ts";

describe("vocab.txt", () => {
  it.each(["\n", "\r\n"])("has a token a line, ended by %j", (end) => {
    const tokenizer = readVocabTxt(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", ""].join(end));
    expect(tokenizer.special).toEqual({ pad: 0, unk: 1, bos: 2, eos: 3 });
    expect([...tokenizer.encode("AB c")]).toEqual([5, 6, 1]);
  });

  it.each([
    ["", /^v.txt: the token 0 is empty/],
    ["[UNK]\n\na", /^v.txt: the token 1 is empty/],
    ["[UNK]\na\na\n", /^v.txt: the tokens 1 and 2 are both "a"/],
    ["a\nb\n", /^v.txt: the vocabulary has no token "\[UNK\]"/],
  ])("says what is wrong with %j", (text, message) => {
    expect(() => readVocabTxt(text, "v.txt")).toThrow(message);
  });
});
