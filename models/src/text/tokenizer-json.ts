/**
 * tokenizer.json, the file that Hugging Face's `tokenizers` writes and reads: the whole tokenizer as one JSON document.
 * Here four kinds of it are known: byte-level BPE (GPT-2's), WordPiece (BERT's), Unigram (T5's), and characters, which is a
 * BPE without merges that gets a text in one piece.
 */
import { InputError } from "../errors.ts";
import { findDuplicateKey } from "../weights/duplicate-key.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { CharTokenizer } from "./char-tokenizer.ts";
import { shown } from "./shown.ts";
import { type Tokenizer, VocabularyTokenizer } from "./tokenizer.ts";
import { UnigramTokenizer } from "./unigram-tokenizer.ts";
import { MOST_TOKENS } from "./vocabulary.ts";
import { WordPieceTokenizer } from "./word-piece-tokenizer.ts";
import { WordTokenizer } from "./word-tokenizer.ts";

/** More than the file of any tokenizer in use has. */
const MOST_CHARACTERS = 128 * 1024 * 1024;
const MOST_ADDED = 10_000;
/** Objects and lists in one another; a tokenizer's file has some ten. */
const DEEPEST = 100;

type Fields = { readonly [key: string]: unknown };

/**
 * Reads a tokenizer.json. What it says about truncation, padding and special tokens around a text is left to the
 * caller: `encode` gives the text's own tokens.
 *
 * @param name of the file, for messages
 * @throws InputError, one line: it is no JSON, is damaged, or is of a kind that is not known here
 */
