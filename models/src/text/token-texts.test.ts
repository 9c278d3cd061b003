import { describe, expect, it } from "vitest";
import { CharTokenizer } from "./char-tokenizer.ts";
import { tokenTexts } from "./token-texts.ts";
import { trainBpe } from "./train-bpe.ts";

const bpe = trainBpe(["ein Hund läuft", "a dog runs, a dog runs", "\u{1F415} und \u{1F408}"], 280, {
  addPrefixSpace: true,
});

describe("texts of tokens", () => {
  it.each([
    "ein Hund läuft.",
    "",
    " zwei  Leerzeichen ",
    "\u72AC\u304C\u8D70\u308B",
    "\u{1F415}\u200D\u{1F9BA}\u{1F4A8}!",
    "\u{1F415}\u{1F416}",
    "\u0643\u0644\u0628",
    "a\u0007b\tc\n",
    "\uFFFD?",
  ])("joined are the text: %j", (text) => {
    const ids = bpe.encode(text);
    const texts = tokenTexts(bpe, ids);
    expect(texts).toHaveLength(ids.length);
    expect(texts.join("")).toBe(bpe.decode(ids));
  });

  it("say a character where it is whole", () => {
    const ids = bpe.encode("x\u72AC");
    const texts = tokenTexts(bpe, ids);
    expect(texts.slice(-3)).toEqual(["", "", "\u72AC"]);
  });

  it("are empty for special tokens, and say bytes that are no character", () => {
    const ids = [...bpe.encode("a dog")];
    const end = bpe.special.eos as number;
    expect(tokenTexts(bpe, [...ids, end]).at(-1)).toBe("");
    const [half] = bpe.encode("\u72AC").slice(1);
    expect(tokenTexts(bpe, [...ids, half, end])).toEqual([...tokenTexts(bpe, ids), "\uFFFD", ""]);
  });

  it("are characters for a tokenizer of characters", () => {
    const letters = new CharTokenizer(["a", "b", "\n"]);
    expect(tokenTexts(letters, letters.encode("ab\nb"))).toEqual(["a", "b", "\n", "b"]);
  });
});
