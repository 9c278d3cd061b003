import { join } from "node:path";
import { bucketedPairs, type EncodedPairs, evaluationPairs, type PairDataset, prefetch } from "@tfjs-zoo/datasets";
import { findTranslator, InputError, randomStream, type Translator } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";
import { loadWeights } from "@tfjs-zoo/models/weights";
import type { Position } from "../loop/fit.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { mainScore, textScores } from "../metrics/text-scores.ts";
import { type TextRecipe, textParameterGroups, textScheduleOf } from "../recipes/text-recipe.ts";
import { bestTexts, pairsAsIds, translateIds } from "../tasks/translate.ts";
import { translation, translationLoss } from "../tasks/translation.ts";
import { pairIds, type TranslatorInfo } from "../tasks/translator-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { countItems } from "./count-items.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { LastWeights } from "./last-weights.ts";
import { runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { saveTokenizer } from "./tokenizer-file.ts";
import { saveTranslator, type TranslatorFile } from "./translator-file.ts";
import type { TranslatorResult } from "./translator-result.ts";
import { checkSameWeights, type NamedWeights } from "./weights-file.ts";

/** Pairs a batch when nothing is learned. */
const EVALUATION_BATCH = 100;

/** Longer sentences, in tokens, are not learned from. */
const LONGEST = 100;

/** Batches that are prepared while a step runs. */
const AHEAD = 2;

export interface TranslatorTraining extends RunTraining {
  run: RunFolder;
  dataset: PairDataset;
  /** of both languages */
  tokenizer: Tokenizer;
  /** Reads the weights to begin from, of the same network and tokenizer. */
  initial?(): Promise<TranslatorFile>;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; pairs: number; leftOut: number; heldOut: number; cut: number }): void;
  onTest?(sentences: number, total: number): void;
}

/**
 * Trains a translator in a run folder, from the start or from its last checkpoint; afterwards translates the test
 * sentences, once, and writes weights, tokenizer, translations, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there are too few pairs for one step, or the loss is no longer finite
 */
export async function trainTranslator(training: TranslatorTraining): Promise<TranslatorResult | undefined> {
  const { run, dataset, tokenizer } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as TextRecipe;
  const ids = pairIds(tokenizer);
  const vocabulary = tokenizer.vocabularySize;
  const direction = `${dataset.source}-${dataset.target}`;
  const info: TranslatorInfo = { model: name, dataset: dataset.name, direction, vocabulary };
  const [train, heldOut, test] = [dataset.train, dataset.validation, dataset.test].map((pairs) =>
    pairsAsIds(pairs, tokenizer, ids),
  );
  const random = (...path: (string | number)[]) => randomStream(seed, ...path);
  const { batchSize, accumulate, clipNorm, ema, labelSmoothing, scheduledSampling, dropout } = recipe;
  const data = bucketedPairs({ pairs: train, ids, batchSize, maxLength: LONGEST, random });
  if (accumulate > data.batchesPerEpoch) {
    throw new InputError(
      `--batch-size ${batchSize} x --accumulate ${accumulate} is more than the ${train.source.length} training pairs of ${dataset.name}, ${data.batchesPerEpoch} batches: lower one of them`,
    );
  }

  const translator = findTranslator(name).build({
    sourceVocabulary: vocabulary,
    targetVocabulary: vocabulary,
    ...{ dropout, seed },
  });
  const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
  // Before the trainer, whose moving average begins with the weights that it finds.
  if (checkpoint === undefined) await takeInitial(translator, training);
  const trainer = new Trainer(translation(translator, { labelSmoothing, scheduledSampling }), {
    groups: textParameterGroups(recipe),
    ...{ clipNorm, ema, seed },
    within: training.within,
  });
  if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
  const lossOn = (pairs: EncodedPairs) =>
    translationLoss(translator, evaluationPairs({ pairs, ids, batchSize: EVALUATION_BATCH }));
  const last = new LastWeights(run, recipe.averageLast);
  const save = (path: string) => saveTranslator(path, translator, info);

  await saveTokenizer(join(run.dir, "tokenizer.json"), tokenizer);
  training.onStart?.({
    resumedAt: checkpoint?.position,
    pairs: train.source.length,
    leftOut: data.leftOut,
    heldOut: heldOut.source.length,
    cut: heldOut.cut + test.cut,
  });
  const counted = countItems(training, checkpoint?.position);
  try {
    const { end, position } = await fitInRun({
      ...{ run, trainer, checkpoint, recipe },
      training: counted.training,
      data: { ...data, epoch: (epoch, first) => prefetch(data.epoch(epoch, first), AHEAD) },
      schedule: textScheduleOf(recipe),
      validate: () => lossOn(heldOut).then(({ loss }) => ({ loss, perplexity: Math.exp(loss) })),
      score: ({ loss }) => -loss,
      saveWeights: save,
      afterEpoch: (epoch) => last.keep(epoch, save),
    });
    if (end === "interrupted") return undefined;

    return await trainer.withAverage(async () => {
      await last.average(translator.train);
      const { loss } = await lossOn(test);
      const translations = await translateTest(translator, test, training, ids);
      const scores = textScores(translations, dataset.test.target, dataset.metric);
      const result: TranslatorResult = {
        ...runResult(run.config, end, position, counted.perSecond(position)),
        ...{ direction, ...scores, loss, testSentences: translations.length },
      };
      await save(join(run.dir, "weights.safetensors"));
      await writeFileAtomic(join(run.dir, "translations.txt"), `${translations.join("\n")}\n`);
      await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
      await writeFileAtomic(join(run.dir, "report.html"), await report(run, result));
      await last.clear();
      return result;
    });
  } finally {
    trainer.dispose();
    translator.dispose();
  }
}

async function takeInitial({ train }: Translator, { run, initial }: TranslatorTraining): Promise<void> {
  const init = run.config.init as NamedWeights | undefined;
  if (init === undefined || initial === undefined) return;
  const file = await initial();
  checkSameWeights(file, init);
  loadWeights(train, file.parsed);
}

async function translateTest(
  translator: Translator,
  { source }: EncodedPairs,
  { dataset, tokenizer, onTest }: TranslatorTraining,
  ids: ReturnType<typeof pairIds>,
): Promise<string[]> {
  const rows = await translateIds(translator, source, ids, {
    onBatch: (done) => onTest?.(done, source.length),
  });
  return bestTexts({ translator, tokenizer, ids }, dataset.test.source, source, rows);
}

function report(run: RunFolder, result: TranslatorResult): Promise<string> {
  const { model, dataset, direction, loss, testSentences } = result;
  const { name, value } = mainScore(result);
  return runReport(run, result, {
    title: `${model} on ${dataset}, ${direction}`,
    figures: [
      { label: `test ${name}, ${testSentences.toLocaleString("en")} sentences`, value: value.toFixed(2) },
      { label: "test loss, nats a token", value: loss.toFixed(4) },
    ],
    items: "target tokens",
  });
}
