/**
 * Compares networks at full size with PyTorch in float64, as the tests here do with narrow ones:
 *
 *     npm run parity -- resnet50 densenet121 vit-b16 ddpm-cifar
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

/** Networks that a folder of their own compares; all others are classifiers, which parity.test.ts does. */
const folders: { [folder: string]: readonly string[] } = {
  vae: ["vae", "vae-2x200", "vae-conv"],
  gan: ["dcgan", "dcgan-mnist", "wgan-mnist", "sngan-mnist"],
  diffusion: ["ddpm", "ddpm-cifar"],
};

/** The script that makes fixtures of some networks, and the test that reads them. */
function placeOf(name: string): { script: string; test: string } {
  const folder = Object.keys(folders).find((key) => folders[key].includes(name));
  if (folder === undefined) return { script: "make_fixtures.py", test: "parity/parity.test.ts" };
  return { script: join(folder, `make_${folder}_fixtures.py`), test: `parity/${folder}/${folder}.test.ts` };
}

const names = process.argv.slice(2);
if (names.length === 0) {
  console.error("error: which networks? For example: npm run parity -- resnet50 densenet121 vit-b16");
  process.exit(2);
}
const made = mkdtempSync(join(tmpdir(), "zoo-parity-"));
process.once("exit", () => rmSync(made, { recursive: true, force: true }));
try {
  for (const test of new Set(names.map((name) => placeOf(name).test))) {
    const own = names.filter((name) => placeOf(name).test === test);
    const folder = join(made, own[0]);
    run(peerPython(), [join(here, placeOf(own[0]).script), "--out", folder, ...own]);
    const vitest = ["vitest", "run", test, "--reporter=verbose", "--testTimeout=600000"];
    run("npx", vitest, { ZOO_PARITY_FIXTURES: folder });
  }
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
