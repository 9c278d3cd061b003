/**
 * Builds the site of the web apps and serves it on this machine.
 *
 *   npm run apps [-- --port N]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "@tfjs-zoo/models";
import { build } from "vite";
import { serveSite } from "./serve.ts";
import { defaultOut, siteConfig } from "./site.ts";

const help = `npm run apps [-- flags]: builds the web apps and serves them on this machine

  --port <n>    where to serve them (default: 4173)
  --out <dir>   where to write the site (default: apps/web/dist)
  --build       only build
  -h, --help    this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      build: { type: "boolean" },
      out: { type: "string", default: defaultOut },
      port: { type: "string", default: "4173" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(help);
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65535) {
    throw new UsageError(`--port got "${values.port}"; expected a whole number from 0 to 65535`);
  }
  const out = resolve(values.out);
  await build(siteConfig(out));
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
