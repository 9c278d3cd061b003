import { findTextEncoder } from "@tfjs-zoo/models";
import { type Tokenizer, trainWordPiece } from "@tfjs-zoo/models/text";
import {
  flagOf,
  type NamedWeights,
  overrideTextRecipe,
  type RunFolder,
  readTextEncoder,
  recipeNameIn,
  savedTokenizer,
  type TakenEncoder,
  type TextEncoderFile,
  type TextRecipe,
} from "@tfjs-zoo/training/node";
import { choice, type Output, UsageError, wholeNumber } from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { recipeOverrides } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";

/** What both trainings of a text encoder are asked to do. */
export interface EncoderPlan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: TextRecipe;
  init?: NamedWeights;
  /** tokens that are learned, or those of the weights that it begins from */
  vocabulary: number;
  context: number;
  seed: number;
  precision: string;
}

/** A file of weights, and what the user called it. */
export interface NamedEncoder {
  name: string;
  file: TextEncoderFile;
}

/** What a training of a text encoder gets from the command line. */
export interface EncoderCommand {
  modelName: string;
  flags: TrainFlags;
  output: Output;
  initial: NamedEncoder | undefined;
}

/** @throws UsageError where the flags are not for a text encoder, or say otherwise than the weights to begin from */
export function encoderPlan<Name extends string>(
  modelName: string,
  dataset: string,
  {
    recipes,
    flags,
    initial,
    fallback = "quick" as Name,
  }: {
    recipes: { readonly [name in Name]: TextRecipe };
    flags: TrainFlags;
    initial: NamedEncoder | undefined;
    fallback?: Name;
  },
): EncoderPlan {
  refuseOthers(flags, ["init", "context", "vocabulary"], modelName);
  const entry = findTextEncoder(modelName);
  const name = recipeNameIn(flags.recipe ?? fallback, recipes);
  const info = initial?.file.info;
  if (initial && info && info.model !== entry.name) {
    throw new UsageError(
      `--init ${initial.name} has weights of ${info.model}, not of ${entry.name}: train ${info.model}, or give others`,
    );
  }
  const decided = (["vocabulary", "context"] as const).find((flag) => info && flags[flag] !== undefined);
  if (initial && decided) {
    throw new UsageError(`--${flagOf(decided)} is that of --init ${initial.name}, ${info?.[decided]}: leave it out`);
  }
  return {
    ...{ model: entry.name, dataset, recipeName: name },
    recipe: overrideTextRecipe(recipes[name], recipeOverrides(flags)),
    ...(initial && { init: { name: initial.name, sha256: initial.file.sha256 } }),
    vocabulary:
      info?.vocabulary ?? wholeNumber("--vocabulary", flags.vocabulary ?? String(entry.vocabulary), 8, 2 ** 17),
    context: info?.context ?? wholeNumber("--context", flags.context ?? String(entry.context), 5, 2 ** 14),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

export const configOf = (plan: EncoderPlan) => ({ ...plan, recipe: { ...plan.recipe }, full: false });

/** That of a run that goes on, that of the weights to begin from, or one that is learned from texts. */
export async function tokenizerFor(
  open: RunFolder | undefined,
  plan: EncoderPlan,
  texts: Iterable<string>,
  { initial, output }: EncoderCommand,
): Promise<Tokenizer> {
  const saved = open && (await savedTokenizer(open));
  if (saved) return saved;
  const weights = await initialOf(plan, initial)?.();
  if (weights) return weights.tokenizer;
  return trainWordPiece(texts, plan.vocabulary, {
    progress: (done, total) => output.progress.update({ label: "learning tokens", done, total, unit: "items" }),
  });
}

/** What a run begins from: read already, or to be found again by a run that goes on from before its first checkpoint. */
export function initialOf(
  { init }: EncoderPlan,
  read: NamedEncoder | undefined,
): (() => Promise<TextEncoderFile>) | undefined {
  if (init === undefined) return undefined;
  return async () => (read ?? (await namedEncoder(init.name))).file;
}

export async function namedEncoder(name: string): Promise<NamedEncoder> {
  return { name, file: await readTextEncoder(await weightsFile(name)) };
}

/** Says what a run begins from: where it stopped, weights, or nothing. */
export function sayBeginning(
  output: Output,
  { init }: EncoderPlan,
  taken: TakenEncoder | undefined,
  goesOn: string | undefined,
): void {
  if (goesOn !== undefined) output.line(goesOn);
  else if (init === undefined) output.line("begins from scratch: there is no --init");
  else if (taken) {
    const fresh = taken.fresh.length > 0 ? `; fresh: ${taken.fresh.join(", ")}` : "";
    output.line(`begins from ${taken.name}: ${taken.tensors} tensors are its own${fresh}`);
  }
}
