import { join } from "node:path";
import {
  type BertIds,
  type EncodedTexts,
  evaluationTexts,
  type LabelledTextDataset,
  type LabelledTexts,
  labelledBatches,
} from "@tfjs-zoo/datasets";
import { findTextEncoder, InputError, randomStream } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";
import type { Position } from "../loop/fit.ts";
import { Trainer } from "../loop/trainer.ts";
import { type TextRecipe, textParameterGroups, textScheduleOf } from "../recipes/text-recipe.ts";
import { bertIds, bertText, cutTo } from "../tasks/bert-texts.ts";
import { evaluateTexts, type TextClassEvaluation, textClassification } from "../tasks/text-classification.ts";
import type { TextEncoderInfo } from "../tasks/text-encoder-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { countItems } from "./count-items.ts";
import { fitInRun } from "./fit-in-run.ts";
import { runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { saveTextEncoder, type TakenEncoder, takeEncoder } from "./text-encoder-file.ts";
import type { TextClassifierResult } from "./text-encoder-result.ts";
import { saveTokenizer } from "./tokenizer-file.ts";
import type { TextEncoderTraining } from "./train-text-encoder.ts";
import { checkSameWeights, type NamedWeights } from "./weights-file.ts";

/** Texts a batch when nothing is learned. */
const EVALUATION_BATCH = 100;

export interface TextClassifierTraining extends Omit<TextEncoderTraining, "dataset" | "onStart"> {
  dataset: LabelledTextDataset;
  onStart?(facts: { resumedAt?: Position; taken?: TakenEncoder; texts: number; cut: number; heldOut: number }): void;
}

/**
 * Trains a classifier of texts in a run folder, all of its weights, from the start or from its last checkpoint; afterwards
 * tests it, once, and writes weights, tokenizer, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there are too few texts for one step, or the loss is no longer finite
 */
export async function trainTextClassifier(training: TextClassifierTraining): Promise<TextClassifierResult | undefined> {
  const { run, dataset, tokenizer } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as TextRecipe;
  const context = Number(run.config.context);
  const ids = bertIds(tokenizer);
  const { vocabulary } = ids;
  const { classes } = dataset;
  const info: TextEncoderInfo = { model: name, dataset: dataset.name, vocabulary, context, classes };
  const [train, heldOut, test] = [dataset.train, dataset.validation, dataset.test].map((part) =>
    encodedTexts(part, tokenizer, ids, context),
  );
  const { batchSize, accumulate, clipNorm, ema, dropout, labelSmoothing } = recipe;
  const { pad } = ids;
  const data = labelledBatches({
    ...{ set: train, pad, batchSize },
    random: (...path) => randomStream(seed, ...path),
  });
  if (accumulate > data.batchesPerEpoch) {
    throw new InputError(
      `--batch-size ${batchSize} x --accumulate ${accumulate} is more than the ${train.texts.length} training texts of ${dataset.name}: lower one of them`,
    );
  }

  const model = findTextEncoder(name).classifier({ vocabulary, context, dropout, classes: classes.length, seed });
  try {
    const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
    const taken = checkpoint ? undefined : await takeInitial(model, training);
    const trainer = new Trainer(textClassification(model, { labelSmoothing }), {
      groups: textParameterGroups(recipe),
      ...{ clipNorm, ema, seed },
      within: training.within,
    });
    if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
    const measure = (set: EncodedTexts, onBatch?: (texts: number) => void) =>
      evaluateTexts(model, evaluationTexts({ set, pad, batchSize: EVALUATION_BATCH }), onBatch);
    await saveTokenizer(join(run.dir, "tokenizer.json"), tokenizer);
    const counted = countItems(training, checkpoint?.position);
    training.onStart?.({
      ...{ resumedAt: checkpoint?.position, taken },
      ...{ texts: train.texts.length, cut: train.cut + heldOut.cut + test.cut, heldOut: heldOut.texts.length },
    });
    try {
      const { end, position } = await fitInRun({
        ...{ run, trainer, checkpoint, recipe, data },
        training: counted.training,
        schedule: textScheduleOf(recipe),
        validate: () => measure(heldOut).then(({ accuracy, loss }) => ({ accuracy, loss })),
        saveWeights: (path) => saveTextEncoder(path, model, info),
      });
      if (end === "interrupted") return undefined;

      return await trainer.withAverage(async () => {
        const tested = await measure(test, training.onTest);
        const { accuracy, loss, texts: testTexts } = tested;
        const result: TextClassifierResult = {
          ...runResult(run.config, end, position, counted.perSecond(position)),
          ...{ accuracy, loss, testTexts },
        };
        await saveTextEncoder(join(run.dir, "weights.safetensors"), model, info);
        await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
        await writeFileAtomic(join(run.dir, "report.html"), await report(run, result, tested, classes));
        return result;
      });
    } finally {
      trainer.dispose();
    }
  } finally {
    model.dispose();
  }
}

/** Labelled texts as a classifier reads them; `cut` of them were too long for the context. */
export function encodedTexts(
  { texts, labels }: LabelledTexts,
  tokenizer: Tokenizer,
  ids: BertIds,
  context: number,
): EncodedTexts & { cut: number } {
  const whole = texts.map((text) => bertText(text, tokenizer, ids));
  const cut = whole.filter(({ length }) => length > context).length;
  return { texts: whole.map((text) => cutTo(context, text)), labels, cut };
}

async function takeInitial(
  model: Parameters<typeof takeEncoder>[0],
  { run, dataset, initial }: TextClassifierTraining,
): Promise<TakenEncoder | undefined> {
  const init = run.config.init as NamedWeights | undefined;
  if (init === undefined || initial === undefined) return undefined;
  const file = await initial();
  checkSameWeights(file, init);
  const fresh = file.info.classes?.join("\n") !== dataset.classes.join("\n");
  return takeEncoder(model, file, { head: "classifier", fresh, name: init.name });
}

function report(
  run: RunFolder,
  result: TextClassifierResult,
  { confusion }: TextClassEvaluation,
  classes: readonly string[],
): Promise<string> {
  const { model, dataset, accuracy, loss, testTexts } = result;
  return runReport(run, result, {
    title: `${model} on ${dataset}`,
    figures: [
      { label: `test accuracy, ${testTexts.toLocaleString("en")} texts`, value: `${(100 * accuracy).toFixed(2)} %` },
      { label: "test loss", value: loss.toFixed(4) },
    ],
    items: "texts",
    ...{ classes: [...classes], confusion },
  });
}
