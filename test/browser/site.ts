import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { serveSite } from "../../apps/web/src/node/serve.ts";

const run = promisify(execFile);
const main = fileURLToPath(new URL("../../apps/web/src/node/main.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

export interface Site {
  url: string;
  folder: string;
  /** Stops serving, as a network that is gone; the files stay. */
  stop(): Promise<void>;
  /** Stops serving and removes the files. */
  remove(): Promise<void>;
}

/** Runs `npm run apps` with flags, in a process of its own. */
export function apps(...flags: string[]): Promise<{ stdout: string; stderr: string }> {
  const { NODE_ENV: _, ...env } = process.env; // vitest's would be taken for the site's
  return run(process.execPath, ["--import", tsx, "--conditions=tfjs-zoo-source", main, ...flags], { env });
}

/** Builds the apps into a temporary folder and serves them. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "zoo-site-"));
  await apps("--build", "--out", folder);
  const { url, close } = await serveSite(folder, 0);
  return {
    url,
    folder,
    stop: close,
    async remove() {
      await close().catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
