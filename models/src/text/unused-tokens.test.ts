import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readTokenizer, writeTokenizer } from "./tokenizer-json.ts";
import { trainBpe } from "./train-bpe.ts";
import { withUnusedTokens } from "./unused-tokens.ts";

const { tokenizer } = JSON.parse(readFileSync(new URL("./fixtures/unigram.json", import.meta.url), "utf8"));

describe("withUnusedTokens", () => {
  it.each([readTokenizer(JSON.stringify(tokenizer)), trainBpe("low lower lowest", 300)])(
    "fills the vocabulary with tokens for no text (%#)",
    (given) => {
      const size = given.vocabularySize + 28;
      const filled = readTokenizer(writeTokenizer(withUnusedTokens(given, size)));
      expect(filled.vocabularySize).toBe(size);
      expect([...filled.encode("a lower <unused_300>")]).toEqual([...given.encode("a lower <unused_300>")]);
      expect(filled.decode([size - 1, size - 28])).toBe("");
      expect(filled.special).toEqual(given.special);
      expect(withUnusedTokens(given, 5)).toBe(given);
    },
  );
});
