import { existsSync } from "node:fs";
import { cp, mkdir, rename, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { oneLine } from "../one-line.ts";
import type { Progress } from "../types.ts";
import { bindingPath, tfjsNodeVersion } from "./layout.ts";
import { type CommandResult, runCommand } from "./run-command.ts";
import { tryBinding } from "./try-binding.ts";

function failure(what: string, result: CommandResult): string {
  if (result.failure === "missing") return `${what}: the program is not there`;
  if (result.failure === "timeout") return `${what} took too long`;
  const lines = `${result.stdout}\n${result.stderr}`.split("\n").map((line) => line.trim());
  const telling =
    lines.find((line) => /^npm (ERR!|error) code|Error: /.test(line)) ??
    lines.find((line) => /ERR!|error|failed/i.test(line));
  return oneLine(`${what}: ${telling ?? lines.filter(Boolean).at(-1) ?? `status ${result.code ?? result.signal}`}`);
}

/**
 * Builds the native backend in `folder` the way tfjs-node itself does: its install script downloads an older
 * TensorFlow and a compiled binding (or compiles one). Runs in a package folder of its own, so that its failure
 * touches nothing else.
 *
 * @param work a folder for what is not kept
 * @returns the version of TensorFlow
 * @throws with one line at the first step that fails
 */
export async function setupFromNpm(folder: string, work: string, progress?: Progress): Promise<string> {
  const label = `Installing @tensorflow/tfjs-node ${tfjsNodeVersion} with npm`;
  progress?.({ label, done: 0, total: 2, unit: "items" });
  const prefix = join(work, "npm");
  await mkdir(prefix, { recursive: true });
  await writeFile(join(prefix, "package.json"), '{ "private": true }\n');
  const env = Object.fromEntries(
    // What `npm run` in a workspace hands down would send this install to that workspace.
    Object.entries(process.env).filter(([name]) => !/^npm_config_(workspaces?|local_prefix|prefix)$/i.test(name)),
  );
  // The script is run by hand below: newer npm versions run none that the user has not allowed by name.
  const install = await runCommand(
    "npm",
    [
      "install",
      ...["--prefix", prefix, "--ignore-scripts=true", "--fetch-retries=0"],
      ...["--no-audit", "--no-fund", "--no-package-lock", `@tensorflow/tfjs-node@${tfjsNodeVersion}`],
    ],
    { cwd: prefix, env, timeoutMs: 5 * 60_000 },
  );
  if (install.code !== 0) throw new Error(failure("npm install @tensorflow/tfjs-node", install));
  progress?.({ label, done: 1, total: 2, unit: "items" });

  const modules = join(prefix, "node_modules");
  const installed = join(modules, "@tensorflow", "tfjs-node");
  if (!existsSync(installed)) throw new Error("npm left no @tensorflow/tfjs-node behind");
  const script = await runCommand(process.execPath, [join(installed, "scripts", "install.js")], {
    cwd: installed,
    env: { ...env, PATH: `${join(modules, ".bin")}${delimiter}${process.env.PATH ?? ""}` },
    timeoutMs: 15 * 60_000,
  });
  const binding = join(installed, bindingPath);
  if (!existsSync(binding)) throw new Error(failure("its install script", script));
  for (const part of ["lib", "deps"]) {
    // On Windows links hold absolute paths, which would point into the folder that is about to go.
    if (process.platform === "win32")
      await cp(join(installed, part), join(folder, part), { recursive: true, dereference: true });
    else await rename(join(installed, part), join(folder, part));
  }
  const version = await tryBinding(join(folder, bindingPath));
  const about = { source: "npm", tensorflow: version, made: new Date().toISOString() };
  await writeFile(join(folder, "setup.json"), `${JSON.stringify(about, null, 2)}\n`);
  progress?.({ label, done: 2, total: 2, unit: "items" });
  return version;
}
