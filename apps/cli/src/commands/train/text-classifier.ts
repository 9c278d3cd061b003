import { checkLabelledTextName, loadLabelledTexts } from "@tfjs-zoo/datasets/node";
import {
  type RunFolder,
  type TextClassifierResult,
  textClassifierRecipes,
  trainTextClassifier,
} from "@tfjs-zoo/training/node";
import { asUsage, type Output } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { classifierEpochText, endText, goesOnText, percent, shown, stepsShown } from "../training.ts";
import {
  configOf,
  type EncoderCommand,
  type EncoderPlan,
  encoderPlan,
  initialOf,
  sayBeginning,
  tokenizerFor,
} from "./encoder-plan.ts";
import { digestOf, machineFor, trainInRun } from "./runs.ts";

/** Trains a text encoder as a classifier of labelled texts. */
export async function trainTextClassifierIn(open: RunFolder | undefined, command: EncoderCommand): Promise<void> {
  const { modelName, flags, output, initial } = command;
  const plan = open
    ? (open.config as unknown as EncoderPlan)
    : asUsage(() => {
        const dataset = String(flags.dataset);
        checkLabelledTextName(dataset);
        const fallback = initial ? "fine-tune" : "quick";
        return encoderPlan(modelName, dataset, { recipes: textClassifierRecipes, flags, initial, fallback });
      });
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const dataset = await loadLabelledTexts(plan.dataset, { progress: output.progress.update });
  const tokenizer = await tokenizerFor(open, plan, dataset.train.texts, command);
  const data = digestOf([dataset.train, dataset.validation, dataset.test].map((part) => JSON.stringify(part)));
  const { epochs } = plan.recipe;
  const total = dataset.test.texts.length;
  await trainInRun(
    { open, config: configOf(plan), data, flags, machine, output },
    (run, going) =>
      trainTextClassifier({
        ...{ run, dataset, tokenizer, within, ...going },
        initial: initialOf(plan, initial),
        onStart({ resumedAt, taken, texts, cut, heldOut }) {
          const { model, recipeName, seed, context } = plan;
          const too = cut > 0 ? ` (${cut.toLocaleString("en")} are cut to ${context} tokens)` : "";
          output.line(
            `${model} on ${dataset.name}, ${dataset.classes.length} classes, recipe ${recipeName}, ${precision}, seed ${seed}: ${texts.toLocaleString("en")} texts, ${heldOut.toLocaleString("en")} held out${too}, ${tokenizer.vocabularySize} tokens: ${shown(run.dir)}`,
          );
          sayBeginning(output, plan, taken, resumedAt && goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "texts"),
        onEpoch: (event) => output.line(classifierEpochText(event, epochs)),
        onTest: (done) => output.progress.update({ label: "testing", done, total, unit: "items" }),
      }),
    finish,
  );
}

function finish(run: RunFolder, result: TextClassifierResult, output: Output): void {
  const { accuracy, loss, epochs, seconds, itemsPerSecond, testTexts } = result;
  output.result({ accuracy, loss, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `test accuracy ${percent(accuracy)} on ${testTexts.toLocaleString("en")} texts after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} texts/s)`,
      `npm run predict -- "a sentence" --weights ${shown(run.dir)}`,
    ),
  );
}
