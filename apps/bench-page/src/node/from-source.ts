import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { PageFiles } from "./page-files.ts";

export type { PageFiles } from "./page-files.ts";

const require = createRequire(import.meta.url);
const page = fileURLToPath(new URL("../page/", import.meta.url));

/** Builds the page of the sources as they are. */
export async function pageFiles(): Promise<PageFiles> {
  const { outputFiles } = await build({
    entryPoints: [join(page, "page.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["tfjs-zoo-source"],
    outdir: "page",
    // Emscripten's glue names Node's modules for the case that it runs there.
    external: ["fs", "path", "worker_threads", "perf_hooks", "os", "crypto", "util"],
    logLevel: "silent",
  });
  const files = new Map<string, Uint8Array>();
  for (const { path, contents } of outputFiles) files.set(basename(path), contents);
  files.set("index.html", await readFile(join(page, "index.html")));
  const wasm = join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist");
  for (const name of ["tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm.wasm"]) {
    files.set(name, await readFile(join(wasm, name)));
  }
  return files;
}
