import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@tfjs-zoo/models";
import { flagOf, type Recipe, type RecipeName, RunFolder, recipeFor } from "@tfjs-zoo/training/node";
import { type ChildEnd, zooChild } from "./zoo-child.ts";

/** One training of a comparison: a network and a seed. */
export interface Cell {
  model: string;
  seed: number;
  /** the run's folder */
  folder: string;
}

/** What all trainings of a comparison have in common. */
export interface Common {
  dataset: string;
  recipeName: RecipeName;
  /** with what the command line changes in it */
  recipe: Recipe;
  /** the flags that change it, but for how long to train */
  changes: readonly string[];
  /** how long to train in place of the recipe's epochs */
  minutes?: number;
  precision: string;
  backend: string;
  threads?: number;
}

/** How a training ended; `reason` says why it failed. */
export type CellEnd = { kind: "finished" | "reused" | "interrupted" } | { kind: "failed"; reason: string };

/**
 * Trains a cell: from the start, from where it was stopped, or not at all when it has finished before.
 *
 * @param epochs that an earlier seed's minutes came to
 */
export async function trainCell(
  { model, seed, folder }: Cell,
  { dataset, recipeName, recipe, changes, minutes, precision, backend, threads }: Common,
  epochs: number | undefined,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<CellEnd> {
  if (signal.aborted) return { kind: "interrupted" };
  if (existsSync(join(folder, "result.json"))) return { kind: "reused" };
  const place = ["--backend", backend, ...(threads === undefined ? [] : ["--threads", String(threads)])];
  const length =
    minutes !== undefined && epochs === undefined
      ? ["--minutes", String(minutes)]
      : ["--epochs", String(epochs ?? recipe.epochs)];
  const started = existsSync(join(folder, "config.json"));
  const begin = ["train", model, "--dataset", dataset, "--recipe", recipeName, ...changes, ...length];
  const args = started
    ? ["train", "--resume", folder, ...place]
    : [...begin, "--seed", String(seed), "--run", folder, "--precision", precision, ...place];
  const end: ChildEnd = await zooChild(args, signal, onLine);
  if (end.code === 0) return { kind: "finished" };
  if (signal.aborted) return { kind: "interrupted" };
  return { kind: "failed", reason: end.code === 130 ? "it was interrupted: the same command goes on" : end.lastLine };
}

/** The epochs that a run was given; undefined where there is no run. */
export async function epochsOf({ folder }: Cell): Promise<number | undefined> {
  if (!existsSync(join(folder, "config.json"))) return undefined;
  const { config } = await RunFolder.open(folder, "read");
  return (config.recipe as unknown as Recipe).epochs;
}

/**
 * The settings that all runs share.
 *
 * @throws InputError when some were made with another precision or on another backend than others
 */
export async function settingsOf(cells: readonly Cell[]): Promise<RunFolder | undefined> {
  let first: { run: RunFolder; folder: string } | undefined;
  for (const { folder } of cells) {
    if (!existsSync(join(folder, "config.json"))) continue;
    const run = await RunFolder.open(folder, "read");
    first ??= { run, folder };
    for (const key of ["backend", "precision"] as const) {
      const [one, other] = [first.run.config[key], run.config[key]];
      if (one === other) continue;
      throw new InputError(
        `${first.folder} was trained with ${key} ${one}, ${folder} with ${other}, which can't be compared: give another --out`,
      );
    }
  }
  return first?.run;
}

/** @throws InputError when a cell's folder holds a run of something else */
export async function checkCell(cell: Cell, common: Common): Promise<void> {
  const { dataset, recipeName, recipe, minutes, precision, backend } = common;
  if (!existsSync(cell.folder)) return;
  const { config } = await RunFolder.open(cell.folder, "read");
  // A run of an older version lacks the fields that are new since.
  const had = { ...recipeFor(recipeName, dataset), ...(config.recipe as unknown as Recipe) };
  const fields = Object.keys(recipe) as (keyof Recipe)[];
  const differences = [
    ["network", config.model, cell.model],
    ["data set", config.dataset, dataset],
    ["recipe", config.recipeName, recipeName],
    ["seed", config.seed, cell.seed],
    // bf16 may have been asked for in vain.
    ["precision", config.precision, precision === "f32" ? "f32" : config.precision],
    ["backend", config.backend, backend === "auto" ? config.backend : backend],
    // Later seeds are given the epochs that the first one's minutes came to.
    ["minutes", config.minutes, cell.seed === 0 ? minutes : config.minutes],
    ...fields
      .filter((field) => field !== "epochs" || minutes === undefined)
      .map((field) => [`--${flagOf(field)}`, had[field], recipe[field]]),
  ].find(([, before, now]) => before !== now);
  if (differences === undefined) return;
  const [what, before, now] = differences;
  throw new InputError(
    `${cell.folder} holds a run with another ${what} (${before ?? "none"}, now ${now ?? "none"}): give another --out, or delete it`,
  );
}
