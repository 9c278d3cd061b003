import { benchData } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { createOutput } from "../../context.ts";
import { type BenchFlags, count, precisionOption, resultOptions, resultsFolder, saveResult } from "./common.ts";

/** `bench data`: whether training waits for its images. */
export function registerData(bench: Command): void {
  resultOptions(bench.command("data <model>").addOption(precisionOption()))
    .description("augmented images a second, and how long training waits for them")
    .option("--steps <n>", "training steps (default: 50)")
    .action(data);
}

async function data(model: string, flags: BenchFlags): Promise<void> {
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchData({
    model,
    backend: flags.backend,
    precision: flags.precision,
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  const { backend, precision, augmented_per_s: augmented, trained_per_s: trained, wait_ms, step_ms } = result;
  await saveResult(folder, ["data", model, backend, precision], result);
  output.result(result, () =>
    [
      `${augmented.toLocaleString("en")} images/s cropped, flipped, blanked in part and normalised, on one thread`,
      `${model} on ${backend} in ${precision} trains on ${trained.toLocaleString("en")} a second: a step of ${step_ms} ms waits ${wait_ms} ms for its batch`,
    ].join("\n"),
  );
}
