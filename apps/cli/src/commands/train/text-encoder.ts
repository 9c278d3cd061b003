import {
  checkDocumentDatasetName,
  documentDatasetNames,
  isLabelledTexts,
  labelledTextNames,
  loadDocuments,
} from "@tfjs-zoo/datasets/node";
import {
  type EpochEvent,
  encoderRecipes,
  type RunFolder,
  type TextEncoderResult,
  trainTextEncoder,
} from "@tfjs-zoo/training/node";
import { closest } from "fastest-levenshtein";
import { asUsage, type Output, UsageError } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, goesOnText, percent, shown, stepsShown } from "../training.ts";
import {
  configOf,
  type EncoderCommand,
  type EncoderPlan,
  encoderPlan,
  initialOf,
  namedEncoder,
  sayBeginning,
  tokenizerFor,
} from "./encoder-plan.ts";
import type { TrainFlags } from "./flags.ts";
import { digestOf, machineFor, trainInRun } from "./runs.ts";
import { trainTextClassifierIn } from "./text-classifier.ts";

const MULTI30K = "multi30k";

/** Trains a text encoder, on text alone or, where the data set has labels, as a classifier: in a run that goes on, or in a new one. */
export async function trainTextEncoderIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const dataset = open ? open.config.dataset : (flags.dataset ?? MULTI30K);
  if (!open) checkDataset(dataset, modelName);
  const initial = open || flags.init === undefined ? undefined : await namedEncoder(flags.init);
  const train = isLabelledTexts(dataset) ? trainTextClassifierIn : trainOnTextIn;
  await train(open, { modelName, flags, output, initial });
}

/** @throws UsageError for a name that neither training knows, with the nearest that one does */
function checkDataset(name: string, model: string): void {
  if (isLabelledTexts(name) || documentDatasetNames.includes(name) || name.startsWith("text:")) return;
  const [text, labelled] = [
    [...documentDatasetNames, "text:PATH"],
    [...labelledTextNames, "labels:PATH"],
  ];
  throw new UsageError(
    `${name} is nothing that ${model} learns from: did you mean "${closest(name, [...text, ...labelled])}"? Text alone: ${text.join(", ")}; texts to tell apart: ${labelled.join(", ")}`,
  );
}

async function trainOnTextIn(open: RunFolder | undefined, command: EncoderCommand): Promise<void> {
  const { modelName, flags, output, initial } = command;
  const plan = open
    ? (open.config as unknown as EncoderPlan)
    : asUsage(() => {
        const dataset = flags.dataset ?? MULTI30K;
        checkDocumentDatasetName(dataset);
        return encoderPlan(modelName, dataset, { recipes: encoderRecipes, flags, initial });
      });
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const dataset = await loadDocuments(plan.dataset, { progress: output.progress.update });
  const tokenizer = await tokenizerFor(open, plan, dataset.train.flat(2), command);
  const data = digestOf([dataset.train, dataset.validation].map((groups) => JSON.stringify(groups)));
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config: configOf(plan), data, flags, machine, output },
    (run, going) =>
      trainTextEncoder({
        ...{ run, dataset, tokenizer, within, ...going },
        initial: initialOf(plan, initial),
        onStart({ resumedAt, taken, tokens, heldOut }) {
          const { model, recipeName, seed, context } = plan;
          output.line(
            `${model} on ${dataset.name}, hidden words and what follows, recipe ${recipeName}, ${precision}, seed ${seed}: ${tokens.toLocaleString("en")} tokens of ${tokenizer.vocabularySize}, ${heldOut.toLocaleString("en")} held out, context ${context}: ${shown(run.dir)}`,
          );
          sayBeginning(output, plan, taken, resumedAt && goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "tokens"),
        onEpoch: (event) => output.line(epochText(event, epochs)),
        onTest: (done) => output.progress.update({ label: "testing", done, unit: "items" }),
      }),
    finish,
  );
}

function epochText({ epoch, trainLoss, trainMetrics, validation, seconds }: EpochEvent, epochs: number): string {
  const { words, next } = trainMetrics;
  const held = validation
    ? `; held out: ${percent(validation.accuracy)} of the words (loss ${validation.words.toFixed(4)}), ${percent(validation.nextAccuracy)} of what follows (loss ${validation.next.toFixed(4)})`
    : "";
  return `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(4)}, of words ${words.toFixed(4)}, of what follows ${next.toFixed(4)}${held} (${formatDuration(seconds)})`;
}

function finish(run: RunFolder, result: TextEncoderResult, output: Output): void {
  const { words, next, epochs, seconds, itemsPerSecond } = result;
  const figures = { words, next, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir };
  output.result(figures, () =>
    endText(
      run,
      `held out: ${percent(words.accuracy)} of ${words.count.toLocaleString("en")} hidden words found (loss ${words.loss.toFixed(4)}), ${percent(next.accuracy)} of ${next.count.toLocaleString("en")} told what follows (loss ${next.loss.toFixed(4)}), after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} tokens/s)`,
      `npm run predict -- "… [MASK] …" --weights ${shown(run.dir)}`,
    ),
  );
}
