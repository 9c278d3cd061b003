import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { findClassifier, InputError } from "@tfjs-zoo/models";
import { type Command, Option } from "commander";
import { asUsage, backendOption, type CommonFlags, createOutput, jsonOption } from "../context.ts";
import { importClassifier, importLines, nextCommand, normalisationOf } from "../import-classifier.ts";

/** What a file of weights does not say of itself. */
export interface AboutFlags {
  dataset?: string;
  classes?: string;
  normalisation?: string;
}

interface ImportFlags extends CommonFlags, AboutFlags {
  model: string;
  out: string;
}

export const aboutOptions = (): Option[] => [
  new Option("--dataset <name>", "what they were trained on: gives classes and normalisation (default: by image size)"),
  new Option("--classes <file>", "a JSON list of the classes' names"),
  new Option("--normalisation <which>", "imagenet, or MEANS/DEVIATIONS such as 0.5,0.5,0.5/0.25,0.25,0.25"),
];

export function registerImport(program: Command): void {
  const command = program
    .command("import")
    .description("weights that others trained: safetensors, PyTorch's .pt and .pth, Keras's .h5 and .keras, model.json")
    .argument("<file>", "the file; nothing in it is executed")
    .requiredOption("--model <name>", "the network that they are of")
    .requiredOption("--out <file>", "a new .safetensors file for `zoo eval`, `predict` and `export`");
  for (const option of aboutOptions()) command.addOption(option);
  command.addOption(backendOption()).addOption(jsonOption()).action(importFile);
}

async function importFile(path: string, flags: ImportFlags): Promise<void> {
  const output = createOutput(flags);
  const { out, dataset, classes } = flags;
  const entry = asUsage(() => findClassifier(flags.model));
  const normalisation = asUsage(() => normalisationOf(flags.normalisation, entry));
  if (existsSync(out)) throw new InputError(`${out} exists already: give another --out`);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `can't read ${path} (${error.code}): give a .safetensors, .pt, .pth, .h5, .keras or model.json file`,
    );
  });
  const imported = await importClassifier(path, bytes, { entry, out, dataset, classes, normalisation }, flags, output);
  const { mean, std } = imported;
  output.result(imported, () =>
    [
      ...importLines(imported),
      ...(normalisation === undefined
        ? [`images normalised by ${mean.join(",")}/${std.join(",")}; if theirs were not: --normalisation`]
        : []),
      `${out}: ${nextCommand(out, imported.dataset)}`,
    ].join("\n"),
  );
}
