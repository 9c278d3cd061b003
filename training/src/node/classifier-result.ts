import type { FitEnd } from "../loop/fit.ts";

/** What a run came to: the content of its result.json. */
export interface ClassifierResult {
  end: FitEnd;
  model: string;
  dataset: string;
  recipe: string;
  seed: number;
  full: boolean;
  backend: string;
  precision: string;
  epochs: number;
  /** on the whole test set, after the last epoch, 0 to 1 */
  accuracy: number;
  top5: number;
  loss: number;
  testImages: number;
  /** seconds of training, over all processes of the run */
  seconds: number;
  /** of these, waiting for batches */
  dataSeconds: number;
  /** of these, in steps; the rest is held-out tests and checkpoints */
  stepSeconds: number;
  itemsPerSecond: number;
  /** most memory that the process held, bytes; of the last one, where the run was resumed */
  peakMemoryBytes: number;
}
