export { type Augmentation, imageTransform, normalisationTable, type Transform } from "./augment.ts";
export {
  batchCount,
  type EpochOptions,
  type EvaluationOptions,
  epochBatches,
  evaluationBatches,
} from "./batches.ts";
export { coverImage, type Picture } from "./cover-image.ts";
export { InputError } from "./errors.ts";
export { inMemoryImages } from "./in-memory.ts";
export { type Mixing, mixBatch } from "./mix.ts";
export { prefetch } from "./prefetch.ts";
export type { RandAugment } from "./rand-augment.ts";
export { holdOut, permutation, subset } from "./split.ts";
export type { Batch, ImageDataset, ImageSet, Progress, ProgressEvent, Random, RandomSource } from "./types.ts";
