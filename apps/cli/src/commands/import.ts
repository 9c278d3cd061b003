import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  findClassifier,
  findDenoiser,
  findLanguageModel,
  findModel,
  findTextEncoder,
  findTranslator,
  InputError,
} from "@tfjs-zoo/models";
import { type Command, Option } from "commander";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  UsageError,
} from "../context.ts";
import { importClassifier, importLines, nextCommand, normalisationOf } from "../import-classifier.ts";
import { expectPublished, importDiffusion } from "../import-diffusion.ts";
import { importLanguageModel } from "../import-language-model.ts";
import type { TextFile } from "../import-text.ts";
import { importTextEncoder } from "../import-text-encoder.ts";
import { importTranslator } from "../import-translator.ts";

/** What a file of weights does not say of itself. */
export interface AboutFlags {
  dataset?: string;
  classes?: string;
  normalisation?: string;
}

interface ImportFlags extends CommonFlags, AboutFlags {
  model: string;
  out: string;
  tokenizer?: string;
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
  command.option(
    "--tokenizer <file>",
    "of a network of text: its tokenizer.json, or a BERT's vocab.txt (default: that beside the file)",
  );
  command.addOption(backendOption()).addOption(jsonOption()).action(importFile);
}

async function importFile(path: string, flags: ImportFlags): Promise<void> {
  const output = createOutput(flags);
  const { out, dataset, classes } = flags;
  const { task } = asUsage(() => findModel(flags.model));
  if (task === "autoencoding" || task === "adversarial") {
    throw new UsageError(`${flags.model} is nobody else's: train it, or give the name of another network`);
  }
  if (task === "diffusion") return importNoise(path, flags, output);
  if (task !== "classification") return importTexts(path, task, flags, output);
  const entry = asUsage(() => findClassifier(flags.model));
  const normalisation = asUsage(() => normalisationOf(flags.normalisation, entry));
  const bytes = await bytesFor(path, out);
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

/** @throws UsageError for a flag that says what pictures were */
function refusePictures(flags: ImportFlags): void {
  const other = (["dataset", "classes", "normalisation"] as const).find((name) => flags[name] !== undefined);
  if (other) throw new UsageError(`--${other} means nothing to ${flags.model}: leave it out`);
}

async function importNoise(path: string, flags: ImportFlags, output: Output): Promise<void> {
  refusePictures(flags);
  expectPublished(flags.model);
  const { out } = flags;
  const entry = findDenoiser(flags.model);
  const imported = await importDiffusion(path, await bytesFor(path, out), { entry, out }, flags, output);
  output.result(imported, () =>
    [...importLines(imported), `${out}: npm run sample -- ${out} --out sheet.png`].join("\n"),
  );
}

/** How a network of text is read, and what can be done with it then. */
const textImports = {
  "language-modelling": {
    read: (name: string, file: TextFile) => importLanguageModel(findLanguageModel(name), file),
    next: (out: string) => `npm run generate -- ${out}`,
  },
  "masked-language-modelling": {
    read: (name: string, file: TextFile) => importTextEncoder(findTextEncoder(name), file),
    next: (out: string) => `npm run predict -- "… [MASK] …" --weights ${out}`,
  },
  translation: {
    read: (name: string, file: TextFile) => importTranslator(findTranslator(name), file),
    next: (out: string) => `npm run translate -- "…" --weights ${out}`,
  },
};

async function importTexts(
  path: string,
  task: keyof typeof textImports,
  flags: ImportFlags,
  output: Output,
): Promise<void> {
  refusePictures(flags);
  const { out, tokenizer } = flags;
  const { read, next } = textImports[task];
  const bytes = await bytesFor(path, out);
  const imported = await read(flags.model, { path, bytes, out, tokenizer, flags, output });
  output.result(imported, () => [...importLines(imported), `${out}: ${next(out)}`].join("\n"));
}

/** The bytes of a file that is to become another. */
async function bytesFor(path: string, out: string): Promise<Uint8Array> {
  if (existsSync(out)) throw new InputError(`${out} exists already: give another --out`);
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `can't read ${path} (${error.code}): give a .safetensors, .pt, .pth, .h5, .keras or model.json file`,
    );
  });
}
