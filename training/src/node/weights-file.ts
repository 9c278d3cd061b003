import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { InputError } from "@tfjs-zoo/models";
import type { SafeTensors } from "@tfjs-zoo/models/weights";
import { parseWeights } from "../tasks/weights-file.ts";

/** Which weights a run uses beside its own, as its config.json has them. */
export interface NamedWeights {
  /** as they were given: NAME.TAG, a run's folder or a file */
  name: string;
  /** of the file, in hexadecimal */
  sha256: string;
}

/** A file of weights as it lies on disk. */
export interface WeightsFile {
  path: string;
  /** of the file's bytes, in hexadecimal */
  sha256: string;
  parsed: SafeTensors;
}

/** @throws InputError when a file of weights can't be read or is damaged */
export async function readWeights(path: string): Promise<WeightsFile> {
  const bytes = await weightsBytes(path);
  const parsed = parseWeights(bytes, path);
  return { path, parsed, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** @throws InputError when a file of weights can't be read */
export const weightsBytes = (path: string): Promise<Uint8Array> =>
  bytesOf(path, "give a run's folder, NAME.TAG, or a .safetensors file");

/** @throws InputError when a file can't be read, or is larger than it may be */
export async function bytesOf(path: string, advice: string, largest = 2 ** 31): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > largest) {
      throw new InputError(`${path} has ${size} bytes; expected at most ${largest}: ${advice}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`can't read ${path} (${code}): ${advice}`);
  }
}

/** @throws InputError when a file is not the one that a run was begun with */
export function checkSameWeights(file: { sha256: string }, { name, sha256 }: NamedWeights): void {
  if (file.sha256 === sha256) return;
  throw new InputError(
    `${name} has changed since the run was begun with it (sha256 ${file.sha256.slice(0, 12)}…, then ${sha256.slice(0, 12)}…): put the old one back, or start a new run`,
  );
}
