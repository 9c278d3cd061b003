#!/usr/bin/env node
import { spawnSync } from "node:child_process";
// The built command where there is one; in a checkout that is not built, the source through tsx.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../dist/main.js", import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  const tsx = fileURLToPath(import.meta.resolve("tsx/cli"));
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const args = [tsx, "--conditions=tfjs-zoo-source", main, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  process.exit(status ?? 1);
}
