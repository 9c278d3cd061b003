import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../errors.ts";
import type { ImageDataset, ImageSet, Progress } from "../types.ts";
import { decodeImage, imageHeader } from "./decode-image.ts";

const IMAGE_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
const TRAIN_FOLDERS = ["train", "training"];
const TEST_FOLDERS = ["test", "val", "valid", "validation"];
const TEST_SHARE = 0.1;
/** Decodes that are under way at once: enough for libvips's threads, few enough to bound the memory. */
const CONCURRENCY = 8;

export interface ImageFolderOptions {
  /** [height, width, channels] that every picture is brought to. */
  size?: ImageSet["shape"];
  /** For a network that needs no classes: the pictures may lie in the folder itself, or in one sub-folder. */
  unlabelled?: boolean;
  /** Decides which pictures are the test set where the folder has none. */
  seed?: number;
  progress?: Progress;
  /** Most bytes of decoded pictures that are kept in memory; what does not fit is decoded at every use. */
  memoryLimit?: number;
}

interface Labelled {
  path: string;
  label: number;
}

/**
 * A folder of pictures, a sub-folder a class: PATH/train/CLASS/*.jpg with PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg of
 * which a tenth of every class, chosen by a seeded hash of the file's name, becomes the test set. Pictures are decoded
 * when they are first read. Normalised with ImageNet's mean and standard deviation. Where they are `unlabelled`, PATH/*.jpg
 * will do: they are one class, of the folder's name.
 *
 * @throws InputError where there are fewer than two classes, a class has no pictures, or a file is no picture
 */
export async function loadImageFolder(path: string, options: ImageFolderOptions = {}): Promise<ImageDataset> {
  const { size = [32, 32, 3], unlabelled = false, seed = 0, progress, memoryLimit = 512 * 1024 * 1024 } = options;
  const fewest = unlabelled ? 1 : 2;
  const [height, width, channels] = size;
  if (!(height >= 1 && width >= 1) || (channels !== 1 && channels !== 3)) {
    throw new InputError(`image size ${size.join("x")}: give HEIGHT x WIDTH x 1 or 3`);
  }
  const top = await listFolder(path);
  const trainFolder = TRAIN_FOLDERS.find((name) => top.folders.includes(name));
  const testFolder = TEST_FOLDERS.find((name) => top.folders.includes(name));

  let classes: string[];
  let train: Labelled[];
  let test: Labelled[];
  if (trainFolder) {
    const trainPath = join(path, trainFolder);
    classes = await classesOf(trainPath, fewest);
    train = await labelled(trainPath, classes, classes);
    if (testFolder) {
      const testPath = join(path, testFolder);
      const inTest = await classesOf(testPath, 1);
      const unknown = inTest.find((name) => !classes.includes(name));
      if (unknown) throw new InputError(`${join(testPath, unknown)} is a class that ${trainPath} does not have`);
      test = await labelled(testPath, inTest, classes);
    } else [train, test] = splitByHash(train, classes, seed, trainPath);
  } else if (unlabelled && top.folders.length === 0 && top.files.some((file) => IMAGE_NAME.test(file))) {
    const whole = resolve(path);
    classes = [basename(whole)];
    const pictures = await labelled(dirname(whole), classes, classes);
    [train, test] = splitByHash(pictures, classes, seed, dirname(whole));
  } else {
    classes = await classesOf(path, fewest);
    [train, test] = splitByHash(await labelled(path, classes, classes), classes, seed, path);
  }

  const note = await checkHeaders([...train, ...test], size, progress);
  const memory = { left: memoryLimit };
  const grey = channels === 1;
  return {
    name: `folder:${path}`,
    classes,
    shape: size,
    mean: grey ? [0.449] : [0.485, 0.456, 0.406],
    std: grey ? [0.226] : [0.229, 0.224, 0.225],
    train: fileImages(train, size, memory),
    test: fileImages(test, size, memory),
    ...(note === undefined ? {} : { note }),
  };
}

/** Pictures in files, decoded when they are read; `memory.left` is shared by the sets that are given it. */
function fileImages(files: readonly Labelled[], shape: ImageSet["shape"], memory: { left: number }): ImageSet {
  const imageSize = shape[0] * shape[1] * shape[2];
  // First come, first kept: under random access that serves as many reads as any other choice of what to keep.
  const kept = new Map<number, Uint8Array>();
  return {
    count: files.length,
    shape,
    labels: Uint16Array.from(files, ({ label }) => label),
    read(indices, into) {
      return inParallel(indices.length, async (i) => {
        const index = indices[i];
        if (!(index >= 0 && index < files.length)) throw new RangeError(`image ${index} of ${files.length}`);
        const pixels = kept.get(index) ?? (await decodeImage(files[index].path, shape));
        into.set(pixels, i * imageSize);
        if (memory.left >= imageSize && !kept.has(index)) {
          memory.left -= imageSize;
          kept.set(index, pixels);
        }
      });
    },
  };
}

