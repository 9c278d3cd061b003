/** One size for `bench growth`. Arguments: network, batch, depth, width, backend, precision; prints {items_per_s, spread, rss_mb, backend, device}. */
import { densenetCifar, resnetCifar } from "@tfjs-zoo/models";
import { type BackendName, startBackend } from "../node/backends/index.ts";
import type { GrowthNetwork } from "./bench-growth.ts";
import { noise } from "./noise.ts";
import { rateOf } from "./statistics.ts";
import { stepOf, withinPrecision } from "./workload.ts";

const network = process.argv[2] as GrowthNetwork;
const [batch, depth, width] = process.argv.slice(3, 6).map(Number);
const [backend, precision] = process.argv.slice(6) as [BackendName | "auto", string];

const { name, inBf16, device } = await startBackend(backend, { setup: false });
const model =
  network === "resnet"
    ? resnetCifar({ n: (depth - 2) / 6, widths: [width, 2 * width, 4 * width] })
    : densenetCifar({ layers: (depth - 4) / 3, width, keepAll: network === "densenet-keeping" });
const takeStep = stepOf(model, [32, 32, 3], withinPrecision(precision, name, inBf16));
const images = noise([32, 32, 3], 10, batch);
const times: number[] = [];
for (let step = 0; step < 12; step++) {
  const start = performance.now();
  await takeStep(images);
  if (step >= 4) times.push(performance.now() - start);
}
const { items_per_s, spread_ms } = rateOf(times, batch);
const spread = spread_ms.map((ms) => Number(((1000 * batch) / ms).toFixed(1))).reverse();
const rss_mb = Math.round(process.memoryUsage().rss / 1e6);
process.stdout.write(`${JSON.stringify({ items_per_s, spread, rss_mb, backend: name, device })}\n`, () =>
  process.exit(0),
);
