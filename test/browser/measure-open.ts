/**
 * Prints how long the page that classifies takes from being opened to its first answer, by resnet20 on WebAssembly, with
 * everything kept on the device: on localhost, in a headless Chromium.
 *
 *   npx tsx --conditions=tfjs-zoo-source test/browser/measure-open.ts
 */
import { openChromium } from "./open-chromium.ts";
import { openSite } from "./site.ts";

const TIMES = 9;

const [site, browser] = await Promise.all([openSite(), openChromium()]);
const page = await browser.newPage();
const times: number[] = [];
for (let i = 0; i <= TIMES; i++) {
  await page.goto(`${site.url}classify/index.html`);
  await page.waitForFunction(() => performance.getEntriesByName("answered").length > 0);
  const ms = await page.evaluate(() => performance.getEntriesByName("answered")[0].startTime);
  if (i > 0) times.push(Math.round(ms));
  else console.log(`first visit: ${Math.round(ms)} ms`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
}
await browser.close();
await site.remove();
times.sort((a, b) => a - b);
console.log(`kept on the device: ${times[TIMES >> 1]} ms (median of ${TIMES}: ${times.join(", ")})`);
