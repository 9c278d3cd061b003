import { join, relative } from "node:path";
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { type ClassifierEntry, InputError, registry } from "@tfjs-zoo/models";
import {
  autoencoderRecipeFields,
  type ClassifierFile,
  type ClassifierResult,
  type ClassifierTraining,
  diffusionRecipeFields,
  type EpochEvent,
  flagOf,
  ganRecipeFields,
  LONGEST_SENTENCE,
  type NamedWeights,
  type Position,
  type Recipe,
  type RecipeFields,
  type RunFolder,
  recipeFields,
  type StepEvent,
  type TakenWeights,
  textRecipeFields,
  trainClassifier,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import type { Output } from "../context.ts";
import { formatDuration } from "../terminal/format.ts";

/**
 * A flag for every field of a recipe for classifiers, but for those that mean nothing to the command, and of `others`.
 */
export function recipeOptions(
  command: Command,
  without: readonly (keyof Recipe)[] = [],
  others: RecipeFields<object> = {},
): void {
  command.optionsGroup("Fields of the recipe:");
  const fields: RecipeFields<{ [field: string]: unknown }> = { ...others, ...recipeFields };
  for (const [field, { help, values }] of Object.entries(fields)) {
    if (without.includes(field as keyof Recipe)) continue;
    const flag = flagOf(field);
    if (values === "boolean") command.option(`--${flag} [true|false]`, help);
    else command.option(`--${flag} <value>`, help);
  }
}

/** The fields of the recipe that the command line gives. */
export function recipeOverrides(flags: object): { [field: string]: string | boolean } {
  const kinds = [recipeFields, textRecipeFields, autoencoderRecipeFields, diffusionRecipeFields, ganRecipeFields];
  const fields = new Set(kinds.flatMap((kind) => Object.keys(kind)));
  return Object.fromEntries(Object.entries(flags).filter(([field, value]) => fields.has(field) && value !== undefined));
}

export interface ShownTraining {
  dataset: ImageDataset;
  initial?: ClassifierTraining["initial"];
  teacher?: ClassifierFile;
  within: ClassifierTraining["within"];
  checkpointEvery?: number;
  signal: AbortSignal;
  output: Output;
}

/** Trains in a run's folder and shows how it goes: a line an epoch, and a live one on a terminal. */
export function trainShown(
  run: RunFolder,
  { dataset, initial, teacher, within, checkpointEvery, signal, output }: ShownTraining,
): Promise<ClassifierResult | undefined> {
  const { model, recipeName, recipe, seed, full } = run.config;
  const { epochs } = recipe as unknown as Recipe;
  return trainClassifier({
    run,
    dataset,
    initial,
    teacher,
    signal,
    within,
    checkpointEvery,
    onStart({ resumedAt, validationImages, taken, frozen }) {
      const held = full ? "all training images" : `${validationImages} training images held out`;
      const numbers = within === undefined ? "f32" : "bf16";
      output.line(
        `${model} on ${dataset.name}, recipe ${recipeName}, ${numbers}, seed ${seed}, ${held}: ${shown(run.dir)}`,
      );
      if (taken) output.line(takenText(taken, dataset.classes.length));
      if (frozen) {
        const { layers, learning, parameters } = frozen;
        const which = `${layers.slice(0, 4).join(", ")}${layers.length > 4 ? ", …" : ""}`;
        const counts = `${learning.toLocaleString("en")} of ${parameters.toLocaleString("en")} parameters learn`;
        output.line(`frozen: ${layers.length} layers with weights (${which}); ${counts}`);
      }
      if (run.config.teacher) {
        const { temperature, distillWeight } = recipe as unknown as Recipe;
        const { name } = run.config.teacher as NamedWeights;
        output.line(`learns from ${name} too: weight ${distillWeight}, temperature ${temperature}`);
      }
      if (resumedAt) output.line(goesOnText(resumedAt));
    },
    onStep: stepsShown(output, epochs, "images"),
    onEpoch: (event) => output.line(classifierEpochText(event, epochs)),
    onTest: (done, total) => output.progress.update({ label: "testing", done, total, unit: "items" }),
  });
}

/** What a line says after each epoch of a classifier. */
export function classifierEpochText(
  { epoch, trainLoss, trainMetrics, validation, seconds }: EpochEvent,
  epochs: number,
): string {
  const held = validation
    ? `, held-out accuracy ${percent(validation.accuracy)}, loss ${validation.loss.toFixed(3)}`
    : "";
  return `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(3)}, accuracy ${percent(trainMetrics.correct)}${held} (${formatDuration(seconds)})`;
}

/** Shows on a live line how steps go. */
export function stepsShown(
  output: Output,
  epochs: number,
  unit: "images" | "tokens" | "texts",
): (event: StepEvent) => void {
  let rate = 0;
  return (event) => {
    const itemsPerSecond = (1000 * event.items) / (event.dataMs + event.stepMs);
    rate = rate === 0 ? itemsPerSecond : 0.95 * rate + 0.05 * itemsPerSecond;
    const stepsLeft = (epochs - event.epoch + 1) * event.stepsPerEpoch - event.stepInEpoch;
    output.progress.training({
      epoch: event.epoch,
      epochs,
      step: event.stepInEpoch,
      steps: event.stepsPerEpoch,
      loss: event.meanLoss,
      accuracy: event.meanMetrics.correct,
      learningRate: event.learningRate,
      itemsPerSecond: rate,
      unit,
      etaSeconds: (stepsLeft * event.items) / rate,
    });
  };
}

/** Says a line after each epoch of a network of text. */
export function textEpochsShown(output: Output, epochs: number): (event: EpochEvent) => void {
  return ({ epoch, trainLoss, validation, seconds }) => {
    const held = validation
      ? `, held-out loss ${validation.loss.toFixed(4)}, perplexity ${validation.perplexity.toFixed(2)}`
      : "";
    output.line(`epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(4)}${held} (${formatDuration(seconds)})`);
  };
}

export const goesOnText = ({ epoch, stepInEpoch }: Position): string =>
  `goes on in epoch ${epoch + 1}, after step ${stepInEpoch} of it`;

function takenText({ name, tensors, freshHead, itsClasses }: TakenWeights, classes: number): string {
  const from = `begins from ${name}: ${tensors} tensors are its own`;
  if (freshHead === undefined) return `${from}, the head too`;
  return `${from}; the head ${freshHead} is fresh, of ${classes} classes where that had ${itsClasses}`;
}

/** Runs `body` with a signal that Ctrl-C sets; a second Ctrl-C ends the process at once. */
export async function untilInterrupted<T>(output: Output, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let stoppedAt = 0;
  const onInterrupt = () => {
    // One Ctrl-C may arrive twice: from the terminal, and from npm, which passes it on.
    if (stop.signal.aborted && performance.now() - stoppedAt > 1000) process.exit(130);
    if (stop.signal.aborted) return;
    stoppedAt = performance.now();
    stop.abort();
    output.line("stopping after this step (Ctrl-C again to stop at once) …");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    return await body(stop.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

/** What a run came to, where it lies, and what to do with it. */
export const endText = ({ dir }: RunFolder, figures: string, tryIt: string): string =>
  [
    figures,
    `weights  ${shown(join(dir, "weights.safetensors"))}`,
    `report   ${shown(join(dir, "report.html"))}`,
    `try it   ${tryIt}`,
  ].join("\n");

/** Says how to go on with a run that was stopped. */
export function interrupted(run: RunFolder, output: Output): void {
  output.line(`saved. Go on with:  npm run train -- --resume ${shown(run.dir)}`);
  output.result({ interrupted: true, run: run.dir }, () => "interrupted");
  process.exitCode = 130;
}

/** @throws InputError when a network is for larger images than a data set has, with the network to take instead */
export function checkImageSize(
  { name, inputShape }: ClassifierEntry,
  dataset: Pick<ImageDataset, "name" | "shape">,
): void {
  if (inputShape[0] <= dataset.shape[0] && inputShape[1] <= dataset.shape[1]) return;
  const smaller = `${name}-cifar`;
  const advice = registry.has(smaller) ? `take ${smaller}` : "give folder:PATH, whose pictures are resized";
  throw new InputError(
    `${name} is for images of ${inputShape.join("x")}, and those of ${dataset.name} are ${dataset.shape.join("x")}: ${advice}`,
  );
}

/** The precision that a training has here: bf16 where it is not refused and can be had, and says so where it can't. */
export function precisionHere(asked: string, bf16: boolean, output: Output): "f32" | "bf16" {
  if (bf16 && asked !== "f32") return "bf16";
  if (asked === "bf16") {
    output.line(
      "bf16 needs tensorflow and a processor that multiplies it (AMX or AVX-512 BF16), which is not so here: trains in f32",
    );
  }
  return "f32";
}

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** A path as short as it can be said from here. */
export const shown = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near === "" || near.startsWith("..") ? path : near;
};

/** Says that sentences were too long to be read whole. */
export const cutText = (count: number, where: string): string =>
  `${count.toLocaleString("en")} sentence(s) to ${where} have more than ${LONGEST_SENTENCE - 1} tokens: only so many are read of each`;
