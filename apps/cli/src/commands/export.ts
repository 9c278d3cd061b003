import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import {
  layersModelWeightsFile,
  toLayersModel,
  toOnnx,
  type WeightDtype,
  weightDtypes,
} from "@tfjs-zoo/models/weights";
import { classifierMetadata } from "@tfjs-zoo/training";
import { loadClassifier, saveClassifier, writeFileAtomic } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  UsageError,
} from "../context.ts";
import { weightsFile } from "../target.ts";

interface ExportFlags extends CommonFlags {
  format: keyof typeof formats;
  out: string;
  dtype: WeightDtype;
}

const formats = { "layers-model": toFolder, safetensors: toSafetensors, onnx: toOnnxFile };

export function registerExport(program: Command): void {
  program
    .command("export")
    .description("weights for elsewhere: tf.loadLayersModel, ONNX, or safetensors in PyTorch's names and layouts")
    .argument("<weights>", "NAME.TAG, a run's folder or a .safetensors file")
    .requiredOption("--out <path>", "a new folder (layers-model) or file (safetensors, onnx)")
    .addOption(new Option("--format <format>", "what to write").choices(Object.keys(formats)).default("layers-model"))
    .addOption(new Option("--dtype <type>", "of safetensors").choices(weightDtypes).default("F32"))
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(async (target: string, flags: ExportFlags) => {
      const output = createOutput(flags);
      if (flags.dtype !== "F32" && flags.format !== "safetensors") {
        throw new UsageError(`--dtype is of safetensors; ${flags.format} has F32`);
      }
      const file = await weightsFile(target);
      if (existsSync(flags.out)) throw new InputError(`${flags.out} exists already: give another --out`);
      await startBackendFor(flags, output);
      const files = await formats[flags.format](file, flags, output);
      output.result({ format: flags.format, files }, () => files.join("\n"));
    });
}

async function toSafetensors(file: string, { out, dtype }: ExportFlags): Promise<string[]> {
  const { model, info } = await loadClassifier(file);
  await saveClassifier(out, model, info, dtype);
  return [out];
}

async function toOnnxFile(file: string, { out }: ExportFlags): Promise<string[]> {
  const { model, info } = await loadClassifier(file);
  await writeFileAtomic(out, await toOnnx(model, { metadata: classifierMetadata(info) }));
  return [out];
}

async function toFolder(file: string, { out }: ExportFlags, output: Output): Promise<string[]> {
  const { model, info } = await loadClassifier(file);
  const { modelJson, weights, needsImport, reasons } = await toLayersModel(model, { metadata: { ...info } });
  await makeFolder(out).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`can't make the folder ${out} (${error.code}): give another --out`);
  });
  const paths = [join(out, layersModelWeightsFile), join(out, "model.json")];
  await writeFileAtomic(paths[0], weights);
  await writeFileAtomic(paths[1], modelJson);
  output.line(
    needsImport === null
      ? "opens with tf.loadLayersModel, with none of the zoo's code"
      : `opens with tf.loadLayersModel in a page that imports ${needsImport}: ${reasons.join("; ")}`,
  );
  return paths;
}
