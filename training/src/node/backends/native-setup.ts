import { existsSync } from "node:fs";
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { bindingPath, bundledTensorflow, nativeFolder, nativeRoot, tensorflowVersion } from "./native/layout.ts";
import { withLock } from "./native/lock.ts";
import { setupFromNpm } from "./native/setup-npm.ts";
import { setupFromWheel } from "./native/setup-wheel.ts";
import { oneLine } from "./one-line.ts";
import type { Progress } from "./types.ts";

/** A way to build the native backend: fills `folder`, may leave anything in `work`, throws one line when it can't. */
export interface NativeSource {
  name: string;
  /** How the folder it fills is called, see nativeFolder. */
  tensorflow: string;
  setup(folder: string, work: string, progress?: Progress): Promise<string>;
}

/** The sources, best first. */
export const nativeSources: NativeSource[] = [
  { name: `TensorFlow ${tensorflowVersion} through pip`, tensorflow: tensorflowVersion, setup: setupFromWheel },
  { name: "tfjs-node's own download", tensorflow: bundledTensorflow, setup: setupFromNpm },
];

/** The download and the unpacked library lie beside each other for a moment. */
const neededBytes = 1.6e9;
const attemptPrefix = ".attempt-";
const failureFile = "last-failure.json";
/** A start that only wants the best backend does not try again for so long after a set-up that failed. */
const retryAfterMs = 60 * 60_000;

/** The folder of a finished set-up, the best there is; undefined when there is none. */
export function installedNative(cache = cacheFolder()): string | undefined {
  return nativeSources
    .map(({ tensorflow }) => nativeFolder(cache, tensorflow))
    .find((folder) => existsSync(join(folder, bindingPath)));
}

export interface NativeSetupOptions {
  progress?: Progress;
  cache?: string;
  /** Tries also where an attempt less than an hour ago failed. Default true. */
  again?: boolean;
  sources?: NativeSource[];
}

async function checkFolder(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
    await access(root, constants.W_OK);
    await rm(await mkdtemp(join(root, attemptPrefix)), { recursive: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? oneLine(error);
    throw new Error(
      `cannot write to the cache folder ${root} (${code}): set ZOO_CACHE_DIR to a folder that can be written to`,
    );
  }
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free < neededBytes) {
    throw new Error(
      `${root} has ${(free / 1e9).toFixed(1)} GB free, setting up TensorFlow needs ${neededBytes / 1e9} GB`,
    );
  }
}

async function recentFailure(root: string): Promise<string | undefined> {
  try {
    const { at, reason } = JSON.parse(await readFile(join(root, failureFile), "utf8"));
    return Date.now() - Date.parse(at) < retryAfterMs && typeof reason === "string" ? reason : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that the native backend is set up in the user's cache, and returns its folder; a set-up that is already
 * there costs nothing. Sources are tried in order: TensorFlow's Linux wheel through pip (270 MB), then tfjs-node's own
 * download. Everything happens in a folder beside the final one, which appears whole by a rename or not at all; of
 * several processes one does the work and the others wait; what a killed attempt left is removed by the next.
 *
 * @throws Error whose message says in one line what each source lacks and how to get it
 */
export async function setupNative(options: NativeSetupOptions = {}): Promise<string> {
  const { progress, cache = cacheFolder(), again = true, sources = nativeSources } = options;
  const find = () =>
    sources
      .map(({ tensorflow }) => nativeFolder(cache, tensorflow))
      .find((folder) => existsSync(join(folder, bindingPath)));
  const ready = find();
  if (ready) return ready;
  const root = nativeRoot(cache);
  const failed = again ? undefined : await recentFailure(root);
  if (failed) throw new Error(`${failed} (less than an hour ago; zoo doctor --setup tries again)`);
  await checkFolder(root);

  const onWait = (pid: string) =>
    progress?.({ label: `Waiting for process ${pid}, which is setting up TensorFlow`, done: 0, unit: "items" });
  return withLock(
    join(root, "lock"),
    async () => {
      const made = find();
      if (made) return made;
      for (const name of await readdir(root)) {
        if (name.startsWith(attemptPrefix)) await rm(join(root, name), { recursive: true, force: true });
      }
      const reasons: string[] = [];
      for (const { name, tensorflow, setup } of sources) {
        const attempt = await mkdtemp(join(root, attemptPrefix));
        try {
          const folder = join(attempt, "made");
          const work = join(attempt, "work");
          await mkdir(folder);
          await mkdir(work);
          await setup(folder, work, progress);
          const final = nativeFolder(cache, tensorflow);
          await rm(final, { recursive: true, force: true });
          await rename(folder, final);
          await rm(join(root, failureFile), { force: true });
          return final;
        } catch (error) {
          reasons.push(`${name}: ${oneLine(error)}`);
        } finally {
          await rm(attempt, { recursive: true, force: true });
        }
      }
      const reason = `not set up: ${reasons.join("; ")}`;
      await writeFile(
        join(root, failureFile),
        `${JSON.stringify({ at: new Date().toISOString(), reason }, null, 2)}\n`,
      );
      throw new Error(reason);
    },
    onWait,
  );
}
