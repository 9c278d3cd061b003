import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sentinelIds } from "./sentinels.ts";
import { readTokenizer, writeTokenizer } from "./tokenizer-json.ts";
import { UnigramTokenizer } from "./unigram-tokenizer.ts";

interface Fixture {
  tokenizer: { model: { vocab: [string, number][] }; [part: string]: unknown };
  texts: { text: string; ids: number[]; decoded: string }[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("./fixtures/unigram.json", import.meta.url), "utf8"));
const tokenizer = readTokenizer(JSON.stringify(fixture.tokenizer));

describe("UnigramTokenizer", () => {
  it.each(fixture.texts)("encodes $text as Hugging Face's tokenizers do, and decodes it", ({ text, ids, decoded }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect(tokenizer.decode(ids, { special: false })).toBe(decoded);
  });

  it("has T5's special tokens, sentinels in their order", () => {
    expect(tokenizer.special).toEqual({ pad: 0, eos: 1, unk: 2 });
    const [last] = sentinelIds(tokenizer).slice(-1);
    expect(sentinelIds(tokenizer)).toEqual([last + 2, last + 1, last]);
  });

  it("is read as newer versions write it: spaces by Replace, sentinels with spaces of their own", () => {
    const file = structuredClone(fixture.tokenizer) as Fixture["tokenizer"] & { added_tokens: object[] };
    const normalizers = [{ type: "Precompiled" }, { type: "Strip" }, { type: "Replace" }];
    Object.assign(file, { normalizer: { type: "Sequence", normalizers }, pre_tokenizer: { type: "Metaspace" } });
    for (const token of file.added_tokens.slice(3)) Object.assign(token, { lstrip: true, rstrip: true });
    const newer = readTokenizer(JSON.stringify(file));
    for (const { text, ids } of fixture.texts) expect([...newer.encode(text)]).toEqual(ids);
  });

  it("is written and read again", () => {
    const again = readTokenizer(writeTokenizer(tokenizer));
    expect(again).toBeInstanceOf(UnigramTokenizer);
    for (const { text, ids } of fixture.texts) expect([...again.encode(text)]).toEqual(ids);
  });

  it("cuts into the likeliest pieces, and neighbours that are unknown are one", () => {
    const tokens = ["<unk>", "▁", "▁a", "b", "ab", "▁ab"];
    const scores = [0, -3, -2, -1, -1.5, -9];
    const small = new UnigramTokenizer({ tokens, scores, specialTokens: ["<unk>"] });
    expect([...small.encode("ab  xyb")]).toEqual([2, 3, 1, 0, 3]);
    expect([...small.encode("😀")]).toEqual([1, 0]);
  });

  it.each<[string, (file: Fixture["tokenizer"]) => void, RegExp]>([
    [
      "scores that are none",
      ({ model }) => Object.assign(model.vocab[5], ["x", "y"]),
      /piece 5 is .* a text and a score/,
    ],
    ["a piece twice", ({ model }) => Object.assign(model.vocab[5], model.vocab[6]), /piece 6 is .* each text once/],
    ["no list", ({ model }) => Object.assign(model, { vocab: { a: 1 } }), /expected a list of at most/],
    [
      "another form",
      (file) => Object.assign(file, { pre_tokenizer: { type: "ByteLevel" } }),
      /pre_tokenizer is "ByteLevel"/,
    ],
    ["no words", (file) => Object.assign(file, { pre_tokenizer: null }), /no pre_tokenizer: with this model Metaspace/],
    ["bytes", ({ model }) => Object.assign(model, { byte_fallback: true }), /byte_fallback, which is not known/],
    [
      "another normaliser",
      (file) => Object.assign(file, { normalizer: { type: "Lowercase" } }),
      /normalizer is "Lowercase"/,
    ],
    ["no unknown token", (file) => Object.assign(file, { added_tokens: [] }), /needs a special token "<unk>"/],
  ])("refuses a file with %s in one line", (_, change, says) => {
    const file = structuredClone(fixture.tokenizer);
    change(file);
    expect(() => readTokenizer(JSON.stringify(file), "x.json")).toThrow(says);
  });
});
