import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../types.ts";
import { compileBinding, findCompiler, tfjsNodeFolder } from "./compile-binding.ts";
import { fetchWheel } from "./fetch-wheel.ts";
import { bindingPath, librariesPath, libraryNames, tensorflowVersion } from "./layout.ts";
import { runCommand } from "./run-command.ts";
import { tryBinding } from "./try-binding.ts";
import { unpackWheel } from "./unpack-wheel.ts";

/** Why TensorFlow's Linux wheel cannot serve here; undefined when it can. */
export function wheelObstacle(): string | undefined {
  if (process.platform !== "linux")
    return `TensorFlow's wheel carries its C library on Linux only, this is ${process.platform}`;
  if (process.arch !== "x64" && process.arch !== "arm64") return `there is no TensorFlow wheel for ${process.arch}`;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  if (report?.header && !report.header.glibcVersionRuntime)
    return "TensorFlow's wheel needs glibc, this system has another C library";
  return undefined;
}

/** Drops the libraries' symbol tables, a quarter of their size, unless that takes long or breaks them. */
async function slim(folder: string, progress?: Progress): Promise<void> {
  const libraries = join(folder, librariesPath);
  for (const [done, name] of libraryNames.entries()) {
    progress?.({ label: "Trying the TensorFlow library", done, total: libraryNames.length, unit: "items" });
    const path = join(libraries, name);
    const stripped = `${path}.stripped`;
    const whole = `${path}.whole`;
    const { code } = await runCommand("strip", ["--strip-unneeded", "-o", stripped, path], { timeoutMs: 60_000 });
    if (code !== 0) {
      await rm(stripped, { force: true });
      continue;
    }
    await rename(path, whole);
    await rename(stripped, path);
    try {
      await tryBinding(join(folder, bindingPath));
      await rm(whole);
    } catch {
      await rename(whole, path);
    }
  }
}

/**
 * Builds the native backend in `folder` from TensorFlow's Linux wheel: fetch, unpack, compile, try, slim.
 *
 * @param work a folder for what is not kept
 * @returns the version of TensorFlow
 * @throws with one line at the first step that fails
 */
export async function setupFromWheel(folder: string, work: string, progress?: Progress): Promise<string> {
  const obstacle = wheelObstacle();
  if (obstacle) throw new Error(obstacle);
  // What is missing here is said before 270 MB are fetched.
  tfjsNodeFolder();
  const compiler = await findCompiler();
  const downloads = join(work, "wheel");
  const include = join(work, "include");
  const libraries = join(folder, librariesPath);
  await mkdir(downloads, { recursive: true });
  await mkdir(libraries, { recursive: true });
  const wheel = await fetchWheel(downloads, progress);
  await unpackWheel(wheel, { libraries, include }, progress);
  await rm(downloads, { recursive: true, force: true });
  await compileBinding(compiler, folder, include, progress);
  await rm(include, { recursive: true, force: true });
  const version = await tryBinding(join(folder, bindingPath));
  await slim(folder, progress);
  const about = {
    source: "wheel",
    tensorflow: version,
    expected: tensorflowVersion,
    compiler,
    made: new Date().toISOString(),
  };
  await writeFile(join(folder, "setup.json"), `${JSON.stringify(about, null, 2)}\n`);
  return version;
}
