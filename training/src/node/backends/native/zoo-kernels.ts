import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TiledNumbers } from "@tfjs-zoo/models/kernels/tensorflow";
import type { Progress } from "../types.ts";
import { build, findCompiler } from "./compile-binding.ts";
import { librariesPath } from "./layout.ts";

const require = createRequire(import.meta.url);

/** The sources of the zoo's own TensorFlow kernels, which the package carries. */
const sources = fileURLToPath(new URL("../../../../native/", import.meta.url));

/** Compilers side by side: each takes half a gigabyte. */
const MOST_AT_ONCE = 4;

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
 * Compiles the zoo's own kernels for this processor where that has not been done: some twenty seconds of one core, in parts
 * that take all of them.
 *
 * @returns the path of the addon
 * @throws with the compiler's first error in one line
 */
async function compiled(folder: string, progress?: Progress): Promise<string> {
  const path = zooKernelsPath(folder);
  if (existsSync(path)) return path;
  const compiler = await findCompiler();
  const libraries = join(folder, librariesPath);
  await mkdir(dirname(path), { recursive: true });
  const building = await mkdtemp(join(dirname(path), ".zoo-kernels-"));
  const parts = readdirSync(sources).filter((file) => file.endsWith(".cc"));
  let done = 0;
  const tell = () =>
    progress?.({ label: "Compiling the zoo's kernels", done: done++, total: parts.length, unit: "items" });
  tell();
  const include = (require("node-api-headers") as { include_dir: string }).include_dir;
  const objectOf = (part: string) => join(building, `${part}.o`);
  const left = parts.toSorted();
  const compileParts = async () => {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      const object = objectOf(part);
      const where = ["-I", include, "-c", join(sources, part), "-o", object];
      await build(compiler, object, [...flags, "-w", "-fPIC", "-DNAPI_VERSION=8", ...where]);
      tell();
    }
  };
  try {
    const compilers = Array.from({ length: Math.min(availableParallelism(), MOST_AT_ONCE) }, compileParts);
    // All of them end before their folder goes.
    const failed = (await Promise.allSettled(compilers)).find(({ status }) => status === "rejected");
    if (failed) throw (failed as PromiseRejectedResult).reason;
    const addon = join(building, "zoo-kernels.node");
    const library = join(libraries, "libtensorflow_framework.so.2");
    const linked = ["-Wl,-rpath,$ORIGIN/../deps/lib", "-lpthread"];
    await build(compiler, addon, ["-shared", ...parts.map(objectOf), "-o", addon, library, ...linked]);
    await rename(addon, path);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return path;
}

/**
 * Makes TensorFlow know the zoo's own kernels. The binding must be loaded.
 *
 * @returns in which numbers convolutions and matrix products are among them
 * @throws with one line that says why they can't be had here
 */
export async function startZooKernels(folder: string, threads: number, progress?: Progress): Promise<TiledNumbers> {
  const addon: { start(threads: number): TiledNumbers } = require(await compiled(folder, progress));
  return addon.start(threads);
}
