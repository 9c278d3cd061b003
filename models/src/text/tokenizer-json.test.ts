import { describe, expect, it } from "vitest";
import {
  CharTokenizer,
  checkVocabularySize,
  readTokenizer,
  trainBpe,
  WordPieceTokenizer,
  writeTokenizer,
} from "./index.ts";

/** What tests change in a tokenizer.json. */
interface TokenizerFile {
  [part: string]: unknown;
  added_tokens: { [key: string]: unknown }[];
  pre_tokenizer: { [key: string]: unknown };
  decoder: { [key: string]: unknown };
  model: { [key: string]: unknown; vocab: { [token: string]: unknown }; merges: unknown[] };
}

const bpe = trainBpe("low lower lowest newest widest", 300);
const fileOf = (tokenizer: Parameters<typeof writeTokenizer>[0]): TokenizerFile =>
  JSON.parse(writeTokenizer(tokenizer));

/** The message about a file of which something was changed. */
function refusal(change: (file: TokenizerFile) => void, tokenizer: Parameters<typeof writeTokenizer>[0] = bpe): string {
  const file = fileOf(tokenizer);
  change(file);
  return message(JSON.stringify(file));
}

function message(json: string): string {
  try {
    readTokenizer(json, "x.json");
  } catch (error) {
    const { name, message } = error as Error;
    expect(name).toBe("InputError");
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(300);
    return message;
  }
  throw new Error("expected an error");
}

