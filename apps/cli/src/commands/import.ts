import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { createModel, findModel, InputError, type ModelEntry } from "@tfjs-zoo/models";
import { importWeights, layersModelPaths, shownName } from "@tfjs-zoo/models/weights";
import { type ClassifierInfo, saveClassifier } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  UsageError,
} from "../context.ts";

interface ImportFlags extends CommonFlags {
  model: string;
  out: string;
  dataset?: string;
  classes?: string;
  normalisation?: string;
}

/** How training code elsewhere usually normalises images, whatever the data set: torchvision's constants. */
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

export function registerImport(program: Command): void {
  program
    .command("import")
    .description("weights that others trained: safetensors, PyTorch's .pt and .pth, Keras's .h5 and .keras, model.json")
    .argument("<file>", "the file; nothing in it is executed")
    .requiredOption("--model <name>", "the network that they are of")
    .requiredOption("--out <file>", "a new .safetensors file for `zoo eval`, `predict` and `export`")
    .option("--dataset <name>", "what they were trained on: gives classes and normalisation (default: by image size)")
    .option("--classes <file>", "a JSON list of the classes' names")
    .option("--normalisation <which>", "imagenet, or MEANS/DEVIATIONS such as 0.5,0.5,0.5/0.25,0.25,0.25")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(importFile);
}

async function importFile(path: string, flags: ImportFlags): Promise<void> {
  const output = createOutput(flags);
  const entry = asUsage(() => findModel(flags.model));
  const given = asUsage(() => normalisationOf(flags.normalisation, entry));
  if (existsSync(flags.out)) throw new InputError(`${flags.out} exists already: give another --out`);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `can't read ${path} (${error.code}): give a .safetensors, .pt, .pth, .h5, .keras or model.json file`,
    );
  });
  const info = await infoOf(entry, flags, given, output);
  await startBackendFor(flags, output);
  const model = createModel(entry.name, { classes: info.classes.length, inputShape: entry.inputShape, seed: null });
  try {
    const shards = await shardsOf(path, bytes);
    const { format, matched, rules, unused } = importWeights(model, bytes, { shards });
    await saveClassifier(flags.out, model, info);
    output.result({ format, matched, rules, unused, out: flags.out, ...info }, () =>
      [
        `${matched} tensors of ${format} are ${entry.name}'s${rules.length > 0 ? ` (${rules.join(", ")})` : ""}`,
        ...(unused.length > 0
          ? [
              `${unused.length} have no place in it: ${unused.slice(0, 5).map(shownName).join(", ")}${unused.length > 5 ? ", …" : ""}`,
            ]
          : []),
        ...(flags.normalisation === undefined
          ? [`images normalised by ${info.mean.join(",")}/${info.std.join(",")}; if theirs were not: --normalisation`]
          : []),
        info.dataset === "imagenet"
          ? `${flags.out}: npm run predict -- PHOTO --weights ${flags.out}`
          : `${flags.out}: npm run eval -- ${flags.out}`,
      ].join("\n"),
    );
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  } finally {
    model.dispose();
  }
}

/** The files of weights that a model.json names, beside it; none for other files. */
async function shardsOf(path: string, bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const shards = new Map<string, Uint8Array>();
  for (const shard of layersModelPaths(bytes) ?? []) {
    const file = join(dirname(path), shard);
    const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new InputError(`can't read its weights ${shownName(file)} (${error.code}): put them beside it`);
    });
    shards.set(shard, content);
  }
  return shards;
}

/** Classes, and what was done to the images. */
async function infoOf(
  { name, inputShape, classes }: ModelEntry,
  flags: ImportFlags,
  given: typeof imagenet | undefined,
  output: Output,
): Promise<ClassifierInfo> {
  const usual = { "28x28x1": "mnist", "32x32x3": "cifar10" }[inputShape.join("x") as string];
  const datasetName = flags.dataset ?? usual;
  const needsNothing = given !== undefined && flags.classes !== undefined;
  if (datasetName === undefined || needsNothing) {
    const names = await classNames(flags.classes, classes);
    return { model: name, dataset: datasetName ?? "imagenet", classes: names, inputShape, ...(given ?? imagenet) };
  }
  const dataset = await loadDataset(datasetName, {
    progress: (event) => output.progress.update(event),
    size: inputShape,
  });
  const { mean, std } = given ?? dataset;
  const names = await classNames(flags.classes, dataset.classes);
  return { model: name, dataset: dataset.name, classes: names, inputShape, mean, std };
}

async function classNames(file: string | undefined, known: readonly string[] | number): Promise<readonly string[]> {
  if (file === undefined)
    return typeof known === "number" ? Array.from({ length: known }, (_, i) => `class ${i}`) : known;
  const names: unknown = await readFile(file, "utf8")
    .then(JSON.parse)
    .catch((error: Error) => {
      throw new InputError(`--classes ${file} can't be read: ${error.message}`);
    });
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string")) return names;
  throw new InputError(`--classes ${file} is no JSON list of names`);
}

/** @throws UsageError unless it is known, or has a mean and a deviation for each channel */
function normalisationOf(text: string | undefined, { inputShape }: ModelEntry): typeof imagenet | undefined {
  if (text === undefined) return undefined;
  const channels = inputShape[2];
  if (text === "imagenet" && channels === 3) return imagenet;
  const [mean, std, ...rest] = text.split("/").map((list) => list.split(",").map(Number));
  const fits = (list: number[] | undefined) => list?.length === channels && list.every(Number.isFinite);
  if (rest.length === 0 && fits(mean) && fits(std) && std.every((s) => s > 0)) return { mean, std };
  throw new UsageError(
    `--normalisation got "${text}"; expected imagenet, or ${channels} means and ${channels} deviations, such as ` +
      `${Array(channels).fill("0.5").join(",")}/${Array(channels).fill("0.25").join(",")}`,
  );
}
