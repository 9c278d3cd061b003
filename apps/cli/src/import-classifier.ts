/** Weights of others as a file of ours: what `import` and `pull` share. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { type ClassifierEntry, createModel, InputError } from "@tfjs-zoo/models";
import { type ImportReport, importWeights, layersModelPaths, shownName } from "@tfjs-zoo/models/weights";
import { type ClassifierInfo, saveClassifier } from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor, UsageError } from "./context.ts";

/** What is done to a pixel in 0 … 1, per channel. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What a file of weights does not say of itself. */
export interface ImportOptions {
  entry: ClassifierEntry;
  /** the new .safetensors file */
  out: string;
  /** what they were trained on: gives classes and normalisation; by image size unless given */
  dataset?: string;
  /** a JSON list of the classes' names */
  classes?: string;
  normalisation?: Normalisation;
}

export interface Imported extends ImportReport, ClassifierInfo {
  out: string;
}

/** How training code elsewhere usually normalises images, whatever the data set: torchvision's constants. */
export const imagenet: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * @param path of the file, for messages and for the files beside it
 * @throws InputError when it can't be read, or does not fit the network
 */
export async function importClassifier(
  path: string,
  bytes: Uint8Array,
  options: ImportOptions,
  flags: CommonFlags,
  output: Output,
): Promise<Imported> {
  const { entry, out } = options;
  const info = await infoOf(options, output);
  await startBackendFor(flags, output);
  const model = createModel(entry.name, { classes: info.classes.length, inputShape: entry.inputShape, seed: null });
  try {
    const shards = await shardsOf(path, bytes);
    const report = importWeights(model, bytes, { shards });
    await saveClassifier(out, model, info);
    return { ...report, out, ...info };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  } finally {
    model.dispose();
  }
}

/** What was done, in lines. */
export function importLines({ model, format, matched, rules, unused }: ImportReport & { model: string }): string[] {
  const shown = unused.slice(0, 5).map(shownName).join(", ");
  return [
    `${matched} tensors of ${format} are ${model}'s${rules.length > 0 ? ` (${rules.join(", ")})` : ""}`,
    ...(unused.length > 0 ? [`${unused.length} have no place in it: ${shown}${unused.length > 5 ? ", …" : ""}`] : []),
  ];
}

/** What to do with weights. */
export const nextCommand = (target: string, dataset: string): string =>
  dataset === "imagenet" ? `npm run predict -- PHOTO --weights ${target}` : `npm run eval -- ${target}`;

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
  { entry: { name, inputShape, classes, normalisation: published }, normalisation: given, ...options }: ImportOptions,
  output: Output,
): Promise<ClassifierInfo> {
  const usual = { "28x28x1": "mnist", "32x32x3": "cifar10" }[inputShape.join("x") as string];
  const datasetName = options.dataset ?? usual;
  const needsNothing = given !== undefined && options.classes !== undefined;
  if (datasetName === undefined || datasetName === "imagenet" || needsNothing) {
    const names = await classNames(options.classes, classes);
    return {
      model: name,
      dataset: datasetName ?? "imagenet",
      classes: names,
      inputShape,
      ...(given ?? published ?? imagenet),
    };
  }
  const dataset = await loadDataset(datasetName, {
    progress: (event) => output.progress.update(event),
    size: inputShape,
  });
  const { mean, std } = given ?? dataset;
  const names = await classNames(options.classes, dataset.classes);
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
export function normalisationOf(text: string | undefined, { inputShape }: ClassifierEntry): Normalisation | undefined {
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
