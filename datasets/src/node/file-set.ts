import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors.ts";
import type { Progress } from "../types.ts";
import { cacheDir, dataDir, readIfPresent, writableFolder, writeAtomically } from "./cache.ts";
import { type Checksum, mismatch } from "./checksum.ts";
import { ungzip } from "./tar.ts";

/** One file of a data set as the cache keeps it. */
export interface DataFile {
  name: string;
  /** Of the file, or of what is in it where the name ends in .gz: mirrors pack the same data differently. */
  checksum: Checksum;
  /** It stays packed, and the checksum is of the file as it is, though its name ends in .gz. */
  packed?: boolean;
  /** Size of what the checksum is of. */
  bytes: number;
}

/** The files of a data set by name; those whose name ends in .gz may be given unpacked. */
export type FileBytes = Map<string, Uint8Array>;

export interface FetchContext {
  /** A writable folder of the cache for partial downloads. */
  workFolder: string;
  progress?: Progress;
}

/** One place that a data set can come from. */
export interface DataSource {
  /** For messages and `zoo data`: an address, a package. */
  name: string;
  /** @throws Error with one line that says why not */
  fetch(context: FetchContext): Promise<FileBytes>;
}

/** A layout that the set's files can be made from, such as an archive. */
export interface Layout {
  /** All of them have to be there. */
  files: readonly string[];
  /** @throws Error with one line that says what is wrong */
  convert(files: FileBytes): Promise<FileBytes>;
}

/** A data set made of files with known checksums. */
export interface FileSet {
  name: string;
  title: string;
  files: readonly DataFile[];
  /** Sub-folders of `ZOO_DATA_DIR` where it may lie; the first is the usual one. */
  folders: readonly string[];
  /** Other folders of the machine where it may lie, such as a distribution's. */
  systemFolders?: readonly string[];
  /** Other layouts that a folder may hold the same data in. */
  layouts?: readonly Layout[];
  sources: readonly DataSource[];
}

export interface LoadOptions {
  progress?: Progress;
  /** Never fetch anything. */
  offline?: boolean;
}

const SOURCE_NOTE = "SOURCE";

export function cacheFolder(set: FileSet): string {
  return join(cacheDir(), set.name);
}

/**
 * The verified, unpacked files of a set: from `ZOO_DATA_DIR`, the cache, a folder of the system, or the first source
 * that answers, which fills the cache. Checksums are taken at every load. A damaged file in the cache is fetched again.
 *
 * @throws InputError where a file placed by hand is damaged, the cache can't be written, or no source gives the set
 */
export async function loadFiles(set: FileSet, { progress, offline }: LoadOptions = {}): Promise<FileBytes> {
  const notes: string[] = [];

  const placed = await dataDir();
  for (const folder of placed ? set.folders.map((name) => join(placed, name)) : []) {
    const found = await readFolder(set, folder);
    if (found.problem) {
      throw new InputError(`${found.problem}: put a whole one there, or delete it and it is fetched into the cache`);
    }
    if (found.files) return found.files;
    if (found.missing) notes.push(`${folder} lacks ${found.missing}`);
  }

  const cached = cacheFolder(set);
  const inCache = await readFolder(set, cached);
  if (inCache.files) return inCache.files;
  if (inCache.problem) notes.push(inCache.problem);

  for (const folder of set.systemFolders ?? []) {
    const found = await readFolder(set, folder);
    if (found.files) return found.files;
    if (found.problem) notes.push(found.problem);
  }

  if (!offline) {
    await writableFolder(cached);
    const workFolder = await writableFolder(join(cacheDir(), "downloads"));
    for (const source of set.sources) {
      let packed: FileBytes;
      let files: FileBytes;
      try {
        packed = await source.fetch({ workFolder, progress });
        files = await verifyAll(set, packed);
      } catch (error) {
        notes.push(`${source.name}: ${(error as Error).message}`);
        continue;
      }
      for (const { name } of set.files) {
        const bytes = packed.get(name) as Uint8Array;
        await writeAtomically(join(cached, isGzip(bytes) ? name : unpackedName(name)), bytes);
        // A damaged packed file would be found before the unpacked one that replaces it.
        if (inCache.damaged === name && !isGzip(bytes) && unpackedName(name) !== name) await rm(join(cached, name));
      }
      await writeAtomically(join(cached, SOURCE_NOTE), `${source.name}\n`);
      return files;
    }
  }

  const state = inCache.problem ? "is damaged in the cache" : `is not in the cache (${cached})`;
  const tried = [...(offline ? ["downloads are switched off"] : []), ...notes].join("; ");
  const names = set.files.map(({ name }) => name).join(", ");
  const how = `put ${names} into FOLDER/${set.folders[0]} and set ZOO_DATA_DIR=FOLDER`;
  throw new InputError(oneLine(`${set.title} ${state} and could not be fetched: ${tried}. Or ${how}`));
}

