import { findModel } from "@tfjs-zoo/models";
import { benchMemory } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { createOutput } from "../../context.ts";
import {
  type BenchFlags,
  batchOption,
  count,
  precisionOption,
  resultOptions,
  resultsFolder,
  saveResult,
} from "./common.ts";

/** `bench memory`: that training holds no more and no more. */
export function registerMemory(bench: Command): void {
  resultOptions(bench.command("memory <model>").addOption(batchOption()).addOption(precisionOption()))
    .description("tensors and resident memory over many training steps")
    .option("--steps <n>", "training steps (default: 500)")
    .action(memory);
}

async function memory(model: string, flags: BenchFlags): Promise<void> {
  findModel(model);
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchMemory({
    model,
    backend: flags.backend,
    precision: flags.precision,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  const { backend, precision, batch, steps, rss_mb: rss, heap_mb: heap } = result;
  await saveResult(folder, ["memory", model, backend, precision, `batch${batch}`], result);
  output.result(result, () =>
    [
      `${model} on ${backend} in ${precision}, batch ${batch}`,
      `tensors: ${result.num_tensors_10} after step 10, ${result[`num_tensors_${steps}`]} after step ${steps}`,
      `resident memory, MB, after every tenth of ${steps} steps: ${rss.join(", ")}`,
      `of it JavaScript's heap: ${heap.join(", ")}`,
    ].join("\n"),
  );
}
