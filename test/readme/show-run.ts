/**
 * Makes a run the one that the README shows: what it was and what it reached into test/readme/run, and the top of its
 * report as a picture.
 *
 *   npx tsx --conditions=tfjs-zoo-source test/readme/show-run.ts runs/resnet20-cifar10-quick-s0 && npm run readme
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openChromium } from "../browser/open-chromium.ts";

const [run] = process.argv.slice(2);
if (run === undefined) {
  process.stderr.write("error: which run? For example: show-run.ts runs/resnet20-cifar10-quick-s0\n");
  process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
await mkdir(join(here, "run"), { recursive: true });
for (const name of ["config.json", "env.json", "result.json"]) await copyFile(join(run, name), join(here, "run", name));

const browser = await openChromium();
const page = await browser.newPage({ viewport: { width: 1000, height: 1500 }, colorScheme: "light" });
await page.goto(pathToFileURL(resolve(run, "report.html")).href);
await page.screenshot({ path: join(here, "report.png") });
await browser.close();
