import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { checkDatasetName, datasetNames, loadDataset } from "@tfjs-zoo/datasets/node";
import { type ClassifierEntry, findClassifier, InputError } from "@tfjs-zoo/models";
import {
  type Comparison,
  collectEnvironment,
  comparedModel,
  comparisonMarkdown,
  comparisonReport,
  flagOf,
  headings,
  heldOutOf,
  overrideRecipe,
  type RunFolder,
  recipeFor,
  recipeName,
  recipes,
  rowsOf,
  setupOf,
  shellQuoted,
  worthOf,
  writeFileAtomic,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  choice,
  createOutput,
  jsonOption,
  numberAbove,
  type Output,
  UsageError,
  wholeNumber,
} from "../../context.ts";
import { formatTable } from "../../terminal/table.ts";
import { recipeOptions, recipeOverrides, shown, untilInterrupted } from "../training.ts";
import { type Cell, type Common, checkCell, epochsOf, settingsOf, trainCell } from "./cells.ts";
import { zooChild } from "./zoo-child.ts";

interface CompareFlags extends CommonFlags {
  dataset: string;
  recipe: string;
  minutes?: string;
  seeds: string;
  jobs: string;
  out: string;
  precision: string;
  backend: string;
}

export function registerCompare(program: Command): void {
  const command = program
    .command("compare")
    .description("train several networks under one recipe and budget, and report what they reach")
    .argument("<models...>", "names of `zoo list`")
    .option("--dataset <name>", `${datasetNames.join(", ")} or folder:PATH`, "cifar10")
    .option("--recipe <name>", `how to train: ${Object.keys(recipes).join(", ")}`, "quick")
    .option("--minutes <n>", "about so long for each training, in place of the recipe's epochs")
    .option("--seeds <n>", "trainings of each network, with seeds from 0 on", "2")
    .option("--jobs <n>", "trainings at once; they share the cores", "1")
    .option("--out <folder>", "where runs and report go; runs that are there go on, or are reused", "runs/compare")
    .option("--precision <name>", "f32, bf16, or auto: bf16 where the processor multiplies it", "auto")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(compare);
  recipeOptions(command, ["temperature", "distillWeight"]); // there is no teacher
}

async function compare(names: string[], flags: CompareFlags): Promise<void> {
  const output = createOutput(flags);
  const { common, models, seeds, jobs } = asUsage(() => planOf(names, flags));
  const cells = models.flatMap((model) =>
    Array.from({ length: seeds }, (_, seed): Cell => ({ model, seed, folder: join(flags.out, `${model}-s${seed}`) })),
  );
  for (const cell of cells) await checkCell(cell, common);
  await settingsOf(cells);
  await mkdir(flags.out, { recursive: true }).catch((error: Error) => {
    throw new InputError(`can't make the folder ${flags.out}: ${error.message}`);
  });
  const size = sameSize(models);
  const dataset = await loadDataset(common.dataset, { progress: (event) => output.progress.update(event), size });
  if (dataset.note) output.line(dataset.note);

  await untilInterrupted(output, async (signal) => {
    const failed: Comparison["failed"] = [];
    let ended = 0;
    output.progress.update({ label: "trainings", done: 0, total: cells.length, unit: "items" });
    await inTurns(models, jobs, async (model) => {
      const own = cells.filter((cell) => cell.model === model);
      for (const cell of own) {
        // All seeds of a network train for as long as its first, whatever the clock says today.
        const epochs = await epochsOf(own[0]);
        const end = await trainCell(cell, common, epochs, signal, (line) => tell(cell, line, output));
        ended++;
        output.progress.update({ label: "trainings", done: ended, total: cells.length, unit: "items" });
        if (signal.aborted) return;
        if (end.kind === "failed") failed.push({ model, seed: cell.seed, reason: end.reason });
        output.line(`${cell.model}, seed ${cell.seed}: ${end.kind === "failed" ? `failed: ${end.reason}` : end.kind}`);
      }
    });
    if (signal.aborted) return goesOn(flags.out, output);
    const isFailed = ({ model, seed }: Cell) => failed.some((f) => f.model === model && f.seed === seed);
    const finished = cells.filter((cell) => !isFailed(cell));
    if (finished.length === 0) {
      throw new InputError(`no training finished; ${failed[0].model}: ${failed[0].reason}`);
    }
    const run = (await settingsOf(finished)) as RunFolder;
    const { config } = run;
    const { commandLine } = collectEnvironment();
    const compared = [];
    for (const model of models) {
      const folders = finished.filter((cell) => cell.model === model).map(({ folder }) => folder);
      if (folders.length === 0) continue;
      output.line(`${model}: measuring inference`);
      const ms = await inferMs(model, config.backend, signal);
      if (ms === undefined) return goesOn(flags.out, output);
      compared.push(await comparedModel(model, folders, ms));
    }
    const comparison: Comparison = {
      dataset: dataset.name,
      recipe: [common.recipeName, ...common.changes].join(" "),
      backend: config.backend,
      precision: config.precision,
      budget: common.minutes === undefined ? { epochs: common.recipe.epochs } : { minutes: common.minutes },
      train_images: dataset.train.count - heldOutOf(dataset.train.count),
      test_images: dataset.test.count,
      models: compared,
      failed,
      environment: { ...(await run.readEnvironment()), commandLine },
    };
    await publish(comparison, flags.out, output);
    if (failed.length > 0) process.exitCode = 1;
  });
}

