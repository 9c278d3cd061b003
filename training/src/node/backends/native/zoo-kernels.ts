import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Progress } from "../types.ts";
import { build, findCompiler } from "./compile-binding.ts";
import { librariesPath } from "./layout.ts";

const require = createRequire(import.meta.url);

/** The sources of the zoo's own TensorFlow kernels, which the package carries. */
const sources = fileURLToPath(new URL("../../../../native/", import.meta.url));

const flags = ["-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"];

/**
 * Where these sources, compiled for this processor, lies in a set-up folder: another processor (a home folder may be
 * shared) or another version of the zoo has another path, and compiles its own.
 */
export function zooKernelsPath(folder: string): string {
  const key = createHash("sha256").update(flags.join(" ")).update(processor());
  for (const file of readdirSync(sources).sort()) key.update(readFileSync(join(sources, file)));
  return join(folder, "lib", `zoo-kernels-${key.digest("hex").slice(0, 16)}.node`);
}

/** The processor's model and what it can do. */
function processor(): string {
  try {
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const [first] = info.split(/\n\s*\n/);
    return first
      .split("\n")
      .filter((line) => /^(model name|flags|Features|CPU part)\s*:/.test(line))
      .join("\n");
  } catch {
    return cpus()[0]?.model ?? "unknown";
  }
}

/**
 * Compiles the zoo's own kernels for this processor where that has not been done, in some twenty seconds.
 *
 * @returns the path of the addon
 * @throws with the compiler's first error in one line
 */
async function compiled(folder: string, progress?: Progress): Promise<string> {
  const path = zooKernelsPath(folder);
  if (existsSync(path)) return path;
  progress?.({ label: "Compiling the zoo's kernels", done: 0, total: 1, unit: "items" });
  const compiler = await findCompiler();
  const libraries = join(folder, librariesPath);
  const building = join(folder, "lib", `.zoo-kernels.${process.pid}.tmp`);
  await mkdir(dirname(path), { recursive: true });
  try {
    await build(compiler, building, [
      ...flags,
      "-w",
      "-shared",
      "-fPIC",
      "-DNAPI_VERSION=8",
      "-I",
      (require("node-api-headers") as { include_dir: string }).include_dir,
      join(sources, "zoo-kernels.cc"),
      "-o",
      building,
      join(libraries, "libtensorflow_framework.so.2"),
      "-Wl,-rpath,$ORIGIN/../deps/lib",
      "-lpthread",
    ]);
    await rename(building, path);
  } finally {
    await rm(building, { force: true });
  }
  progress?.({ label: "Compiling the zoo's kernels", done: 1, total: 1, unit: "items" });
  return path;
}

/**
 * Makes TensorFlow know the zoo's own kernels. The binding must be loaded.
 *
 * @returns whether convolutions are among them, which need the processor's matrix unit
 * @throws with one line that says why they can't be had here
 */
export async function startZooKernels(folder: string, threads: number, progress?: Progress): Promise<boolean> {
  const addon: { start(threads: number): boolean } = require(await compiled(folder, progress));
  return addon.start(threads);
}
