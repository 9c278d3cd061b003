import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { InputError } from "../errors.ts";

/** The user's cache folder: `ZOO_CACHE_DIR`, else `tfjs-zoo` in `XDG_CACHE_HOME` or `~/.cache`. */
export function cacheDir(): string {
  return process.env.ZOO_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tfjs-zoo");
}

/**
 * The folder of data placed by hand (`ZOO_DATA_DIR`, a sub-folder a data set), looked at before any download.
 *
 * @throws InputError where the variable names something that is no folder
 */
export async function dataDir(): Promise<string | undefined> {
  const folder = process.env.ZOO_DATA_DIR;
  if (!folder) return undefined;
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new InputError(`ZOO_DATA_DIR is ${folder}, which is no folder: give an existing one, or unset it`);
  }
  return folder;
}

/**
 * Makes a folder of the cache and proves that it can be written to, before anything long is begun.
 *
 * @throws InputError where it can't
 */
export async function writableFolder(folder: string): Promise<string> {
  const probe = join(folder, `.probe-${uniqueSuffix()}`);
  try {
    await makeFolder(folder);
    await (await open(probe, "wx")).close();
    await rm(probe);
    await sweep(folder);
  } catch (error) {
    throw notWritable(folder, error);
  }
  return folder;
}

/**
 * Writes a file whole or not at all: to a temporary name beside it, synced, then renamed. Two processes may do it at
 * once; the later one wins.
 *
 * @throws InputError where the folder can't be written or the disk is full
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}-${uniqueSuffix()}`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw notWritable(dirname(path), error);
  }
}

/** A file's bytes, or undefined where there is none. Other errors (a folder in its place, no permission) are thrown. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new InputError(`cannot read ${path} (${code ?? error}): check its permissions`);
  }
}

/**
 * As `mkdir` with `recursive`, which never returns below a folder that says of new ones that they don't exist (/proc).
 *
 * @param parentIsThere where there is none to make before it
 * @returns the first folder that it made, undefined where all were there
 */
export async function makeFolder(path: string, parentIsThere = false): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return undefined;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path || parentIsThere) throw error;
    // Another process may have made the parent since.
    const first = (await stat(parent).catch(() => undefined)) ? undefined : await makeFolder(parent);
    const made = await makeFolder(path, true);
    return first ?? made;
  }
}

/** Removes temporary files and folders that a killed process left; all of ours begin with a dot. */
async function sweep(folder: string): Promise<void> {
  const aDayAgo = Date.now() - 24 * 3600 * 1000;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(".")) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < aDayAgo) await rm(path, { recursive: true, force: true });
  }
}

function notWritable(folder: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new InputError(
      `the disk of the cache folder ${folder} is full: free some space, or set ZOO_CACHE_DIR to another folder`,
    );
  }
  return new InputError(
    `cannot write to the cache folder ${folder} (${code ?? message}): make it writable, or set ZOO_CACHE_DIR to another folder`,
  );
}

let written = 0;

/** Distinguishes the temporary files of this process and call from all others. */
export function uniqueSuffix(): string {
  return `${process.pid}-${Date.now().toString(36)}-${written++}`;
}
