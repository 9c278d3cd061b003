/** Text to ids and back: characters, words, byte-level BPE, WordPiece, Unigram. TensorFlow.js is not loaded here. */
export { type BpeOptions, BpeTokenizer } from "./bpe-tokenizer.ts";
export { CharTokenizer, type CharTokenizerOptions } from "./char-tokenizer.ts";
export { decodeWithSentinels, encodeWithSentinels, sentinelIds, sentinelTokens } from "./sentinels.ts";
export { TextStream } from "./text-stream.ts";
export { tokenTexts } from "./token-texts.ts";
export {
  checkVocabularySize,
  type DecodeOptions,
  type EncodeOptions,
  type Tokenizer,
  VocabularyTokenizer,
} from "./tokenizer.ts";
export { readTokenizer, writeTokenizer } from "./tokenizer-json.ts";
export { type TrainBpeOptions, trainBpe } from "./train-bpe.ts";
export { type TrainWordPieceOptions, trainWordPiece } from "./train-word-piece.ts";
export { type UnigramOptions, UnigramTokenizer } from "./unigram-tokenizer.ts";
export { withUnusedTokens } from "./unused-tokens.ts";
export { readVocabTxt } from "./vocab-txt.ts";
export type { SpecialIds } from "./vocabulary.ts";
export { type WordPieceOptions, WordPieceTokenizer } from "./word-piece-tokenizer.ts";
export { trainWords, type WordOptions, WordTokenizer } from "./word-tokenizer.ts";
