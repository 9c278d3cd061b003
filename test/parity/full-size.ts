/**
 * Compares networks at full size with PyTorch in float64, as parity.test.ts does with narrow ones:
 *
 *     npm run parity -- resnet50 densenet121 vit-b16
 *
 * Needs PyTorch (see test/bench/peers/torch_train.py); takes about a minute a network and up to 10 GB.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@tfjs-zoo/models";
import { peerPython } from "@tfjs-zoo/training/node";

const here = fileURLToPath(new URL(".", import.meta.url));

function run(command: string, args: string[], env: NodeJS.ProcessEnv = {}): void {
  const { status, error } = spawnSync(command, args, {
    cwd: join(here, ".."),
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  if (error) throw new InputError(`can't run ${command}: ${error.message}`);
  if (status !== 0) process.exit(1);
}

const names = process.argv.slice(2);
if (names.length === 0) {
  console.error("error: which networks? For example: npm run parity -- resnet50 densenet121 vit-b16");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "zoo-parity-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
try {
  run(peerPython(), [join(here, "make_fixtures.py"), "--out", folder, ...names]);
  const vitest = ["vitest", "run", "parity/parity.test.ts", "--reporter=verbose", "--testTimeout=600000"];
  run("npx", vitest, { ZOO_PARITY_FIXTURES: folder });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
