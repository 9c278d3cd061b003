import { readdir } from "node:fs/promises";
import { makeFolder } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { build } from "vite";
import { defaultOut, SIGN, type SiteParts, siteConfig } from "./site.ts";

/**
 * Builds the site into a folder, in place of the one that is there.
 *
 * @throws InputError when the folder can't be written, or has something else in it
 */
export async function buildSite(out: string, parts: SiteParts): Promise<void> {
  try {
    await makeFolder(out);
    const names = await readdir(out);
    if (names.length > 0 && !names.includes(SIGN) && out !== defaultOut) {
      throw new InputError(`${out} has other files in it, which a build would remove: give an empty --out`);
    }
    await build(siteConfig(out, parts));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!["EACCES", "EEXIST", "ENOENT", "ENOSPC", "ENOTDIR", "EPERM", "EROFS"].includes(code ?? "")) throw error;
    throw new InputError(`can't write the site to ${out} (${code}): free space, or give another --out`);
  }
}
