import { join } from "node:path";
import { corruptedSpans, evaluationSpans, prefetch, type TextDataset } from "@tfjs-zoo/datasets";
import { findTranslator, InputError, randomStream, type Translator } from "@tfjs-zoo/models";
import { sentinelIds, type Tokenizer } from "@tfjs-zoo/models/text";
import type { Position } from "../loop/fit.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { type TextRecipe, textParameterGroups, textScheduleOf } from "../recipes/text-recipe.ts";
import type { TextEvaluation } from "../tasks/language-modelling.ts";
import { translation, translationLoss } from "../tasks/translation.ts";
import { pairIds, SPANS, type TranslatorInfo } from "../tasks/translator-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { languageModelReport } from "./language-model-report.ts";
import { type LanguageModelResult, languageModelResult } from "./language-model-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { saveTokenizer } from "./tokenizer-file.ts";
import { saveTranslator } from "./translator-file.ts";

/** Pieces a batch when nothing is learned. */
const EVALUATION_BATCH = 100;

/** Batches that are prepared while a step runs. */
const AHEAD = 2;

export interface SpanTraining extends RunTraining {
  run: RunFolder;
  dataset: TextDataset;
  /** with `sentinelTokens` among its own */
  tokenizer: Tokenizer;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; tokens: number; heldOut: number }): void;
}

/**
 * Trains a network that reads a text and writes one on running text, in a run folder, from the start or from its last
 * checkpoint: by span corruption, to fill gaps. Afterwards measures it on gaps in the held-out text and writes weights,
 * tokenizer, result and report; losses are of a token of what was hidden, sentinels among them.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when the text is too short, or the loss is no longer finite
 */
export async function trainSpanCorruption(training: SpanTraining): Promise<LanguageModelResult | undefined> {
  const { run, dataset, tokenizer } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as TextRecipe;
  const window = Number(run.config.context);
  const vocabulary = tokenizer.vocabularySize;
  const info: TranslatorInfo = { model: name, dataset: dataset.name, direction: SPANS, vocabulary, window };
  const [train, heldOut] = [tokenizer.encode(dataset.train), tokenizer.encode(dataset.validation)];
  const { batchSize, accumulate, dropout, clipNorm, ema, labelSmoothing } = recipe;
  const shape = { window, ids: pairIds(tokenizer), sentinels: sentinelIds(tokenizer) };
  const random = (...path: (string | number)[]) => randomStream(seed, ...path);
  const data = corruptedSpans({ ...shape, tokens: train, batchSize, random });
  if (accumulate > data.batchesPerEpoch || heldOut.length < window) {
    throw new InputError(
      `${dataset.name} has ${train.length} tokens to learn from and ${heldOut.length} held out, too few for a step of --batch-size ${batchSize} x --accumulate ${accumulate} pieces of ${window}: give more text, or lower one of them or --context`,
    );
  }

  const sizes = { sourceVocabulary: vocabulary, targetVocabulary: vocabulary };
  const translator = findTranslator(name).build({ ...sizes, dropout, seed });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  const trainer = new Trainer(translation(translator, { labelSmoothing }), {
    groups: textParameterGroups(recipe),
    ...{ clipNorm, ema, seed },
    within: training.within,
  });
  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const measure = () => evaluateSpans(translator, heldOut, shape);

  await saveTokenizer(join(run.dir, "tokenizer.json"), tokenizer);
  training.onStart?.({ resumedAt: checkpoint?.position, tokens: train.length, heldOut: heldOut.length });
  try {
    const { end, position } = await fitInRun({
      ...{ run, training, trainer, checkpoint, recipe },
      data: { ...data, epoch: (epoch, first) => prefetch(data.epoch(epoch, first), AHEAD) },
      schedule: textScheduleOf(recipe),
      validate: () => measure().then(({ loss, perplexity }) => ({ loss, perplexity })),
      score: ({ loss }) => -loss,
      saveWeights: (path) => saveTranslator(path, translator, info),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      const test = await measure();
      const items = trainer.step * batchSize * accumulate * window;
      const result = languageModelResult(run.config, end, position, items, test);
      await saveTranslator(join(run.dir, "weights.safetensors"), translator, info);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await languageModelReport(run, result));
      return result;
    });
  } finally {
    trainer.dispose();
    translator.dispose();
  }
}

/**
 * How well a network fills gaps in a text, the same gaps every time: the loss of a token of what was hidden.
 *
 * @param tokens the text as ids
 * @throws InputError when it is shorter than a piece
 */
export async function evaluateSpans(
  translator: Translator,
  tokens: Int32Array,
  shape: { window: number; ids: ReturnType<typeof pairIds>; sentinels: readonly number[] },
): Promise<TextEvaluation> {
  const random = (...path: (string | number)[]) => randomStream("held-out spans", ...path);
  const pieces = evaluationSpans({ ...shape, tokens, batchSize: EVALUATION_BATCH, random });
  const { loss, tokens: counted } = await translationLoss(translator, pieces);
  return { loss, perplexity: Math.exp(loss), tokens: counted };
}
