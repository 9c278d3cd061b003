/**
 * Measures how long the page that classifies takes from being opened to its first answer, by resnet20 on WebAssembly: on
 * localhost, in a headless Chromium, at the first visit and with everything kept on the device. --save keeps the result
 * for the README.
 *
 *   npx tsx --conditions=tfjs-zoo-source test/browser/measure-open.ts [--save]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { collectEnvironment, processorFolder } from "@tfjs-zoo/training/node";
import type { PageResult } from "../readme/tables.ts";
import { openChromium } from "./open-chromium.ts";
import { openSite } from "./site.ts";

const TIMES = 9;

const [site, browser] = await Promise.all([openSite(), openChromium()]);
const page = await browser.newPage();
const times: number[] = [];
for (let i = 0; i <= TIMES; i++) {
  await page.goto(`${site.url}classify/index.html`);
  await page.waitForFunction(() => performance.getEntriesByName("answered").length > 0);
  times.push(Math.round(await page.evaluate(() => performance.getEntriesByName("answered")[0].startTime)));
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
}
const chromium = browser.version();
await browser.close();
await site.remove();

const [first, ...kept] = times;
kept.sort((a, b) => a - b);
const { cpu, cores } = collectEnvironment();
const result: PageResult = {
  page: "classify",
  model: "resnet20",
  backend: "wasm",
  first_ms: first,
  kept_ms: kept[TIMES >> 1],
  kept_all_ms: kept,
  environment: { cpu, cores, chromium },
};
console.log(`first visit: ${first} ms`);
console.log(`kept on the device: ${result.kept_ms} ms (median of ${TIMES}: ${kept.join(", ")})`);
if (process.argv.includes("--save")) {
  const folder = fileURLToPath(new URL(`../bench/results/${processorFolder()}`, import.meta.url));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "page-classify-resnet20-wasm.json"), `${JSON.stringify(result, null, 2)}\n`);
}
