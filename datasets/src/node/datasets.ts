import { closest } from "fastest-levenshtein";
import { InputError } from "../errors.ts";
import type { ImageDataset, ImageSet, Progress } from "../types.ts";
import { cifar10Files, loadCifar10 } from "./cifar10.ts";
import { cifar100Files, loadCifar100 } from "./cifar100.ts";
import { fashionMnistFiles, loadFashionMnist } from "./fashion-mnist.ts";
import { type FileSet, type FileSetStatus, fileSetStatus, type LoadOptions } from "./file-set.ts";
import { loadImageFolder } from "./image-folder.ts";
import { isLabelledTexts } from "./labelled-datasets.ts";
import { loadMnist, mnistFiles } from "./mnist.ts";
import { pairDatasetNames, textDatasetNames, textDatasetStatus } from "./text-datasets.ts";

export interface LoadDatasetOptions extends LoadOptions {
  progress?: Progress;
  /** Never fetch anything: what is not on this machine is an error. */
  offline?: boolean;
  /** Of `folder:PATH`: decides the test set where the folder has none. Default 0. */
  seed?: number;
  /** [height, width, channels]; of `folder:PATH`, 32x32x3 by default. The other sets have one size only. */
  size?: ImageSet["shape"];
  /** Of `folder:PATH`: for a network that needs no classes, whose pictures may lie in the folder itself. */
  unlabelled?: boolean;
}

const FOLDER = "folder:";

const fileSets: Record<string, { files: FileSet; load(options: LoadOptions): Promise<ImageDataset> }> = {
  cifar10: { files: cifar10Files, load: loadCifar10 },
  cifar100: { files: cifar100Files, load: loadCifar100 },
  mnist: { files: mnistFiles, load: loadMnist },
  "fashion-mnist": { files: fashionMnistFiles, load: loadFashionMnist },
};

/** The names that `loadDataset` knows, besides `folder:PATH`. */
export const datasetNames: readonly string[] = Object.keys(fileSets);

/**
 * Loads a data set into memory, fetching it first where this machine has not got it. Everything fetched is verified by
 * checksum, at every load.
 *
 * @param name one of `datasetNames`, or `folder:PATH` for a folder with a sub-folder of pictures a class
 * @throws InputError for an unknown name, damaged files, or where nothing is cached and no source is within reach
 */
export async function loadDataset(name: string, options: LoadDatasetOptions = {}): Promise<ImageDataset> {
  if (name.startsWith(FOLDER)) {
    const path = name.slice(FOLDER.length);
    if (path === "") throw new InputError(`"${name}" names no folder: give folder:PATH`);
    return loadImageFolder(path, options);
  }
  checkDatasetName(name);
  const dataset = await fileSets[name].load(options);
  if (options.size && options.size.join() !== dataset.shape.join()) {
    throw new InputError(
      `${name} has images of ${dataset.shape.join("x")} and the network takes ${options.size.join("x")}: give a data set of that size, or folder:PATH, whose images are resized`,
    );
  }
  return dataset;
}

/** @throws InputError for a name that `loadDataset` does not know, with the nearest that it does */
export function checkDatasetName(name: string): void {
  if (name.startsWith(FOLDER) || Object.hasOwn(fileSets, name)) return;
  const known = [...datasetNames, `${FOLDER}PATH`];
  if (textDatasetNames.includes(name) || pairDatasetNames.includes(name) || isLabelledTexts(name)) {
    throw new InputError(`${name} holds text, not pictures: give one of ${known.join(", ")}`);
  }
  throw new InputError(
    `unknown data set "${name}": did you mean "${closest(name, known)}"? There are ${known.join(", ")}`,
  );
}

/** Where each data set, of text too, lies on this machine, for `zoo data`; nothing is read, verified or fetched. */
export async function datasetStatus(): Promise<FileSetStatus[]> {
  const pictures = await Promise.all(Object.values(fileSets).map(({ files }) => fileSetStatus(files)));
  return [...pictures, ...(await textDatasetStatus())];
}