interface Found {
  files?: FileBytes;
  /** The files that were not there, where others were. */
  missing?: string;
  /** What is wrong with a file that is there. */
  problem?: string;
  damaged?: string;
}

async function readFolder(set: FileSet, folder: string): Promise<Found> {
  const files: FileBytes = new Map();
  const missing: string[] = [];
  for (const file of set.files) {
    let name = file.name;
    let bytes: Uint8Array | undefined = await readIfPresent(join(folder, name));
    if (!bytes && !file.packed && unpackedName(name) !== name) {
      name = unpackedName(name);
      bytes = await readIfPresent(join(folder, name));
    }
    if (!bytes) {
      missing.push(file.name);
      continue;
    }
    try {
      files.set(file.name, await verified(file, bytes, join(folder, name)));
    } catch (error) {
      return { problem: (error as Error).message, damaged: name };
    }
  }
  if (missing.length === 0) return { files };
  for (const layout of set.layouts ?? []) {
    const given: FileBytes = new Map();
    for (const name of layout.files) {
      const bytes = await readIfPresent(join(folder, name));
      if (!bytes) break;
      given.set(name, bytes);
    }
    if (given.size < layout.files.length) continue;
    try {
      return { files: await verifyAll(set, await layout.convert(given)) };
    } catch (error) {
      return { problem: `${join(folder, layout.files[0])} cannot be used: ${(error as Error).message}` };
    }
  }
  return { missing: missing.length < set.files.length ? missing.join(", ") : undefined };
}

async function verifyAll(set: FileSet, packed: FileBytes): Promise<FileBytes> {
  const files: FileBytes = new Map();
  for (const file of set.files) {
    const bytes = packed.get(file.name);
    if (!bytes) throw new Error(`it lacks ${file.name}`);
    files.set(file.name, await verified(file, bytes, file.name));
  }
  return files;
}

/** The file unpacked. `shown` is its name in the error. */
async function verified(file: DataFile, bytes: Uint8Array, shown: string): Promise<Uint8Array> {
  const isPacked = !file.packed && file.name.endsWith(".gz") && isGzip(bytes);
  const content = isPacked ? await ungzip(bytes, shown, file.bytes) : bytes;
  const wrong = mismatch(content, file.checksum);
  if (wrong) throw new InputError(`${shown} is damaged: ${isPacked ? "its content " : "it "}${wrong}`);
  return content;
}

export interface FileSetStatus {
  name: string;
  title: string;
  /** Where it lies; absent where it would have to be fetched. */
  folder?: string;
  bytes: number;
  /** Where what lies there came from, or where it would be fetched from first. */
  source: string;
}

/** Where a set lies, without reading or verifying its files. */
export async function fileSetStatus(set: FileSet): Promise<FileSetStatus> {
  const { name, title } = set;
  const placed = await dataDir();
  const candidates = [
    ...(placed ? set.folders.map((folder) => [join(placed, folder), "ZOO_DATA_DIR"]) : []),
    [cacheFolder(set), undefined],
    ...(set.systemFolders ?? []).map((folder) => [folder, "this machine's own copy"]),
  ] as [string, string | undefined][];
  for (const [folder, known] of candidates) {
    const found = await fileSizes(folder);
    const layouts = [set.files.map((file) => file.name), ...(set.layouts ?? []).map((layout) => layout.files)];
    for (const files of layouts) {
      const sizes = files.map((file) => found.get(file) ?? found.get(unpackedName(file)) ?? Number.NaN);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      if (Number.isNaN(bytes)) continue;
      const noted = await readFile(join(folder, SOURCE_NOTE), "utf8").catch(() => "unknown");
      return { name, title, folder, bytes, source: known ?? noted.trim() };
    }
  }
  return { name, title, bytes: 0, source: set.sources[0]?.name ?? "none" };
}

async function fileSizes(folder: string): Promise<Map<string, number>> {
  const names = await readdir(folder).catch(() => []);
  const sizes = new Map<string, number>();
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile()) sizes.set(name, found.size);
  }
  return sizes;
}

function unpackedName(name: string): string {
  return name.replace(/\.gz$/, "");
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, " ");
}
