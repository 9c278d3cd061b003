import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describeWriteError } from "./write-error.ts";

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * Writes a file so that, whatever happens, its path holds either the whole old content or the whole new one: a
 * temporary name beside it, fsync, rename, fsync of the folder (a rename is durable only once its folder is).
 *
 * @throws InputError in one line when the disk is full, read-only or forbidden; no temporary file is left then
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const intact = await stat(path).then(
      () => "the previous file is intact",
      () => "nothing was left behind",
    );
    throw describeWriteError(error, path, bytes, intact);
  }
  await syncFolder(dirname(path));
}

/** Makes renames and new files in a folder durable, on the systems that can (Windows can't open a folder). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Removes what a killed process left of its atomic writes. Call it only while no other process writes there. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) if (TEMPORARY.test(name)) await rm(join(folder, name), { force: true });
}
