/** The networks by whose features samples are measured. */
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import { type ClassifierFile, type FeatureNetwork, inferenceNetworkOf, readClassifier } from "@tfjs-zoo/training/node";
import { UsageError } from "../../context.ts";
import { pretrainedCards } from "../../pretrained.ts";
import { weightsFile } from "../../target.ts";

/** The network that published FID is measured on. */
const INCEPTION = "inception-v3-fid";

interface NamedFile extends ClassifierFile {
  name: string;
}

/** Files of networks that look at images. */
export interface FeatureFiles {
  /** knows the classes of the data set */
  classifier: NamedFile;
  inception?: NamedFile;
}

/** Networks, as `measureSamples` takes them. */
export interface FeatureNetworks {
  classifier: FeatureNetwork;
  inception?: FeatureNetwork;
  dispose(): void;
}

/**
 * Reads the networks that are given, in any order; without a classifier among them the best that ships of the data set.
 *
 * @throws InputError where there is none, or a file is no image classifier's
 * @throws UsageError for two classifiers, or Inception twice
 */
export async function featureFiles(given: readonly string[], dataset: string): Promise<FeatureFiles> {
  const files: NamedFile[] = [];
  for (const name of given) files.push({ name, ...(await readClassifier(await weightsFile(name))) });
  const inceptions = files.filter(({ info }) => info.model === INCEPTION);
  const classifiers = files.filter(({ info }) => info.model !== INCEPTION);
  for (const [first, second] of [inceptions, classifiers]) {
    if (second) throw new UsageError(`--features got ${first.name} and ${second.name}: give one of them`);
  }
  const classifier = classifiers[0] ?? (await bestClassifier(dataset));
  if (classifier !== undefined) return { classifier, inception: inceptions[0] };
  throw new InputError(
    `samples are measured by a classifier of ${dataset}, and none ships: train one (npm run train -- lenet5 --dataset ${dataset}) and give its run by --features`,
  );
}

/** The most accurate classifier that ships of a data set; undefined where none does. */
export async function bestClassifier(dataset: string): Promise<NamedFile | undefined> {
  const cards = await pretrainedCards();
  const [best] = cards
    .filter(({ task, metric }) => task === "classification" && metric.dataset === dataset)
    .sort((a, b) => b.metric.value - a.metric.value);
  if (best === undefined) return undefined;
  const name = `${best.model}.${best.tag}`;
  return { name, ...(await readClassifier(await weightsFile(name))) };
}

/** @throws InputError where a classifier tells other classes apart than a data set has */
export function expectClasses({ name, info }: NamedFile, { name: dataset, classes }: ImageDataset): void {
  if (sameClasses(info.classes, classes)) return;
  throw new InputError(
    `${name} tells ${shownClasses(info.classes)} apart, and images of ${dataset} are of ${shownClasses(classes)}: give a classifier of ${dataset} by --features`,
  );
}

export const sameClasses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, k) => name === b[k]);

const shownClasses = (names: readonly string[]): string =>
  `${names.length} classes (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`;

/** Builds them: a backend has to run. @throws InputError when tensors do not fit the network that a file names */
export function featureNetworks({ classifier, inception }: FeatureFiles): FeatureNetworks {
  const networks = [classifier, ...(inception ? [inception] : [])].map((file) => ({
    name: file.name,
    info: file.info,
    model: inferenceNetworkOf(file),
  }));
  return {
    classifier: networks[0],
    inception: networks[1],
    dispose: () => {
      for (const { model } of networks) model.dispose();
    },
  };
}