export function readTokenizer(json: string, name = "tokenizer.json"): Tokenizer {
  try {
    return tokenizerOf(parse(json));
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${name}: ${error.message}`) : error;
  }
}

function parse(json: string): Fields {
  if (json.length > MOST_CHARACTERS) {
    throw new InputError(`${json.length} characters: a tokenizer has at most ${MOST_CHARACTERS}`);
  }
  if (isDeeperThan(DEEPEST, json)) {
    throw new InputError(`it has lists or objects more than ${DEEPEST} deep in one another: it is damaged`);
  }
  let file: unknown;
  try {
    file = JSON.parse(json);
  } catch {
    throw new InputError("it is no JSON: give a tokenizer.json of Hugging Face's tokenizers");
  }
  const key = findDuplicateKey(json);
  if (key !== undefined) throw new InputError(`it has ${shown(key)} twice in one object: it is damaged`);
  return fieldsOf(file, "the file");
}

/** JSON.parse takes minutes for a few million lists in one another. */
function isDeeperThan(most: number, json: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const sign = json[i];
    if (sign === '"') quoted = !quoted;
    else if (quoted) i += sign === "\\" ? 1 : 0;
    else if (sign === "[" || sign === "{") depth++;
    else if (sign === "]" || sign === "}") depth--;
    if (depth > most) return true;
  }
  return false;
}

function tokenizerOf(file: Fields): Tokenizer {
  const model = fieldsOf(file.model, "model");
  if (model.type === "Unigram") return unigramOf(file, model);
  const { tokens, specialTokens } = vocabularyOf(model, file.added_tokens);
  // Files of before 2021 do not name the kind.
  const kind =
    model.type ?? ("merges" in model ? "BPE" : "max_input_chars_per_word" in model ? "WordPiece" : undefined);
  if (kind === "WordPiece") return wordPieceOf(file, model, tokens, specialTokens);
  if (kind === "WordLevel") return wordsOf(file, model, tokens, specialTokens);
  if (kind !== "BPE") {
    throw new InputError(`its model is ${shown(kind)}: BPE, WordPiece, WordLevel and Unigram are known here`);
  }

  expectAbsent(model, "model", ["dropout", "continuing_subword_prefix", "end_of_word_suffix"]);
  expectAbsent(model, "model", ["byte_fallback", "ignore_merges"]);
  expectAbsent(file, "the file", ["normalizer"]);
  const merges = mergesOf(model.merges);
  if (merges.length === 0 && isNothing(file.pre_tokenizer)) {
    expectType(file, "decoder", "Fuse");
    return charactersOf(model, tokens, specialTokens);
  }
  return new BpeTokenizer({ tokens, merges, specialTokens, addPrefixSpace: byteLevelOf(file) });
}

/** Expects words as bytes. @returns whether a space is put before a text */
function byteLevelOf(file: Fields): boolean {
  const preTokenizer = expectType(file, "pre_tokenizer", "ByteLevel");
  expectType(file, "decoder", "ByteLevel");
  if (preTokenizer.use_regex === false) {
    throw new InputError("its pre_tokenizer leaves words to another one (use_regex is false): not known here");
  }
  return flag(preTokenizer, "pre_tokenizer", "add_prefix_space", true);
}

function wordsOf(file: Fields, model: Fields, tokens: string[], specialTokens: string[]): WordTokenizer {
  expectAbsent(file, "the file", ["normalizer"]);
  const tokenizer = new WordTokenizer({ tokens, specialTokens, addPrefixSpace: byteLevelOf(file) });
  if (model.unk_token !== tokenizer.tokenOf(tokenizer.unknownId)) {
    throw new InputError(`its unk_token is ${shown(model.unk_token)}: expected "<unk>", as a special token`);
  }
  return tokenizer;
}

function charactersOf(model: Fields, tokens: string[], specialTokens: string[]): CharTokenizer {
  const tokenizer = new CharTokenizer(tokens, specialTokens);
  const { unk } = tokenizer.special;
  const given = isNothing(model.unk_token) ? undefined : model.unk_token;
  if (given !== (unk === undefined ? undefined : tokenizer.tokenOf(unk))) {
    throw new InputError(`its unk_token is ${shown(given)}: expected "<unk>", as a special token, or none`);
  }
  return tokenizer;
}

function wordPieceOf(file: Fields, model: Fields, tokens: string[], specialTokens: string[]): WordPieceTokenizer {
  const normalizer = expectType(file, "normalizer", "BertNormalizer");
  expectType(file, "pre_tokenizer", "BertPreTokenizer");
  const decoder = expectType(file, "decoder", "WordPiece");
  const prefix = textField(model, "model", "continuing_subword_prefix", "##");
  if (textField(decoder, "decoder", "prefix", "##") !== prefix) {
    throw new InputError("its model and its decoder have different prefixes of tokens that go on with a word");
  }
  const lowerCase = flag(normalizer, "normalizer", "lowercase", true);
  const longestWord = model.max_input_chars_per_word ?? 100;
  if (!(typeof longestWord === "number" && longestWord <= 10_000)) {
    throw new InputError(`its max_input_chars_per_word is ${shown(longestWord)}: expected 1 to 10000`);
  }
  return new WordPieceTokenizer({
    tokens,
    specialTokens,
    unknownToken: textField(model, "model", "unk_token", "[UNK]"),
    continuingPrefix: prefix,
    longestWord,
    tidy: flag(decoder, "decoder", "cleanup", true),
    cleaning: {
      clean: flag(normalizer, "normalizer", "clean_text", true),
      splitHan: flag(normalizer, "normalizer", "handle_chinese_chars", true),
      stripAccents: flag(normalizer, "normalizer", "strip_accents", lowerCase),
      lowerCase,
    },
  });
}

function unigramOf(file: Fields, model: Fields): UnigramTokenizer {
  const pieces = piecesOf(model.vocab);
  const vocab = Object.fromEntries(pieces.map(([token], id) => [token, id]));
  const { tokens, specialTokens } = vocabularyOf({ vocab }, file.added_tokens);
  expectAbsent(model, "model", ["byte_fallback"]);
  expectTypes(file, "normalizer", "normalizers", ["Precompiled", "NFKC", "Strip", "Replace"]);
  if (isNothing(file.pre_tokenizer))
    throw new InputError("it has no pre_tokenizer: with this model Metaspace is expected");
  expectTypes(file, "pre_tokenizer", "pretokenizers", ["WhitespaceSplit", "Metaspace"]);
  const { replacement = "▁" } = expectType(file, "decoder", "Metaspace");
  if (replacement !== "▁") throw new InputError(`its spaces are ${shown(replacement)}: expected "▁"`);
  return new UnigramTokenizer({ tokens, scores: tokens.map((_, id) => pieces[id]?.[1] ?? 0), specialTokens });
}

/** Pieces and their scores, each piece once. */
function piecesOf(vocab: unknown): [string, number][] {
  if (!Array.isArray(vocab) || vocab.length > MOST_TOKENS) {
    throw new InputError(`its vocab is ${shown(vocab)}: expected a list of at most ${MOST_TOKENS} pieces with scores`);
  }
  const seen = new Set<string>();
  return vocab.map((piece: unknown, id) => {
    const [token, score] = Array.isArray(piece) ? piece : [];
    if (typeof token !== "string" || typeof score !== "number" || seen.has(token)) {
      throw new InputError(`its piece ${id} is ${shown(piece)}: expected a text and a score, each text once`);
    }
    seen.add(token);
    return [token, score];
  });
}

/** The tokens of the model and those added to it, in the order of their ids, which have no gaps. */
function vocabularyOf(model: Fields, added: unknown): { tokens: string[]; specialTokens: string[] } {
  const ids = new Map<string, unknown>(Object.entries(fieldsOf(model.vocab, "model.vocab")));
  const specialTokens = new Set<string>();
  if (!isNothing(added)) {
    if (!Array.isArray(added) || added.length > MOST_ADDED) {
      throw new InputError(`its added_tokens are ${shown(added)}: expected a list of at most ${MOST_ADDED}`);
    }
    for (const [i, entry] of added.entries()) {
      const token = fieldsOf(entry, `added_tokens[${i}]`);
      const content = textField(token, `added_tokens[${i}]`, "content");
      // Around sentinels space never counts, whatever T5's files say.
      const kinds = /^<extra_id_\d+>$/.test(content) ? ["single_word"] : ["single_word", "lstrip", "rstrip"];
      const odd = kinds.find((key) => !isNothing(token[key]) && token[key] !== false);
      if (token.special !== true || odd) {
        throw new InputError(
          `its added token ${shown(content)} is ${odd ? odd : "not special"}: only plain special ones are known here`,
        );
      }
      if (ids.has(content) && ids.get(content) !== token.id) {
        throw new InputError(`its token ${shown(content)} is ${shown(ids.get(content))} and ${shown(token.id)}`);
      }
      ids.set(content, token.id);
      specialTokens.add(content);
    }
  }
  if (ids.size > MOST_TOKENS) throw new InputError(`it has ${ids.size} tokens: at most ${MOST_TOKENS} are taken`);
  const tokens = new Array<string>(ids.size);
  for (const [token, id] of ids) {
    if (!(typeof id === "number" && Number.isInteger(id) && id >= 0 && id < ids.size)) {
      throw new InputError(
        `its token ${shown(token)} has the id ${shown(id)}: expected 0 to ${ids.size - 1}, each once`,
      );
    }
    if (tokens[id] !== undefined) {
      throw new InputError(`its tokens ${shown(tokens[id])} and ${shown(token)} both have the id ${id}`);
    }
    tokens[id] = token;
  }
  return { tokens, specialTokens: [...specialTokens] };
}

/** Pairs of tokens; files of before 2024 have them as one text with a space between. */
function mergesOf(merges: unknown): [string, string][] {
  if (!Array.isArray(merges) || merges.length > MOST_TOKENS) {
    throw new InputError(`its merges are ${shown(merges)}: expected a list of at most ${MOST_TOKENS} pairs`);
  }
  return merges.map((merge: unknown, i) => {
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    if (Array.isArray(pair) && pair.length === 2 && pair.every((token) => typeof token === "string" && token !== "")) {
      return [pair[0], pair[1]];
    }
    throw new InputError(`its merge ${i} is ${shown(merge)}: expected two tokens`);
  });
}

const isNothing = (value: unknown): value is null | undefined => value === null || value === undefined;

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new InputError(`${what} is ${shown(value)}: expected an object, as in a tokenizer.json of Hugging Face's`);
}

function textField(fields: Fields, what: string, key: string, absent?: string): string {
  const value = fields[key] ?? absent;
  if (typeof value === "string" && value !== "") return value;
  throw new InputError(`${what} has ${shown(value)} for ${key}: expected text`);
}

function flag(fields: Fields, what: string, key: string, absent: boolean): boolean {
  const value = fields[key] ?? absent;
  if (typeof value === "boolean") return value;
  throw new InputError(`${what} has ${shown(value)} for ${key}: expected true or false`);
}

/** A part of the file that has to be of one kind. */
function expectType(file: Fields, part: string, type: string): Fields {
  const fields = isNothing(file[part]) ? {} : fieldsOf(file[part], part);
  if (fields.type === type) return fields;
  throw new InputError(`its ${part} is ${shown(fields.type ?? null)}: with this model ${type} is known here`);
}

/** A part of the file, or all of a sequence of parts, that have to be of some of these kinds. */
function expectTypes(file: Fields, part: string, list: string, types: readonly string[]): void {
  if (isNothing(file[part])) return;
  const fields = fieldsOf(file[part], part);
  const parts: unknown[] = fields.type === "Sequence" && Array.isArray(fields[list]) ? fields[list] : [fields];
  for (const one of parts) {
    const { type } = fieldsOf(one, part);
    if (types.includes(String(type))) continue;
    throw new InputError(`its ${part} is ${shown(type)}: with this model ${types.join(", ")} are known here`);
  }
}

/** Refuses what would change the ids, and is not known here. */
function expectAbsent(fields: Fields, what: string, keys: readonly string[]): void {
  const found = keys.find(
    (key) => !isNothing(fields[key]) && fields[key] !== "" && fields[key] !== false && fields[key] !== 0,
  );
  if (found) throw new InputError(`${what} has ${shown(fields[found])} for ${found}, which is not known here`);
}

/** The tokenizer.json of a tokenizer, which Hugging Face's `tokenizers` reads too. */
export function writeTokenizer(tokenizer: Tokenizer): string {
  if (!(tokenizer instanceof VocabularyTokenizer))
    throw new TypeError("a tokenizer.json is of a tokenizer of this package");
  const { vocabulary } = tokenizer;
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: vocabulary.specialTokens
      .map((content) => ({
        id: vocabulary.requireId(content),
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      }))
      .sort((a, b) => a.id - b.id),
    ...partsOf(tokenizer, Object.fromEntries(vocabulary.tokens.map((token, id) => [token, id]))),
  };
  return `${JSON.stringify(file)}\n`;
}

