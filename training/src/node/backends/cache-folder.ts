import { homedir } from "node:os";
import { join } from "node:path";

/** The user's cache folder for everything of the zoo: `ZOO_CACHE_DIR`, else `tfjs-zoo` in the system's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ZOO_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tfjs-zoo");
}
