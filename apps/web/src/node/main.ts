/**
 * Builds the site of the web apps and serves it on this machine.
 *
 *   npm run apps [-- --port N]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "@tfjs-zoo/models";
import { createProgress } from "../../../cli/src/terminal/progress.ts";
import { buildSite } from "./build-site.ts";
import { packSets } from "./pack-sets.ts";
import { checkPort, serveSite } from "./serve.ts";
import { defaultOut } from "./site.ts";

const help = `npm run apps [-- flags]: builds the web apps and serves them on this machine

  --port <n>       where to serve them (default: 4173)
  --out <dir>      where to write the site (default: apps/web/dist)
  --full           pack all images of the data sets to train on, not only 10,000 of each
  --weights <dir>  published weights beside those that ship: a folder NAME.TAG of each
  --build          only build; data sets that this machine has not got are left out, not fetched
  -h, --help       this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      build: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      out: { type: "string", default: defaultOut },
      port: { type: "string", default: "4173" },
      weights: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(help);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65535) {
    throw new UsageError(`--port got "${values.port}"; expected a whole number from 0 to 65535`);
  }
  const out = resolve(values.out);
  if (!values.build) await checkPort(port);
  const progress = createProgress({ stream: process.stderr, enabled: process.stderr.isTTY });
  const packed = await packSets(values.full, { offline: values.build, progress: progress.update });
  for (const { name, why } of packed.missing) {
    progress.line(
      `the page to train on ${name} goes without it (npm run zoo -- data ${name} fetches it, later): ${why}`,
    );
  }
  progress.stop();
  await buildSite(out, { packed, weights: values.weights && resolve(values.weights) });
  if (values.build) return;
  const { url } = await serveSite(out, port);
  console.log(`the apps are at ${url} (Ctrl-C ends it)`);
}

class UsageError extends InputError {}

await main().catch((error: Error & { code?: string }) => {
  const usage = error instanceof UsageError || error.code?.startsWith("ERR_PARSE_ARGS");
  if (!usage && !(error instanceof InputError)) throw error;
  console.error(`error: ${error.message.replace(/\s*\n\s*/g, " ")}`);
  process.exitCode = usage ? 2 : 1;
});
