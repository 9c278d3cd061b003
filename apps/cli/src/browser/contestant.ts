/** Contestant of `zoo bench train`: our training in a headless Chromium. Arguments: model, backend, batch. */
import { serve } from "@tfjs-zoo/training/node";
import { openInChromium } from "./in-chromium.ts";

const [model, backend, batch] = process.argv.slice(2);

await serve(async () => {
  const page = await openInChromium();
  process.on("exit", page.close);
  const input = { model, backend, batch: Number(batch) };
  const { params, version } = (await page.ask("prepare", input, 170_000)) as { params: number; version: string };
  const versions = { [page.browser.split("/")[0]]: page.browser.split("/")[1] ?? "", "tfjs-core": version };
  return {
    ready: { params, batch: Number(batch), threads: 1, versions, backend },
    step: async () => (await page.ask("step", {}, 120_000)) as number,
  };
});
