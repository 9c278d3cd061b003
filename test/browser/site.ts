import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { serveSite } from "../../apps/web/src/node/serve.ts";

const main = fileURLToPath(new URL("../../apps/web/src/node/main.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

export interface Site {
  url: string;
  folder: string;
  /** Stops serving and removes the files. */
  remove(): Promise<void>;
}

/** Runs `npm run apps` with flags, in a process of its own, and waits for its end. */
export function apps(flags: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stderr: string }> {
  const { NODE_ENV: _, ...inherited } = process.env; // vitest's would be taken for the site's
  const args = ["--import", tsx, "--conditions=tfjs-zoo-source", main, ...flags];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...inherited, ...env } }, (error, _stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

/**
 * Builds the apps into a temporary folder, without data sets, and serves them.
 *
 * @param flags more of `npm run apps`
 */
export async function openSite(flags: string[] = []): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "zoo-site-"));
  const { code, stderr } = await apps(["--build", "--out", folder, ...flags], {
    ZOO_CACHE_DIR: join(folder, "no-cache"),
  });
  if (code !== 0) throw new Error(`the apps are not built: ${stderr}`);
  const { url, close } = await serveSite(folder, 0);
  return {
    url,
    folder,
    async remove() {
      await close().catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
