import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import type { WeightDtype } from "@tfjs-zoo/models/weights";
import { loadClassifier, loadForInference, saveClassifier } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  threadsOption,
} from "../context.ts";
import { weightsFile } from "../target.ts";
import { formatBytes } from "../terminal/format.ts";
import { onTestSet } from "./test-set.ts";
import { percent } from "./training.ts";

interface QuantizeFlags extends CommonFlags {
  out: string;
  dtype: WeightDtype;
}

export function registerQuantize(program: Command): void {
  program
    .command("quantize")
    .description("write weights in fewer bits, and say what that costs on the test set")
    .argument("<weights>", "NAME.TAG, a run's folder or a .safetensors file")
    .requiredOption("--out <file>", "a new .safetensors file")
    .addOption(
      new Option("--dtype <type>", "F16, or I8: eight bits and a scale for each output channel")
        .choices(["F16", "I8"])
        .default("I8"),
    )
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(quantize);
}

async function quantize(target: string, flags: QuantizeFlags): Promise<void> {
  const output = createOutput(flags);
  const file = await weightsFile(target);
  if (existsSync(flags.out)) throw new InputError(`${flags.out} exists already: give another --out`);
  await startBackendFor(flags, output);
  const { model, info } = await loadClassifier(file);
  const dataset = await loadDataset(info.dataset, { progress: output.progress.update, size: info.inputShape });
  await saveClassifier(flags.out, model, info, flags.dtype);
  model.dispose();
  const [before, after] = [await measured(file, dataset, output), await measured(flags.out, dataset, output)];
  const images = dataset.test.count;
  output.result({ dtype: flags.dtype, out: flags.out, before, after, images }, () =>
    [
      `before  ${percent(before.accuracy)}, loss ${before.loss.toFixed(4)}, ${formatBytes(before.bytes)}`,
      `after   ${percent(after.accuracy)}, loss ${after.loss.toFixed(4)}, ${formatBytes(after.bytes)} (${flags.dtype})`,
      `on ${images.toLocaleString("en")} test images of ${dataset.name}: ${flags.out}`,
    ].join("\n"),
  );
}

/** What a file of weights reaches on the test set, and how large it is. */
async function measured(file: string, dataset: ImageDataset, output: Output) {
  const { model, info } = await loadForInference(file);
  const { accuracy, loss } = await onTestSet(model, info, dataset, output);
  model.dispose();
  return { accuracy, loss, bytes: (await stat(file)).size };
}
