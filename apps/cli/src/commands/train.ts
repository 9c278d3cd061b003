import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { checkDatasetName, loadDataset } from "@tfjs-zoo/datasets/node";
import { findModel } from "@tfjs-zoo/models";
import {
  type BackendName,
  type ClassifierResult,
  type ClassifierTraining,
  collectEnvironment,
  environmentDifferences,
  flagOf,
  overrideRecipe,
  type Recipe,
  RunFolder,
  recipeFields,
  recipeFor,
  recipeName,
  recipes,
  trainClassifier,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  choice,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  threadsOption,
  UsageError,
  wholeNumber,
} from "../context.ts";
import { formatDuration } from "../terminal/format.ts";

interface TrainFlags extends CommonFlags {
  recipe: string;
  dataset?: string;
  seed: string;
  full?: boolean;
  run?: string;
  runs: string;
  resume?: string;
  checkpointEvery: string;
  precision: string;
  [recipeField: string]: unknown;
}

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a network, test it, and write weights and a report")
    .argument("[model]", "a name of `zoo list`")
    .option("--recipe <name>", `how to train: ${Object.keys(recipes).join(", ")}`, "quick")
    .option("--dataset <name>", "cifar10, mnist, fashion-mnist or folder:PATH (default: what the model is for)")
    .option("--seed <n>", "of everything random", "0")
    .option("--full", "train on the held-out images too: for weights that ship")
    .option("--run <folder>", "the run's folder (default: a new one in --runs)")
    .option("--runs <folder>", "where new runs go", "runs")
    .option("--resume <run>", "go on with a run that was interrupted")
    .option("--precision <name>", "f32, bf16, or auto: bf16 where the processor has a matrix unit", "auto")
    .option("--checkpoint-every <steps>", "steps between checkpoints inside an epoch", "200")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(train);
  command.optionsGroup("Fields of the recipe:");
  for (const [field, { help, values }] of Object.entries(recipeFields)) {
    const flag = flagOf(field);
    if (values === "boolean") command.option(`--${flag} [true|false]`, help);
    else command.option(`--${flag} <value>`, help);
  }
}

async function train(modelName: string | undefined, flags: TrainFlags, command: Command): Promise<void> {
  const output = createOutput(flags);
  const run = flags.resume === undefined ? undefined : await resumed(flags.resume, modelName, command);
  try {
    await trainIn(run, modelName, flags, output);
  } finally {
    await run?.close();
  }
}

/** Opens a run to go on with. What it does was decided when it began, so no other flag may say otherwise. */
async function resumed(folder: string, modelName: string | undefined, command: Command): Promise<RunFolder> {
  const allowed = new Set(["resume", "backend", "threads", "json", "checkpointEvery"]);
  const given = Object.keys(command.opts()).filter(
    (key) => command.getOptionValueSource(key) === "cli" && !allowed.has(key),
  );
  if (given.length > 0) {
    throw new UsageError(
      `--${flagOf(given[0])} can't be changed in a run that goes on: leave it out, or start a new run without --resume`,
    );
  }
  const run = await RunFolder.open(folder, "resume");
  if (modelName !== undefined && modelName !== run.config.model) {
    await run.close();
    throw new UsageError(`${folder} is a run of ${run.config.model}, not of ${modelName}: leave the name out`);
  }
  return run;
}

async function trainIn(
  open: RunFolder | undefined,
  modelName: string | undefined,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags));
  if (open && existsSync(join(open.dir, "result.json"))) {
    throw new UsageError(`${open.dir} is finished: its figures are in result.json, its pictures in report.html`);
  }
  const asked = { ...flags, backend: open && flags.backend === "auto" ? String(open.config.backend) : flags.backend };
  const { name: backend, statuses, inBf16 } = await startBackendFor(asked, output);
  const precision = precisionHere(plan.precision, inBf16 !== undefined, output);
  const threads = statuses.find(({ name }) => name === backend)?.threads;
  const dataset = await loadDataset(plan.dataset, {
    seed: plan.seed,
    progress: (event) => output.progress.update(event),
    ...(plan.dataset.startsWith("folder:") && { size: findModel(plan.model).inputShape }),
  });
  const run = open ?? (await newRun({ ...plan, backend, precision }, flags, { backend, threads }));
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
    if (open) await sayDifferences(run, { backend, threads }, output);
    const within = precision === "bf16" ? inBf16 : undefined;
    const result = await runTraining(run, { dataset, flags, signal: stop.signal, within, output });
    if (result === undefined) {
      output.line(`saved. Go on with:  npm run train -- --resume ${shown(run.dir)}`);
      output.result({ interrupted: true, run: run.dir }, () => "interrupted");
      process.exitCode = 130;
      return;
    }
    finish(run, result, output);
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
    await run.close();
  }
}

