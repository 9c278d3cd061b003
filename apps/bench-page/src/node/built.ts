import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PageFiles } from "./page-files.ts";

export type { PageFiles } from "./page-files.ts";

const folder = fileURLToPath(new URL("../page/", import.meta.url));

/** The page as it was built with the package. */
export async function pageFiles(): Promise<PageFiles> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, Uint8Array]> => [name, await readFile(join(folder, name))]),
    ),
  );
}
