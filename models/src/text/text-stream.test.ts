import { expect, it } from "vitest";
import { TextStream } from "./text-stream.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { trainBpe } from "./train-bpe.ts";
import { WordPieceTokenizer } from "./word-piece-tokenizer.ts";

const text = " Ein Hund rennt, 😀 schnell. Ein Hund!";
const bytes = trainBpe(text, 270, { addPrefixSpace: true });
const words = new WordPieceTokenizer({ tokens: ["[UNK]", "ein", "hund", "##e", ",", "ren", "##nt"], cleaning: {} });

it.each([
  ["byte-level BPE", bytes, text],
  ["WordPiece", words, "Hunde, ein Hund, ein rennt, rennt"],
])("shows what decoding all at once gives: %s", (_, tokenizer, text) => {
  const ids = [...tokenizer.encode(text)];
  const stream = new TextStream(tokenizer);
  const shown = ids.map((id) => stream.push(id));
  expect(shown.join("") + stream.end()).toBe(tokenizer.decode(ids));
  expect(shown.length).toBeGreaterThan(8);
});

it("shows a character when its last byte has come", () => {
  const ids = [...bytes.encode("😀")].slice(-4);
  const stream = new TextStream(bytes);
  expect(stream.push(...bytes.encode("a"))).toBe("a");
  expect(ids.map((id) => stream.push(id))).toEqual(["", "", "", "😀"]);
  stream.push(ids[0]);
  expect(stream.end()).toBe("\uFFFD");
});

it("decodes a few tokens for each that comes, however many there were", () => {
  let decoded = 0;
  const counting = Object.create(bytes, {
    decode: {
      value: (ids: number[]) => {
        decoded += ids.length;
        return bytes.decode(ids);
      },
    },
  }) as Tokenizer;
  const stream = new TextStream(counting);
  for (let i = 0; i < 1000; i++) stream.push(...bytes.encode("a"));
  expect(decoded).toBeLessThan(20_000);
});
