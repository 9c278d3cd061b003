import { existsSync, readdirSync, statSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset, makeFolder } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { findLayer } from "@tfjs-zoo/models/explain";
import {
  type ClassifierInfo,
  type Explanation,
  encodePng,
  explainReport,
  figuresOf,
  loadClassifier,
  writeFileAtomic,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
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
} from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { shown } from "../training.ts";
import { expectPossible, looksOf, methods, needsPictures, needsTestSet, possible } from "./methods.ts";
import { photos, tellingImages, testImages } from "./pictures.ts";
import { expectAnswer, findClass, type Subject, sampleOf } from "./subject.ts";

/** Of activation: after so many an image hardly changes any more. */
const STEPS = 200;

interface ExplainFlags extends CommonFlags {
  image?: string[];
  index?: string[];
  method?: string;
  layer?: string;
  class?: string;
  dataset?: string;
  images: string;
  seed: string;
  out?: string;
}

export function registerExplain(program: Command): void {
  program
    .command("explain")
    .description("look inside a network: where it looks, its filters and features, what fools it, its dead units")
    .argument("<weights>", "NAME.TAG, a run's folder or a .safetensors file")
    .option("--image <photos...>", "pictures to look at")
    .option("--index <n...>", "images of the test set to look at (default: some it gets right, some it gets wrong)")
    .option("--method <names>", `some of ${methods.join(",")} (default: all that the network can do)`)
    .option("--layer <name>", "for grad-cam, feature-maps and activation")
    .option("--class <name>", "what to look for (default: what the network says)")
    .option("--dataset <name>", "another test set than that of the weights' own data set")
    .option("--images <n>", "test images for fgsm, umap and units", "1000")
    .option("--seed <n>", "of activation and umap", "0")
    .option("--out <folder>", "a new folder (default: runs/explain-WEIGHTS)")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(explain);
}

async function explain(target: string, flags: ExplainFlags): Promise<void> {
  const output = createOutput(flags);
  const plan = planOf(target, flags);
  const file = await weightsFile(target);
  if (!isFree(plan.out)) throw new InputError(`${plan.out} exists already: give another --out`);
  const out = resolve(plan.out);
  const first = await makeFolder(out).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`can't make the folder ${plan.out} (${error.code}): give another --out`);
  });
  try {
    await explainInto(plan, file, flags, output);
  } catch (error) {
    await leaveNothing(out, first);
    throw error;
  }
}

/**
 * Empties a folder, and removes those that were made for it, unless they hold something else by now.
 *
 * @param first the outermost folder that was made, undefined where the folder itself was there already
 */
async function leaveNothing(folder: string, first: string | undefined): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
  for (let made = folder; first !== undefined && made.startsWith(first); made = dirname(made)) {
    const removed = await rmdir(made).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Whether there is nothing at a path, or an empty folder, as one that was interrupted leaves. */
function isFree(path: string): boolean {
  return !existsSync(path) || (statSync(path).isDirectory() && readdirSync(path).length === 0);
}

async function explainInto(plan: Plan, file: string, flags: ExplainFlags, output: Output): Promise<void> {
  await startBackendFor(flags, output);
  const { model, info } = await loadClassifier(file);
  expectAnswer(model, info);
  const classIndex = flags.class === undefined ? undefined : findClass(info, flags.class);
  if (flags.layer !== undefined) findLayer(model, flags.layer);
  for (const method of plan.methods ?? []) expectPossible(method, model, flags.layer);
  const chosen = plan.methods ?? possible(model, flags.layer, output.line);

  const needed = needsTestSet(chosen) || (!flags.image && needsPictures(chosen));
  const dataset = needed ? await testSet(flags, info, output) : undefined;
  const sample = dataset && sampleOf(dataset.test, plan.images);
  const pictures = flags.image
    ? await photos(model, info, flags.image)
    : dataset && needsPictures(chosen)
      ? await testImages(
          model,
          info,
          dataset,
          plan.indices ?? (await tellingImages(model, info, sampleOf(dataset.test, plan.images), output.progress)),
        )
      : [];
  const { layer } = flags;
  const { progress } = output;
  const subject: Subject = {
    model,
    info,
    pictures,
    sample,
    layer,
    classIndex,
    seed: plan.seed,
    steps: STEPS,
    progress,
  };

  const facts: { [method: string]: object } = {};
  const sections: Explanation["sections"][number][] = [];
  const lines: string[] = [];
  for (const { name, look } of looksOf(subject, chosen)) {
    const seen = await look();
    facts[name] = seen.facts;
    sections.push(seen.section);
    lines.push(seen.line);
  }
  const explanation = {
    title: `Inside ${basename(plan.target)}`,
    subtitle: subtitleOf(info, dataset, plan.images),
    sections,
  };
  const result = {
    weights: plan.target,
    model: info.model,
    dataset: dataset?.name ?? info.dataset,
    methods: chosen,
    out: plan.out,
    ...facts,
  };
  const files = await write(explanation, result, plan.out);
  output.result({ ...result, files }, () => [...lines, shown(join(plan.out, "explain.html"))].join("\n"));
}

type Plan = ReturnType<typeof planOf>;

function planOf(target: string, flags: ExplainFlags) {
  if (flags.image && flags.index)
    throw new UsageError("--image and --index both say what to look at: give one of them");
  const named = flags.method?.split(",").map((name) => choice("--method", name.trim(), methods));
  return {
    target,
    methods: named && methods.filter((method) => named.includes(method)),
    indices: flags.index?.map((index) => wholeNumber("--index", index)),
    images: wholeNumber("--images", flags.images, 3),
    seed: wholeNumber("--seed", flags.seed),
    out: flags.out ?? join("runs", `explain-${basename(target).replace(/\.safetensors$/, "")}`),
  };
}

async function testSet(flags: ExplainFlags, info: ClassifierInfo, output: Output): Promise<ImageDataset> {
  const dataset = await loadDataset(flags.dataset ?? info.dataset, {
    progress: output.progress.update,
    size: info.inputShape,
  });
  if (dataset.classes.length === info.classes.length) return dataset;
  throw new InputError(
    `the weights tell ${info.classes.length} classes apart and ${dataset.name} has ${dataset.classes.length}: give the data set that they were trained on (${info.dataset})`,
  );
}

function subtitleOf(info: ClassifierInfo, dataset: ImageDataset | undefined, images: number): string {
  const trained = `${info.model}, trained on ${info.dataset}: ${info.classes.length} classes, images of ${info.inputShape.join("×")}.`;
  if (dataset === undefined) return trained;
  const count = Math.min(images, dataset.test.count).toLocaleString("en-GB");
  return `${trained} Looked at with ${count} of the ${dataset.test.count.toLocaleString("en-GB")} test images of ${dataset.name}.`;
}

/** Writes the report, its pictures and its figures. */
async function write(explanation: Explanation, result: object, out: string): Promise<string[]> {
  const contents = new Map<string, string | Uint8Array>([
    ...figuresOf(explanation).map(({ file, picture: { pixels, height, width } }): [string, Uint8Array] => [
      file,
      encodePng(pixels, [height, width, 3]),
    ]),
    ["explain.json", `${JSON.stringify(result, null, 2)}\n`],
    ["explain.html", explainReport(explanation)],
  ]);
  for (const [name, content] of contents) await writeFileAtomic(join(out, name), content);
  return [...contents.keys()].map((name) => join(out, name));
}
