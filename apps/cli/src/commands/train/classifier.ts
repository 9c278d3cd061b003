import type { ImageDataset } from "@tfjs-zoo/datasets";
import { checkDatasetName, loadDataset } from "@tfjs-zoo/datasets/node";
import { findClassifier } from "@tfjs-zoo/models";
import {
  type ClassifierFile,
  type ClassifierResult,
  type ClassifierTraining,
  epochsIn,
  flagOf,
  type InitialWeights,
  type NamedWeights,
  overrideRecipe,
  type Recipe,
  type RunFolder,
  readClassifier,
  recipeFor,
  recipeName,
} from "@tfjs-zoo/training/node";
import { asUsage, choice, numberAbove, type Output, UsageError, wholeNumber } from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { formatDuration } from "../../terminal/format.ts";
import { checkImageSize, endText, percent, recipeOverrides, shown, trainShown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { machineFor, trainInRun } from "./runs.ts";

/** Trains an image classifier: in a run that goes on, or in a new one. */
export async function trainClassifierIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const initial = open || flags.init === undefined ? undefined : await namedFile(flags.init);
  const teacherName = open ? (open.config.teacher as NamedWeights | undefined)?.name : flags.teacher;
  const teacher = teacherName === undefined ? undefined : await namedFile(teacherName);
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags, initial, teacher));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { within } = machine;
  const dataset = await datasetFor(plan, output);
  if (open === undefined) checkImageSize(findClassifier(plan.model), dataset);
  if (open === undefined && plan.minutes !== undefined) {
    const { model, recipe, minutes, full, freeze } = plan;
    recipe.epochs = await epochsIn(minutes, { model, dataset, recipe, full, freeze, teacher: teacher?.file, within });
    output.line(`${minutes} minutes: ${recipe.epochs} epoch${recipe.epochs === 1 ? "" : "s"}`);
  }
  const config = { ...plan, recipe: { ...plan.recipe } };
  await trainInRun(
    { open, config, flags, machine, output },
    (run, going) =>
      trainShown(run, {
        ...{ dataset, within, output, ...going },
        initial: initialOf(plan, initial),
        teacher: teacher?.file,
      }),
    finish,
  );
}

interface Plan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: Recipe;
  init?: InitialWeights;
  freeze?: string[];
  teacher?: NamedWeights;
  seed: number;
  full: boolean;
  precision: string;
  minutes?: number;
}

function planOf(modelName: string, flags: TrainFlags, initial?: NamedFile, teacher?: NamedFile): Plan {
  refuseOthers(flags, ["init", "freeze", "teacher", "full", "minutes"], modelName);
  const model = findClassifier(modelName);
  const dataset = flags.dataset ?? (model.inputShape[2] === 1 ? "mnist" : "cifar10");
  checkDatasetName(dataset);
  const name = recipeName(flags.recipe ?? (initial ? "fine-tune" : "quick"));
  const recipe = overrideRecipe(recipeFor(name, dataset), recipeOverrides(flags));
  checkLearnedFrom({ model: model.name, recipe, flags, initial, teacher });
  return {
    model: model.name,
    dataset,
    recipeName: name,
    recipe,
    ...(initial && { init: recordOf(initial) }),
    ...(flags.freeze !== undefined && { freeze: flags.freeze.split(",").map((part) => part.trim()) }),
    ...(teacher && { teacher: { name: teacher.name, sha256: teacher.file.sha256 } }),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    full: flags.full ?? false,
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
    ...(flags.minutes !== undefined && { minutes: minutesOf(flags) }),
  };
}

interface LearnedFrom {
  model: string;
  recipe: Recipe;
  flags: TrainFlags;
  initial?: NamedFile;
  teacher?: NamedFile;
}

/** @throws UsageError where what is to be begun from or learned from does not go with the rest of the command line */
function checkLearnedFrom({ model, recipe, flags, initial, teacher }: LearnedFrom): void {
  const its = initial?.file.info.model;
  if (initial && its !== model) {
    throw new UsageError(`--init ${initial.name} has weights of ${its}, not of ${model}: train ${its}, or give others`);
  }
  if (initial && recipe.whiten) {
    throw new UsageError("--whiten makes the filters that --init brings: add --whiten false, or leave --init out");
  }
  if (flags.freeze !== undefined && !initial) {
    throw new UsageError("--freeze keeps what --init brings, and there is no --init: leave it out, or give both");
  }
  const field = (["temperature", "distillWeight"] as const).find((name) => flags[name] !== undefined);
  if (field && !teacher) {
    throw new UsageError(`--${flagOf(field)} says how to learn from --teacher, and there is none: leave it out`);
  }
}

/** A file of weights, and what the user called it. */
interface NamedFile {
  name: string;
  file: ClassifierFile;
}

async function namedFile(name: string): Promise<NamedFile> {
  return { name, file: await readClassifier(await weightsFile(name)) };
}

function recordOf({ name, file }: NamedFile): InitialWeights {
  const { mean, std, inputShape } = file.info;
  return { name, sha256: file.sha256, mean, std, inputShape };
}

/** What a run begins from: read already, or to be found again by a run that goes on from before its first checkpoint. */
function initialOf({ init }: Plan, read: NamedFile | undefined): ClassifierTraining["initial"] {
  if (init === undefined) return undefined;
  return async () => (read ?? (await namedFile(init.name))).file;
}

/**
 * A run's images; where it begins from weights, of the size and with the normalisation that these know. What a folder
 * without a test set is tested on is the same for every seed, so that seeds can be compared, and `eval` finds it again.
 */
async function datasetFor({ dataset: name, model, init }: Plan, output: Output): Promise<ImageDataset> {
  const size = init?.inputShape ?? (name.startsWith("folder:") ? findClassifier(model).inputShape : undefined);
  const dataset = await loadDataset(name, { size, progress: (event) => output.progress.update(event) });
  if (dataset.note) output.line(dataset.note);
  return init ? { ...dataset, mean: init.mean, std: init.std } : dataset;
}

function minutesOf({ minutes = "", epochs }: TrainFlags): number {
  if (epochs !== undefined) throw new UsageError("--minutes and --epochs both say how long to train: give one of them");
  return numberAbove("--minutes", minutes, 0);
}

function finish(run: RunFolder, result: ClassifierResult, output: Output): void {
  const { accuracy, epochs, seconds, itemsPerSecond } = result;
  output.result({ accuracy, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `test accuracy ${percent(accuracy)} on ${result.testImages.toLocaleString("en")} images after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} images/s)`,
      `npm run predict -- PHOTO.jpg --weights ${shown(run.dir)}`,
    ),
  );
}
