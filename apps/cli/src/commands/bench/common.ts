import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@tfjs-zoo/models";
import { processorFolder, writeFileAtomic } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import { backendOption, type CommonFlags, jsonOption, wholeNumber } from "../../context.ts";

/** The flags that benchmarks share; each has some of them. */
export interface BenchFlags extends CommonFlags {
  batch?: string;
  steps?: string;
  save?: string | true;
  precision: string;
}

/** The benchmarks of a checkout: this file lies as deep in src as in dist. */
const benchFolder = fileURLToPath(new URL("../../../../../test/bench", import.meta.url));

/** What --save does, for all that have it. */
export const SAVE = "keep the result as a file (default: in test/bench/results/PROCESSOR)";

/** --save, --backend, --json */
export function resultOptions(command: Command): Command {
  return command.option("--save [folder]", SAVE).addOption(backendOption()).addOption(jsonOption());
}

export const batchOption = (): Option =>
  new Option("--batch <n>", "images a step (default: 128 on tensorflow, 32 elsewhere)");

export const precisionOption = (): Option =>
  new Option("--precision <name>", "f32, or bf16 on a processor that multiplies it").default("f32");

export const pythonOption = (): Option =>
  new Option("--python <path>", "the Python that has PyTorch (default: ~/.cache/zoo-peer/bin/python)");

export const torchScriptOption = (): Option =>
  new Option("--torch-script <path>", "PyTorch's side").default(
    join(benchFolder, "peers", "torch_train.py"),
    "test/bench/peers/torch_train.py",
  );

export function count(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(flag, text, 1, 1e6);
}

/** Where --save writes, by default a folder for each processor; looked at first, so that nothing is measured in vain. */
export const resultsFolder = (save: string | true | undefined): string | undefined =>
  folderFor(save, join("results", processorFolder()));

/** The same of what networks make, which does not depend on the processor. */
export const samplesFolder = (save: string | true | undefined): string | undefined => folderFor(save, "samples");

function folderFor(save: string | true | undefined, standard: string): string | undefined {
  if (save === undefined) return undefined;
  const folder = save === true ? join(benchFolder, standard) : save;
  // A checkout without such results has no folder for them.
  if (save === true && existsSync(benchFolder)) mkdirSync(folder, { recursive: true });
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new InputError(`--save: there is no folder ${folder}; make it or give another`);
  }
  return folder;
}

/** Writes a result under a name made of what it is about. */
export async function saveResult(
  folder: string | undefined,
  parts: readonly (string | number)[],
  result: object,
): Promise<void> {
  if (folder === undefined) return;
  await writeFileAtomic(join(folder, `${parts.join("-")}.json`), `${JSON.stringify(result, null, 2)}\n`);
}
