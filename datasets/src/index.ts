export { type Augmentation, imageTransform, normalisationTable, type Transform } from "./augment.ts";
export {
  batchCount,
  type EpochOptions,
  type EvaluationOptions,
  epochBatches,
  evaluationBatches,
} from "./batches.ts";
export { coverImage, type Picture } from "./cover-image.ts";
export { decodeText } from "./decode-text.ts";
export { type Documents, documentsOf } from "./documents.ts";
export { InputError } from "./errors.ts";
export { type BertIds, type HiddenWords, hideWords } from "./hide-words.ts";
export { inMemoryImages } from "./in-memory.ts";
export {
  type EncodedTexts,
  evaluationTexts,
  type LabelledBatchOptions,
  labelledBatches,
} from "./labelled-texts.ts";
export { type EncodedDocuments, type MaskedTextsOptions, maskedTexts } from "./masked-texts.ts";
export { type Mixing, mixBatch } from "./mix.ts";
export {
  type BucketOptions,
  bucketedPairs,
  type EncodedPairs,
  evaluationPairs,
  type PairBatchOptions,
} from "./pair-batches.ts";
export { prefetch } from "./prefetch.ts";
export type { RandAugment } from "./rand-augment.ts";
export { alignLines, parsePairs } from "./sentence-pairs.ts";
export { corruptedSpans, evaluationSpans, type SpanOptions } from "./span-corruption.ts";
export { holdOut, permutation, subset } from "./split.ts";
export { splitText } from "./split-text.ts";
export type {
  Batch,
  DocumentDataset,
  Epochs,
  ImageDataset,
  ImageSet,
  LabelledTextBatch,
  LabelledTextDataset,
  LabelledTexts,
  MaskedBatch,
  PairBatch,
  PairDataset,
  Progress,
  ProgressEvent,
  Random,
  RandomSource,
  SentencePairs,
  TextDataset,
  TokenBatch,
} from "./types.ts";
export { evaluationWindows, type WindowOptions, windows } from "./windows.ts";
