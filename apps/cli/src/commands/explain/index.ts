import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset, makeFolder } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { findLayer, lastSpatialLayer } from "@tfjs-zoo/models/explain";
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
import { adversarial } from "./adversarial.ts";
import { health } from "./health.ts";
import { ideals } from "./ideal.ts";
import { firstFilters, layerMaps } from "./layers.ts";
import { layout } from "./layout.ts";
import { photos, tellingImages, testImages } from "./pictures.ts";
import { findClass, type Look, type Subject, sampleOf } from "./subject.ts";
import { where, whereMethods } from "./where.ts";

const methods = [...whereMethods, "filters", "feature-maps", "activation", "fgsm", "umap", "units"] as const;
type Method = (typeof methods)[number];

/** Methods that look at a picture, that need a layer that says where, and that look at many images of the test set. */
const ofPictures: readonly Method[] = [...whereMethods, "feature-maps", "fgsm"];
const ofPlaces: readonly Method[] = ["grad-cam", "feature-maps"];
const ofTestSet: readonly Method[] = ["fgsm", "umap", "units"];

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
  if (existsSync(plan.out)) throw new InputError(`${plan.out} exists already: give another --out`);
  await startBackendFor(flags, output);
  const { model, info } = await loadClassifier(file);
  const classIndex = flags.class === undefined ? undefined : findClass(info, flags.class);
  if (flags.layer !== undefined) findLayer(model, flags.layer);
  const chosen = plan.methods ?? possible(model, output);
  if (plan.methods?.some((method) => ofPlaces.includes(method))) lastSpatialLayer(model);

  const needed = chosen.some((method) => ofTestSet.includes(method)) || (!flags.image && needsPictures(chosen));
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
  const subject: Subject = { model, info, pictures, sample, layer, classIndex, seed: plan.seed, progress };

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
    title: `Inside ${basename(target)}`,
    subtitle: subtitleOf(info, dataset, plan.images),
    sections,
  };
  const result = {
    weights: target,
    model: info.model,
    dataset: dataset?.name ?? info.dataset,
    methods: chosen,
    out: plan.out,
    ...facts,
  };
  const files = await write(explanation, result, plan.out);
  output.result({ ...result, files }, () => [...lines, shown(join(plan.out, "explain.html"))].join("\n"));
}

function planOf(target: string, flags: ExplainFlags) {
  if (flags.image && flags.index)
    throw new UsageError("--image and --index both say what to look at: give one of them");
  const named = flags.method?.split(",").map((name) => choice("--method", name.trim(), methods));
  return {
    methods: named && methods.filter((method) => named.includes(method)),
    indices: flags.index?.map((index) => wholeNumber("--index", index)),
    images: wholeNumber("--images", flags.images, 3),
    seed: wholeNumber("--seed", flags.seed),
    out: flags.out ?? join("runs", `explain-${basename(target).replace(/\.safetensors$/, "")}`),
  };
}

const needsPictures = (chosen: readonly Method[]): boolean => chosen.some((method) => ofPictures.includes(method));

/** All methods, but for those that a network can't do, which are named. */
function possible(model: Subject["model"], output: Output): Method[] {
  try {
    lastSpatialLayer(model);
    return [...methods];
  } catch (error) {
    output.line(`without ${ofPlaces.join(" and ")}: ${(error as Error).message.split(":")[0]}`);
    return methods.filter((method) => !ofPlaces.includes(method));
  }
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

/** What to do, in the order of the report. */
function looksOf(subject: Subject, chosen: readonly Method[]): { name: string; look: () => Look | Promise<Look> }[] {
  const atPictures = whereMethods.filter((method) => chosen.includes(method));
  const others: { name: Method; look: () => Look | Promise<Look> }[] = [
    { name: "activation", look: () => ideals(subject) },
    { name: "filters", look: () => firstFilters(subject) },
    { name: "feature-maps", look: () => layerMaps(subject) },
    { name: "fgsm", look: () => adversarial(subject) },
    { name: "umap", look: () => layout(subject) },
    { name: "units", look: () => health(subject) },
  ];
  return [
    ...(atPictures.length > 0 ? [{ name: "where", look: () => where(subject, atPictures) }] : []),
    ...others.filter(({ name }) => chosen.includes(name)),
  ];
}

function subtitleOf(info: ClassifierInfo, dataset: ImageDataset | undefined, images: number): string {
  const trained = `${info.model}, trained on ${info.dataset}: ${info.classes.length} classes, images of ${info.inputShape.join("×")}.`;
  if (dataset === undefined) return trained;
  const count = Math.min(images, dataset.test.count).toLocaleString("en-GB");
  return `${trained} Looked at with ${count} of the ${dataset.test.count.toLocaleString("en-GB")} test images of ${dataset.name}.`;
}

/** Writes the report, its pictures and its figures; nothing is left where that fails. */
async function write(explanation: Explanation, result: object, out: string): Promise<string[]> {
  await makeFolder(out).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`can't make the folder ${out} (${error.code}): give another --out`);
  });
  const contents = new Map<string, string | Uint8Array>([
    ...figuresOf(explanation).map(({ file, picture: { pixels, height, width } }): [string, Uint8Array] => [
      file,
      encodePng(pixels, [height, width, 3]),
    ]),
    ["explain.json", `${JSON.stringify(result, null, 2)}\n`],
    ["explain.html", explainReport(explanation)],
  ]);
  try {
    for (const [name, content] of contents) await writeFileAtomic(join(out, name), content);
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
  return [...contents.keys()].map((name) => join(out, name));
}