describe("readTokenizer", () => {
  it("reads GPT-2's form: no type of the model, merges as text, empty affixes", () => {
    const file = fileOf(bpe);
    file.model.type = undefined;
    file.model.byte_fallback = undefined;
    file.model.ignore_merges = undefined;
    file.pre_tokenizer.use_regex = undefined;
    Object.assign(file.model, { continuing_subword_prefix: "", end_of_word_suffix: "" });
    file.added_tokens[0].normalized = true;
    const tokenizer = readTokenizer(JSON.stringify(file));
    expect([...tokenizer.encode("the lowest")]).toEqual([...bpe.encode("the lowest")]);
  });

  it("reads merges as pairs", () => {
    const file = fileOf(bpe);
    file.model.merges = file.model.merges.map((merge) => String(merge).split(" "));
    expect([...readTokenizer(JSON.stringify(file)).encode("lowest")]).toEqual([...bpe.encode("lowest")]);
  });

  it("takes an added token that the model does not have", () => {
    const file = fileOf(bpe);
    const size = Object.keys(file.model.vocab).length;
    file.added_tokens.push({ id: size, content: "<extra>", special: true });
    const tokenizer = readTokenizer(JSON.stringify(file));
    expect([tokenizer.vocabularySize, tokenizer.idOf("<extra>")]).toEqual([size + 1, size]);
  });

  it.each([
    ["", /^x.json: it is no JSON: give a tokenizer.json of Hugging Face's tokenizers$/],
    ["{", /it is no JSON/],
    ["[]", /the file is a list of 0: expected an object/],
    ["null", /the file is null/],
    ["{}", /model is undefined: expected an object/],
    ['{"model":{"vocab":{"a":0,"a":1}}}', /it has "a" twice in one object/],
    ['{"model":{"type":"BPE","vocab":[]}}', /model.vocab is a list of 0/],
    [
      '{"model":{"type":"Unigram","vocab":{"a":0}}}',
      /its vocab is an object: expected a list of at most 1000000 pieces/,
    ],
    [
      '{"model":{"type":"Words","vocab":{"a":0}}}',
      /its model is "Words": BPE, WordPiece, WordLevel and Unigram are known here/,
    ],
    ['{"model":{"vocab":{"a":0}}}', /its model is undefined: BPE, WordPiece, WordLevel and Unigram/],
  ])("refuses %j", (json, expected) => {
    expect(message(json)).toMatch(expected);
  });

  it("refuses lists in one another before it reads them, and takes brackets in text for text", () => {
    const deep = "[".repeat(200) + "]".repeat(200);
    expect(() => readTokenizer(`{"model": ${deep}}`)).toThrow(/more than 100 deep in one another/);
    expect(() => readTokenizer(`{"model": ${JSON.stringify(`\\"${deep}`)}}`)).toThrow(/model is .*expected an object/);
  });

  it.each<[string, (file: TokenizerFile) => void, RegExp]>([
    ["a byte without a token", ({ model }) => rename(model.vocab, "Ġ", "other"), /lacks "Ġ" for the byte 0x20/],
    ["an id that is no number", ({ model }) => Object.assign(model.vocab, { low: "7" }), /"low" has the id "7"/],
    ["a negative id", ({ model }) => Object.assign(model.vocab, { low: -1 }), /"low" has the id -1: expected 0 to/],
    ["an id far out", ({ model }) => Object.assign(model.vocab, { low: 2 ** 40 }), /"low" has the id 1099511627776/],
    ["an id of two tokens", ({ model }) => Object.assign(model.vocab, { low: 5 }), /both have the id 5/],
    [
      "a token of no bytes",
      ({ model }) => rename(model.vocab, "low", "漢"),
      /"漢" has characters that stand for no byte/,
    ],
    ["an empty token", ({ model }) => rename(model.vocab, "low", ""), /is empty/],
    ["a merge of three", ({ model }) => model.merges.push("a b c"), /its merge \d+ is "a b c": expected two tokens/],
    ["a merge that is no text", ({ model }) => model.merges.push([1, 2]), /its merge \d+ is a list of 2/],
    ["a merge of what is no token", ({ model }) => model.merges.push("l zzz"), /"l" and "zzz", and "zzz" is no token/],
    ["a merge that makes no token", ({ model }) => model.merges.push("q q"), /and "qq" is no token/],
    ["a merge twice", ({ model }) => model.merges.push(model.merges[0]), /is there twice/],
    ["merges that are no list", ({ model }) => Object.assign(model, { merges: "l o" }), /its merges are "l o"/],
    ["dropout", ({ model }) => Object.assign(model, { dropout: 0.1 }), /model has 0.1 for dropout, which is not known/],
    ["a suffix", ({ model }) => Object.assign(model, { end_of_word_suffix: "</w>" }), /"<\/w>" for end_of_word_suffix/],
    ["byte fallback", ({ model }) => Object.assign(model, { byte_fallback: true }), /true for byte_fallback/],
    ["a normalizer", (file) => Object.assign(file, { normalizer: { type: "NFC" } }), /an object for normalizer/],
    [
      "another pre-tokenizer",
      (file) => Object.assign(file, { pre_tokenizer: { type: "Metaspace" } }),
      /"Metaspace": with this model ByteLevel/,
    ],
    [
      "no pre-tokenizer",
      (file) => Object.assign(file, { pre_tokenizer: null }),
      /its pre_tokenizer is null: with this model ByteLevel/,
    ],
    ["other words", (file) => Object.assign(file.pre_tokenizer, { use_regex: false }), /use_regex is false/],
    ["no decoder", (file) => Object.assign(file, { decoder: null }), /its decoder is null/],
    [
      "an odd flag",
      (file) => Object.assign(file.pre_tokenizer, { add_prefix_space: 1 }),
      /1 for add_prefix_space: expected true or false/,
    ],
    [
      "added tokens that are no list",
      (file) => Object.assign(file, { added_tokens: {} }),
      /its added_tokens are an object/,
    ],
    [
      "an added token without text",
      (file) => file.added_tokens.push({ id: 300, special: true }),
      /undefined for content/,
    ],
    [
      "an added token that is text",
      (file) => Object.assign(file.added_tokens[0], { special: false }),
      /"<pad>" is not special/,
    ],
    [
      "an added token that eats spaces",
      (file) => Object.assign(file.added_tokens[0], { lstrip: true }),
      /"<pad>" is lstrip/,
    ],
    [
      "an added token of two ids",
      (file) => Object.assign(file.added_tokens[0], { id: 7 }),
      /its token "<pad>" is 0 and 7/,
    ],
  ])("refuses %s", (_, change, expected) => {
    expect(refusal(change)).toMatch(expected);
  });

  it.each<[string, (file: TokenizerFile) => void, RegExp]>([
    [
      "no unknown token",
      ({ model }) => Object.assign(model, { unk_token: "[X]" }),
      /the vocabulary has no token "\[X\]"/,
    ],
    [
      "no normalizer",
      (file) => Object.assign(file, { normalizer: null }),
      /its normalizer is null: with this model BertNormalizer/,
    ],
    ["another prefix", ({ decoder }) => Object.assign(decoder, { prefix: "@@" }), /different prefixes/],
    [
      "words of any length",
      ({ model }) => Object.assign(model, { max_input_chars_per_word: 1e9 }),
      /is 1000000000: expected 1 to/,
    ],
    [
      "words of no length",
      ({ model }) => Object.assign(model, { max_input_chars_per_word: 0 }),
      /0 characters: expected at least 1/,
    ],
  ])("refuses a WordPiece with %s", (_, change, expected) => {
    expect(refusal(change, new WordPieceTokenizer({ tokens: ["[UNK]", "a", "##b"] }))).toMatch(expected);
  });

  it("refuses characters with another unknown token", () => {
    const characters = CharTokenizer.fromText("abc", { unknown: "unk" });
    expect(refusal(({ model }) => Object.assign(model, { unk_token: "a" }), characters)).toMatch(
      /its unk_token is "a"/,
    );
    expect(refusal(({ model }) => Object.assign(model, { unk_token: null }), characters)).toMatch(
      /is undefined: expected "<unk>"/,
    );
  });

  it("keeps names that JavaScript has a meaning for", () => {
    const tokens = ["[UNK]", "__proto__", "constructor", "1", "0"];
    const tokenizer = readTokenizer(writeTokenizer(new WordPieceTokenizer({ tokens })));
    expect(tokens.map((token) => tokenizer.idOf(token))).toEqual([0, 1, 2, 3, 4]);
    expect(tokenizer.idOf("toString")).toBeUndefined();
  });
});

it("a vocabulary that does not fit the weights is told", () => {
  checkVocabularySize(bpe, bpe.vocabularySize);
  expect(() => checkVocabularySize(bpe, 50_257)).toThrow(
    `the tokenizer has ${bpe.vocabularySize} tokens and the network's embedding 50257 rows: give the tokenizer that the network was trained with`,
  );
});

function rename(vocab: { [token: string]: unknown }, from: string, to: string): void {
  vocab[to] = vocab[from];
  delete vocab[from];
}