/** Says how to go on with what was interrupted. */
function goesOn(out: string, output: Output): void {
  const quoted = process.argv.slice(3).map(shellQuoted);
  output.line(`saved. The same command goes on:  npm run compare -- ${quoted.join(" ")}`);
  output.result({ interrupted: true, out }, () => "interrupted");
  process.exitCode = 130;
}

function planOf(names: string[], flags: CompareFlags) {
  const models = [...new Set(names.map((name) => findClassifier(name).name))];
  checkDatasetName(flags.dataset);
  sameSize(models);
  const overrides = recipeOverrides(flags);
  if (overrides.epochs !== undefined && flags.minutes !== undefined) {
    throw new UsageError("--minutes and --epochs both say how long to train: give one of them");
  }
  const jobs = wholeNumber("--jobs", flags.jobs, 1, 256);
  const { epochs, ...others } = overrides;
  const name = recipeName(flags.recipe);
  const common: Common = {
    dataset: flags.dataset,
    recipeName: name,
    recipe: overrideRecipe(recipeFor(name, flags.dataset), overrides),
    changes: Object.entries(others).flatMap(([field, value]) => [`--${flagOf(field)}`, String(value)]),
    ...(flags.minutes !== undefined && { minutes: numberAbove("--minutes", flags.minutes, 0) }),
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
    backend: flags.backend,
    ...(jobs > 1 && { threads: Math.max(1, Math.floor(availableParallelism() / jobs)) }),
  };
  return { common, models, seeds: wholeNumber("--seeds", flags.seeds, 1, 100), jobs };
}

/** @throws InputError unless all networks take images of one size, which is returned */
function sameSize(models: readonly string[]): ClassifierEntry["inputShape"] {
  const [first, ...others] = models.map((name) => findClassifier(name));
  const other = others.find(({ inputShape }) => inputShape.join() !== first.inputShape.join());
  if (other === undefined) return first.inputShape;
  const size = ({ name, inputShape }: ClassifierEntry) => `${name} takes images of ${inputShape.join("x")}`;
  throw new InputError(`${size(first)}, ${size(other)}: compare networks for images of one size`);
}

/** Runs `job` for each item, so many at once, in order. */
async function inTurns<T>(items: readonly T[], jobs: number, job: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await job(item);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
}

/** Passes on what a training says of its epochs. */
function tell({ model, seed }: Cell, line: string, output: Output): void {
  if (/^epoch \d|^\d+(\.\d+)? minutes:/.test(line)) output.line(`${model}, seed ${seed}: ${line}`);
}

/** Milliseconds that one image takes, its network's batch norms folded; undefined when interrupted. */
async function inferMs(model: string, backend: string, signal: AbortSignal): Promise<number | undefined> {
  const args = ["bench", "infer", model, "--batch", "1", "--steps", "30", "--backend", backend, "--json"];
  const { code, stdout, lastLine } = await zooChild(args, signal, () => {});
  if (signal.aborted) return undefined;
  if (code !== 0) throw new InputError(`${model} could not be timed: ${lastLine}`);
  return (JSON.parse(stdout) as { ours: { step_ms: number } }).ours.step_ms;
}

/** Writes the comparison in its three forms, and shows it. */
async function publish(comparison: Comparison, folder: string, output: Output): Promise<void> {
  const files = {
    "comparison.json": `${JSON.stringify(comparison, null, 2)}\n`,
    "comparison.md": comparisonMarkdown(comparison),
    "report.html": comparisonReport(comparison),
  };
  for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(folder, name), text);
  output.result(comparison, () => {
    const rows = rowsOf(comparison).map((cells) => Object.fromEntries(cells.map((cell, i) => [headings[i], cell])));
    const columns = headings.map((key, i) => ({ key, align: i === 0 ? ("left" as const) : ("right" as const) }));
    const written = Object.keys(files).map((name) => shown(join(folder, name)));
    return [formatTable(rows, columns), setupOf(comparison), worthOf(comparison), ...written].join("\n");
  });
}