/**
 * Reads every header once, so that a file which is no picture stops the run before it begins.
 *
 * @returns what becomes of pictures of other sizes, where there are any
 */
async function checkHeaders(
  files: readonly Labelled[],
  [rows, columns]: ImageSet["shape"],
  progress?: Progress,
): Promise<string | undefined> {
  const sizes = new Map<string, number>(); // WIDTHxHEIGHT -> pixels
  let [done, cropped] = [0, 0];
  await inParallel(files.length, async (i) => {
    const { width, height, orientation = 1 } = await imageHeader(files[i].path);
    const [wide, high] = orientation >= 5 ? [height, width] : [width, height]; // EXIF's, on the side
    sizes.set(`${wide}x${high}`, wide * high);
    if (wide * rows !== high * columns) cropped++;
    done++;
    if (done % 64 === 0 || done === files.length) {
      progress?.({ label: "checking images", done, total: files.length, unit: "items" });
    }
  });
  if (sizes.size < 2 && cropped === 0) return undefined;
  const [smallest, ...larger] = [...sizes].sort((a, b) => a[1] - b[1]).map(([size]) => size);
  const span = larger.length > 0 ? `of ${sizes.size} sizes, ${smallest} to ${larger.at(-1)}` : `of ${smallest}`;
  const lost = cropped > 0 ? `, and ${cropped} of ${files.length} are cropped around their centre` : "";
  return `pictures ${span}: each is scaled to ${columns}x${rows}${lost}`;
}

/** Runs `work` for 0..count-1, CONCURRENCY at once; stops at the first error. */
async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < count && !failed) {
      try {
        await work(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, count) }, worker));
}

async function classesOf(path: string, fewest: number): Promise<string[]> {
  const { folders } = await listFolder(path);
  if (folders.length < fewest) {
    const found = folders.length === 0 ? "no sub-folders" : `the one sub-folder "${folders[0]}"`;
    throw new InputError(
      fewest === 1
        ? `${path} has no pictures: put .jpg, .png, .webp, .gif, .tif or .avif files there, or into a sub-folder a class`
        : `${path} has ${found}: expected one a class, at least ${fewest}, as in ${join(path, "cat")} and ${join(path, "dog")}`,
    );
  }
  if (folders.length > 65_535) throw new InputError(`${path} has ${folders.length} classes: at most 65535`);
  return folders;
}

/** The pictures of the folders `names`, labelled with their places in `classes`. */
async function labelled(path: string, names: readonly string[], classes: readonly string[]): Promise<Labelled[]> {
  const all: Labelled[] = [];
  for (const name of names) {
    const { files } = await listFolder(join(path, name));
    const pictures = files.filter((file) => IMAGE_NAME.test(file));
    if (pictures.length === 0) {
      throw new InputError(
        `the class folder ${join(path, name)} has no pictures: put .jpg, .png, .webp, .gif, .tif or .avif files there, or remove it`,
      );
    }
    const label = classes.indexOf(name);
    for (const file of pictures) all.push({ path: join(path, name, file), label });
  }
  return all;
}

/** A tenth of each class, at least one picture, by the order of a hash: adding pictures hardly moves the others. */
function splitByHash(
  files: readonly Labelled[],
  classes: readonly string[],
  seed: number,
  root: string,
): [train: Labelled[], test: Labelled[]] {
  const testFiles = new Set<Labelled>();
  for (const [label, name] of classes.entries()) {
    const ofClass = files.filter((file) => file.label === label);
    if (ofClass.length < 2) {
      throw new InputError(
        `the class folder ${join(root, name)} has one picture: at least 2 are needed, one to train on and one to test`,
      );
    }
    const hashed = ofClass.map((file) => ({ file, hash: hashOf(`${seed}/${file.path.slice(root.length)}`) }));
    hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
    const count = Math.max(1, Math.round(TEST_SHARE * ofClass.length));
    for (const { file } of hashed.slice(0, count)) testFiles.add(file);
  }
  return [files.filter((file) => !testFiles.has(file)), files.filter((file) => testFiles.has(file))];
}

function hashOf(text: string): string {
  return createHash("sha256").update(text.replaceAll("\\", "/")).digest("hex");
}

/** Sorted by code unit, so that the classes' order does not depend on the machine's language. */
async function listFolder(path: string): Promise<{ folders: string[]; files: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new InputError(`the folder ${path} does not exist: give a folder with a sub-folder of pictures a class`);
    if (code === "ENOTDIR")
      throw new InputError(`${path} is a file: give a folder with a sub-folder of pictures a class`);
    throw new InputError(`cannot read the folder ${path} (${code}): check its permissions`);
  }
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => undefined) : entry;
    if (kind?.isDirectory()) folders.push(entry.name);
    else if (kind?.isFile()) files.push(entry.name);
  }
  return { folders: folders.sort(), files: files.sort() };
}
