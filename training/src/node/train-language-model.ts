import { join } from "node:path";
import { evaluationWindows, type TextDataset, windows } from "@tfjs-zoo/datasets";
import { findLanguageModel, InputError, randomStream } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";
import type { Position } from "../loop/fit.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { type TextRecipe, textParameterGroups, textScheduleOf } from "../recipes/text-recipe.ts";
import type { LanguageModelInfo } from "../tasks/language-model-weights.ts";
import { evaluateText, languageModelling, type TextEvaluation } from "../tasks/language-modelling.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { saveLanguageModel } from "./language-model-file.ts";
import { languageModelReport } from "./language-model-report.ts";
import { type LanguageModelResult, languageModelResult } from "./language-model-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { saveTokenizer } from "./tokenizer-file.ts";

/** Windows a batch when nothing is learned. */
const EVALUATION_BATCH = 128;

export interface LanguageModelTraining extends RunTraining {
  run: RunFolder;
  dataset: TextDataset;
  tokenizer: Tokenizer;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; tokens: number; heldOut: number }): void;
  onTest?(tokens: number, total: number): void;
}

/**
 * Trains a language model in a run folder, from the start or from its last checkpoint; afterwards measures it on the
 * held-out text and writes weights, tokenizer, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when the text is too short for the network, or the loss is no longer finite
 */
export async function trainLanguageModel(training: LanguageModelTraining): Promise<LanguageModelResult | undefined> {
  const { run, dataset, tokenizer } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as TextRecipe;
  const context = Number(run.config.context);
  const vocabulary = tokenizer.vocabularySize;
  const info: LanguageModelInfo = { model: name, dataset: dataset.name, vocabulary, context };
  const [train, heldOut] = [tokenizer.encode(dataset.train), tokenizer.encode(dataset.validation)];
  const { batchSize, accumulate } = recipe;
  const data = windows({ tokens: train, context, batchSize, random: (...path) => randomStream(seed, ...path) });
  if (accumulate > data.batchesPerEpoch || heldOut.length <= context) {
    throw new InputError(
      `${dataset.name} has ${train.length} tokens to learn from and ${heldOut.length} held out, too few for a step of --batch-size ${batchSize} x --accumulate ${accumulate} windows of ${context}: give more text, or lower one of them or --context`,
    );
  }

  const model = findLanguageModel(name).build({ vocabulary, context, dropout: recipe.dropout, seed });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  const { clipNorm, ema, labelSmoothing } = recipe;
  const trainer = new Trainer(languageModelling(model, { labelSmoothing }), {
    groups: textParameterGroups(recipe),
    ...{ clipNorm, ema, seed },
    within: training.within,
  });
  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const measure = (onBatch?: (tokens: number) => void): Promise<TextEvaluation> =>
    evaluateText(model, evaluationWindows({ tokens: heldOut, context, batchSize: EVALUATION_BATCH }), onBatch);

  await saveTokenizer(join(run.dir, "tokenizer.json"), tokenizer);
  training.onStart?.({ resumedAt: checkpoint?.position, tokens: train.length, heldOut: heldOut.length });
  try {
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, recipe, data },
      schedule: textScheduleOf(recipe),
      validate: () => measure().then(({ loss, perplexity }) => ({ loss, perplexity })),
      score: ({ loss }) => -loss,
      saveWeights: (path) => saveLanguageModel(path, model, info),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const test = await measure((tokens) => training.onTest?.(tokens, heldOut.length));
      const items = trainer.step * batchSize * accumulate * context;
      const result = languageModelResult(run.config, end, position, items, test);
      await saveLanguageModel(join(run.dir, "weights.safetensors"), model, info);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await languageModelReport(run, result));
      return result;
    });
  } finally {
    trainer.dispose();
    model.dispose();
  }
}
