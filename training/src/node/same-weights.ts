import { InputError } from "@tfjs-zoo/models";

/** @throws InputError when a file is not the one that a run was begun with */
export function checkSameWeights(file: { sha256: string }, { name, sha256 }: { name: string; sha256: string }): void {
  if (file.sha256 === sha256) return;
  throw new InputError(
    `${name} has changed since the run was begun with it (sha256 ${file.sha256.slice(0, 12)}…, then ${sha256.slice(0, 12)}…): put the old one back, or start a new run`,
  );
}