interface Plan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: Recipe;
  seed: number;
  full: boolean;
  precision: string;
}

function planOf(modelName: string | undefined, flags: TrainFlags): Plan {
  if (modelName === undefined) throw new UsageError("train needs a model: npm run train -- resnet20");
  const model = findModel(modelName);
  const dataset = flags.dataset ?? (model.inputShape[2] === 1 ? "mnist" : "cifar10");
  checkDatasetName(dataset);
  const overrides = Object.fromEntries(
    Object.keys(recipeFields)
      .filter((field) => flags[field] !== undefined)
      .map((field) => [field, flags[field] as string | boolean]),
  );
  return {
    model: model.name,
    dataset,
    recipeName: flags.recipe,
    recipe: overrideRecipe(recipeFor(recipeName(flags.recipe), dataset), overrides),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    full: flags.full ?? false,
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

/** The precision that a training has here: bf16 where it is not refused and can be had, and says so where it can't. */
function precisionHere(asked: string, bf16: boolean, output: Output): string {
  if (asked === "auto") return bf16 ? "bf16" : "f32";
  if (asked === "bf16" && !bf16) {
    output.line("bf16 needs tensorflow and a processor with a matrix unit (AMX), which is not so here: trains in f32");
    return "f32";
  }
  return asked;
}

function newRun(
  config: Plan & { backend: BackendName },
  { run, runs }: TrainFlags,
  environment: Record<string, unknown>,
): Promise<RunFolder> {
  const plain = { ...config, recipe: { ...config.recipe } };
  return run ? RunFolder.create(run, plain, environment) : RunFolder.createNamed(runs, plain, environment);
}

/** A run goes on bit-equal only on the same kind of machine; elsewhere it goes on and says so. */
async function sayDifferences(run: RunFolder, known: Record<string, unknown>, output: Output): Promise<void> {
  const before = await run.readEnvironment();
  const differences = environmentDifferences({ ...before }, { ...collectEnvironment(known) });
  if (differences.length > 0) {
    output.line(
      `not bit-equal to a run that was never interrupted, since it began elsewhere: ${differences.join("; ")}`,
    );
  }
}

interface Training {
  dataset: Awaited<ReturnType<typeof loadDataset>>;
  flags: TrainFlags;
  signal: AbortSignal;
  within: ClassifierTraining["within"];
  output: Output;
}

async function runTraining(
  run: RunFolder,
  { dataset, flags, signal, within, output }: Training,
): Promise<ClassifierResult | undefined> {
  const { model, recipeName, recipe, seed, full } = run.config;
  const { epochs } = recipe as unknown as Recipe;
  let rate = 0;
  return trainClassifier({
    run,
    dataset,
    signal,
    within,
    checkpointEvery: wholeNumber("--checkpoint-every", flags.checkpointEvery, 1),
    onStart({ resumedAt, validationImages }) {
      const held = full ? "all training images" : `${validationImages} training images held out`;
      const numbers = within === undefined ? "f32" : "bf16";
      output.line(
        `${model} on ${dataset.name}, recipe ${recipeName}, ${numbers}, seed ${seed}, ${held}: ${shown(run.dir)}`,
      );
      if (resumedAt) output.line(`goes on in epoch ${resumedAt.epoch + 1}, after step ${resumedAt.stepInEpoch} of it`);
    },
    onStep(event) {
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
        etaSeconds: (stepsLeft * event.items) / rate,
      });
    },
    onEpoch({ epoch, trainLoss, trainMetrics, validation, seconds }) {
      const held = validation
        ? `, held-out accuracy ${percent(validation.accuracy)}, loss ${validation.loss.toFixed(3)}`
        : "";
      output.line(
        `epoch ${epoch}/${epochs}: loss ${trainLoss.toFixed(3)}, accuracy ${percent(trainMetrics.correct)}${held} (${formatDuration(seconds)})`,
      );
    },
    onTest: (done, total) => output.progress.update({ label: "testing", done, total, unit: "items" }),
  });
}

function finish(run: RunFolder, result: ClassifierResult, output: Output): void {
  const { accuracy, epochs, seconds, itemsPerSecond } = result;
  output.result({ accuracy, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    [
      `test accuracy ${percent(accuracy)} on ${result.testImages.toLocaleString("en")} images after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} images/s)`,
      `weights  ${shown(join(run.dir, "weights.safetensors"))}`,
      `report   ${shown(join(run.dir, "report.html"))}`,
      `try it   npm run predict -- PHOTO.jpg --weights ${shown(run.dir)}`,
    ].join("\n"),
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const shown = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near === "" || near.startsWith("..") ? path : near;
};
