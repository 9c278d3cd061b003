/** Writes the page to dist/page, from where any server can give it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageFiles } from "./from-source.ts";

const folder = fileURLToPath(new URL("../../dist/page/", import.meta.url));
await mkdir(folder, { recursive: true });
for (const [name, bytes] of await pageFiles()) await writeFile(join(folder, name), bytes);
