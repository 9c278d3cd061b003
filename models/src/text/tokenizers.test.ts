import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CharTokenizer, readTokenizer, type Tokenizer, trainBpe, WordPieceTokenizer, writeTokenizer } from "./index.ts";

/** What the reference did with one tokenizer. */
interface Measured {
  /** its tokenizer.json */
  file: {
    [part: string]: unknown;
    normalizer: object | null;
    model: { vocab: Record<string, number>; merges?: (string | [string, string])[] };
  };
  /** of `texts`, special tokens spelt in them left as text */
  ids: number[][];
  /** what these ids are decoded to */
  decoded: string[];
  /** of `longTexts` */
  long: { count: number; sha256: string }[];
  /** of `texts`, special tokens spelt in them taken as such */
  special: number[][];
}

interface Reference {
  corpus: string[];
  texts: string[];
  bpe: (Measured & {
    vocabularySize: number;
    options: { specialTokens: string[]; addPrefixSpace: boolean; minFrequency: number };
  })[];
  wordPiece: Measured[];
  characters: Measured;
}

/** Made by make-tokenizers.py. */
const reference: Reference = JSON.parse(readFileSync(new URL("./fixtures/tokenizers.json", import.meta.url), "utf8"));
/** The texts of make-tokenizers.py that are too long for a file. */
const longTexts: readonly string[] = [
  Array.from({ length: 10_000 }, (_, i) => `word${(i * 7919) % 1000}`).join(" "),
  "aaab".repeat(3000),
  "é".repeat(5000),
];

const { corpus, texts } = reference;
const measured: [string, Measured][] = [
  ...reference.bpe.map((each): [string, Measured] => [`BPE of ${each.vocabularySize}`, each]),
  ...reference.wordPiece.map((each, i): [string, Measured] => [`WordPiece ${i}`, each]),
  ["characters", reference.characters],
];

describe.each(measured)("%s, of the reference's file", (_, { file, ids, decoded, long, special }) => {
  const tokenizer = readTokenizer(JSON.stringify(file));

  it.each(texts.map((text, i) => [i, text]))("encodes text %i, %j, as the reference", (i, text) => {
    expect([...tokenizer.encode(text)]).toEqual(ids[i]);
    expect([...tokenizer.encode(text, { special: true })]).toEqual(special[i]);
  });

  it("encodes long texts as the reference", () => {
    for (const [i, text] of longTexts.entries()) {
      const ids = tokenizer.encode(text);
      expect(ids).toHaveLength(long[i].count);
      expect(createHash("sha256").update(ids.join()).digest("hex")).toBe(long[i].sha256);
    }
  });

  it("decodes as the reference, but for the space that it put before the text", () => {
    const prefixed = "addPrefixSpace" in tokenizer && tokenizer.addPrefixSpace;
    for (const [i, each] of ids.entries()) {
      expect(tokenizer.decode(each)).toBe(prefixed ? decoded[i].replace(/^ /, "") : decoded[i]);
    }
  });

  it("writes the file that the reference wrote", () => {
    const written = JSON.parse(writeTokenizer(tokenizer));
    expect(normalised(written)).toEqual(normalised(file));
    expect(writeTokenizer(readTokenizer(writeTokenizer(tokenizer)))).toBe(writeTokenizer(tokenizer));
  });
});

/** Leaves out what has several forms that mean the same. */
function normalised({ normalizer, model, ...rest }: Measured["file"]) {
  return {
    ...rest,
    normalizer: normalizer && { ...normalizer, strip_accents: undefined },
    model: {
      ...model,
      vocab: Object.entries(model.vocab).sort(([, a], [, b]) => a - b),
      merges: model.merges?.map(pairText),
    },
  };
}

const pairText = (pair: string | [string, string]): string => (typeof pair === "string" ? pair : pair.join(" "));

describe("trainBpe", () => {
  it.each(reference.bpe)(
    "learns what the reference learns: $vocabularySize, $options",
    ({ vocabularySize, options, file }) => {
      const tokenizer = trainBpe(corpus, vocabularySize, options);
      expect(tokenizer.merges).toEqual(file.model.merges);
      expect(Object.entries(file.model.vocab).sort(([, a], [, b]) => a - b)).toEqual(
        tokenizer.vocabulary.tokens.map((token, id) => [token, id]),
      );
    },
  );

  it("does not depend on the order of the texts", () => {
    const [forward, backward] = [corpus, corpus.toReversed()].map((texts) => trainBpe(texts, 600));
    expect(backward.merges).toEqual(forward.merges);
  });

  it("has fewer tokens where no pair is frequent enough, and takes a single text", () => {
    const tokenizer = trainBpe("ab ab ab cd", 1000, { specialTokens: [] });
    expect(tokenizer.merges).toEqual([
      ["a", "b"],
      ["Ġ", "ab"],
    ]);
    expect(tokenizer.vocabularySize).toBe(258);
  });

  it("says how far it is", () => {
    const told: [number, number][] = [];
    trainBpe(corpus, 512, { progress: (done, total) => told.push([done, total]) });
    expect(told.at(-1)).toEqual([253, 253]);
    expect(told.length).toBeGreaterThan(2);
  });

  it.each([
    [corpus, 258, {}, /a vocabulary of 258 tokens: give a whole number from 259 \(256 bytes and 3 special tokens\) to/],
    [corpus, 1e9, {}, /1000000000 tokens/],
    [corpus, 300.5, {}, /300.5 tokens/],
    [[], 300, {}, /there is no text to learn a vocabulary from/],
    ["", 300, {}, /there is no text/],
    [corpus, 300, { specialTokens: ["a"] }, /the tokens 0 and \d+ are both "a"/],
  ])("refuses %#", (texts, size, options, message) => {
    expect(() => trainBpe(texts, size, options)).toThrow(message);
  });
});

