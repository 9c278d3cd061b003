import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { InputError } from "@tfjs-zoo/models";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/**
 * The path of a Chromium: `CHROME_PATH`, or the first one in `PATH`.
 *
 * @throws InputError in one line where there is none
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CHROME_PATH) {
    if (isProgram(env.CHROME_PATH)) return env.CHROME_PATH;
    throw new InputError(`CHROME_PATH is ${env.CHROME_PATH}, which is no program: give the path of a Chromium`);
  }
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    for (const name of names) if (folder && isProgram(join(folder, name))) return join(folder, name);
  }
  throw new InputError("no Chromium here: install one (Debian: apt-get install chromium), or name it in CHROME_PATH");
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