function partsOf(tokenizer: VocabularyTokenizer, vocab: { [token: string]: number }): Fields {
  if (tokenizer instanceof BpeTokenizer) {
    const merges = tokenizer.merges.map((pair) => pair.join(" "));
    return { ...byteLevelParts(tokenizer), model: { ...bpe, vocab, merges } };
  }
  if (tokenizer instanceof WordTokenizer) {
    const unk_token = tokenizer.tokenOf(tokenizer.unknownId);
    return { ...byteLevelParts(tokenizer), model: { type: "WordLevel", vocab, unk_token } };
  }
  if (tokenizer instanceof CharTokenizer) {
    const { unk } = tokenizer.special;
    return {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: "Fuse" },
      model: { ...bpe, unk_token: unk === undefined ? null : tokenizer.tokenOf(unk), vocab, merges: [] },
    };
  }
  if (tokenizer instanceof WordPieceTokenizer) {
    const { cleaning, continuingPrefix } = tokenizer;
    return {
      normalizer: {
        type: "BertNormalizer",
        clean_text: cleaning.clean,
        handle_chinese_chars: cleaning.splitHan,
        strip_accents: cleaning.stripAccents,
        lowercase: cleaning.lowerCase,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: bertTemplate(tokenizer),
      decoder: { type: "WordPiece", prefix: continuingPrefix, cleanup: tokenizer.tidy },
      model: {
        type: "WordPiece",
        unk_token: tokenizer.unknownToken,
        continuing_subword_prefix: continuingPrefix,
        max_input_chars_per_word: tokenizer.longestWord,
        vocab,
      },
    };
  }
  if (tokenizer instanceof UnigramTokenizer) {
    const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
    return {
      normalizer: { type: "NFKC" },
      pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
      post_processor: null,
      decoder: metaspace,
      model: {
        type: "Unigram",
        unk_id: tokenizer.special.unk,
        vocab: tokenizer.vocabulary.tokens.map((token, id) => [token, tokenizer.scores[id]]),
        byte_fallback: false,
      },
    };
  }
  throw new TypeError("a tokenizer.json is of BPE, WordPiece, Unigram, words or characters");
}

function byteLevelParts({ addPrefixSpace }: { addPrefixSpace: boolean }): Fields {
  const byteLevel = { type: "ByteLevel", add_prefix_space: addPrefixSpace, trim_offsets: true, use_regex: true };
  return {
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: { ...byteLevel, add_prefix_space: true }, // without effect; theirs always says so
  };
}

const bpe = {
  type: "BPE",
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
};

/** `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` of two texts: what their library puts around what it encodes. */
function bertTemplate(tokenizer: WordPieceTokenizer): Fields | null {
  const ids = ["[CLS]", "[SEP]"].map((token) => tokenizer.idOf(token));
  if (ids.includes(undefined)) return null;
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, sequence("B", 1), special("[SEP]", 1)],
    special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map((id, i) => [id, { id, ids: [ids[i]], tokens: [id] }])),
  };
}
