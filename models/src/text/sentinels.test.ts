import { describe, expect, it } from "vitest";
import { decodeWithSentinels, encodeWithSentinels, sentinelIds, sentinelTokens } from "./sentinels.ts";
import { trainBpe } from "./train-bpe.ts";

const specialTokens = ["<pad>", "<s>", "</s>", ...sentinelTokens];
const texts = ["to be or not to be", "that is the question"];
const tokenizer = trainBpe(texts, 420, { specialTokens, addPrefixSpace: true });

describe("sentinels", () => {
  it("are in the tokenizer in their order", () => {
    expect(sentinelIds(tokenizer)).toEqual(Array.from({ length: 100 }, (_, i) => 3 + i));
    expect(sentinelIds(trainBpe(texts, 300))).toEqual([]);
  });

  it("stand for themselves, and words around them are what they are without", () => {
    const [whole, gap] = ["to be or not to be", "to be <extra_id_0> not <extra_id_12>"].map((text) =>
      encodeWithSentinels(text, tokenizer),
    );
    expect(whole).toEqual(tokenizer.encode(texts[0]));
    const or = [...tokenizer.encode("or")];
    const at = [...tokenizer.encode("to be")].length;
    expect([...whole.slice(at, at + or.length)]).toEqual(or);
    expect([...gap]).toEqual([...whole.slice(0, at), 3, ...tokenizer.encode("not"), 15]);
    expect(decodeWithSentinels(gap, tokenizer)).toBe("to be <extra_id_0> not <extra_id_12>");
  });

  it("that there are not, and other special tokens, are text to read and nothing to write", () => {
    for (const text of ["<extra_id_100> be", "</s> be", "be <extra_id_>"]) {
      const ids = encodeWithSentinels(text, tokenizer);
      expect([...ids].some((id) => id < 103)).toBe(false);
      expect(decodeWithSentinels(ids, tokenizer)).toBe(text);
    }
    expect(decodeWithSentinels([1, ...tokenizer.encode("be"), 2, 0], tokenizer)).toBe("be");
    expect(decodeWithSentinels([], tokenizer)).toBe("");
  });
});
