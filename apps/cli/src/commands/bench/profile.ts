import { InputError } from "@tfjs-zoo/models";
import { type BenchProfileResult, benchProfile } from "@tfjs-zoo/training/node";
import { createOutput } from "../../context.ts";
import { formatTable } from "../../terminal/table.ts";
import { count, resultsFolder, saveResult } from "./common.ts";
import type { SpeedFlags } from "./speed.ts";

/** `bench train --profile`: what each op costs. */
export async function profile(model: string, flags: SpeedFlags): Promise<void> {
  if (flags.peer.length > 0) throw new InputError("--profile times our own ops: give it without --peer");
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchProfile({
    model,
    backend: flags.backend,
    precision: flags.precision,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  const { backend, precision, batch } = result;
  await saveResult(folder, ["profile", model, backend, precision, `batch${batch}`], result);
  output.result(result, () => profileText(result));
}

function profileText({ model, backend, precision, batch, steps, step_ms, ops }: BenchProfileResult): string {
  const rows = ops.map(({ op, calls, ms, share }) => ({
    op,
    calls: calls === 0 ? "" : calls.toFixed(Number.isInteger(calls) ? 0 : 1),
    ms: ms.toFixed(2),
    share: `${(100 * share).toFixed(1)} %`,
  }));
  return [
    `${model}, batch ${batch}, ${precision}, ${backend}: a training step of ${step_ms.toFixed(1)} ms, mean of ${steps}`,
    formatTable(
      rows,
      ["op", "calls", "ms", "share"].map((key) => ({ key, align: key === "op" ? "left" : "right" })),
    ),
  ].join("\n");
}