/** Whatever is written comes back. */
describe.each([
  ["BPE", trainBpe(corpus, 400)],
  ["BPE with a space before", trainBpe(corpus, 400, { addPrefixSpace: true })],
  ["characters", CharTokenizer.fromText([...texts, ...longTexts, ...corpus].join(""))],
] as [string, Tokenizer][])("%s", (name, tokenizer) => {
  it("gives every text back", () => {
    for (const text of [...texts, ...longTexts, ...corpus]) {
      const expected = name.includes("space") ? text.replace(/^ /, "") : text;
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(expected);
    }
  });

  it("refuses ids that no token has", () => {
    const { vocabularySize } = tokenizer;
    for (const id of [-1, vocabularySize, 1.5, Number.NaN]) {
      expect(() => tokenizer.decode([id])).toThrow(`there is no token ${id}: this vocabulary has ${vocabularySize}`);
    }
    expect(tokenizer.decode([])).toBe("");
  });
});

describe("special tokens", () => {
  const tokenizer = trainBpe(corpus, 300);

  it("have their ids by what they are for", () => {
    expect(tokenizer.special).toEqual({ pad: 0, bos: 1, eos: 2 });
    expect(tokenizer.idOf("</s>")).toBe(2);
    expect(tokenizer.tokenOf(1)).toBe("<s>");
    const gpt = trainBpe(corpus, 300, { specialTokens: ["<|endoftext|>"] });
    expect(gpt.special).toEqual({ bos: 0, eos: 0 });
    const bert = readTokenizer(JSON.stringify(reference.wordPiece[0].file));
    expect(bert.special).toEqual({ pad: 0, unk: 1, bos: 2, eos: 3 });
  });

  it("are never read out of a text unless asked for", () => {
    const text = "a</s>b";
    expect([...tokenizer.encode(text)]).not.toContain(2);
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    const ids = tokenizer.encode(text, { special: true });
    expect([...ids]).toEqual([tokenizer.idOf("a"), 2, tokenizer.idOf("b")]);
    expect(tokenizer.decode(ids)).toBe("ab");
    expect(tokenizer.decode(ids, { special: true })).toBe(text);
  });

  it("are told apart where one begins another", () => {
    const tokenizer = trainBpe(corpus, 300, { specialTokens: ["<a", "<a>", "(.*)"] });
    expect([...tokenizer.encode("<a><a(.*)", { special: true })]).toEqual([1, 0, 2]);
  });

  it("are not longer than can be searched for", () => {
    const many = (count: number, length: number) =>
      Array.from({ length: count }, (_, i) => String(i).padStart(length, "<"));
    for (const special of [many(1, 257), many(2000, 40)]) {
      expect(() => new CharTokenizer([...special, "a"], special)).toThrow(/expected at most 256 and 65536/);
    }
    const special = many(2000, 32);
    const tokenizer = new CharTokenizer([...special, "a"], special);
    expect([...tokenizer.encode(`a${special[7]}`, { special: true })]).toEqual([2000, 7]);
  });
});

describe("CharTokenizer", () => {
  it("has the characters of a text in the order of their code points, as nanoGPT", () => {
    const tokenizer = CharTokenizer.fromText("hello, 😀 world\ufb01\n");
    expect(tokenizer.vocabulary.tokens).toEqual([..."\n ,dehlorw\ufb01😀"]);
    expect([...tokenizer.encode("hell")]).toEqual([5, 4, 6, 6]);
  });

  it("refuses a character that it has not seen, or takes a token for it", () => {
    expect(() => CharTokenizer.fromText("abc").encode("abé")).toThrow(
      'the character "é" (U+00E9) is none of the tokenizer\'s 3: leave it out, or train with a token for unknown ones',
    );
    const tokenizer = CharTokenizer.fromText("abc", { unknown: "unk", specialTokens: ["<pad>"] });
    expect([...tokenizer.encode("ab😀c")]).toEqual([2, 3, 1, 4]);
    expect(tokenizer.decode([2, 1, 3], { special: true })).toBe("a<unk>b");
  });

  it("wants text", () => {
    expect(() => CharTokenizer.fromText("")).toThrow(/a vocabulary of 0 tokens/);
    expect(() => new CharTokenizer(["a", "bc"])).toThrow(/the token "bc" is not one character/);
    expect(() => new CharTokenizer(["a", "b"], ["b"])).toThrow(/the special token "b" is one character, which a text/);
  });
});

describe("WordPieceTokenizer", () => {
  it("keeps case where it is told to", () => {
    const tokens = ["[UNK]", "Straße", "strasse", "stra", "##ße"];
    const [lower, cased] = [true, false].map(
      (lowerCase) => new WordPieceTokenizer({ tokens, cleaning: { lowerCase } }),
    );
    expect([...lower.encode("Straße strasse")]).toEqual([3, 4, 2]);
    expect([...cased.encode("Straße strasse x")]).toEqual([1, 2, 0]);
  });

  it("does not take quadratic time for one long word", () => {
    const tokenizer = readTokenizer(JSON.stringify(reference.wordPiece[0].file));
    expect([...tokenizer.encode("x".repeat(1_000_000))]).toEqual([1]);
  });
});
