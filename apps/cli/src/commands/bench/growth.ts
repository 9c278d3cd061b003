import { benchGrowth, type GrowthSeries } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { createOutput } from "../../context.ts";
import { formatTable } from "../../terminal/table.ts";
import { type BenchFlags, precisionOption, resultOptions, resultsFolder, saveResult } from "./common.ts";

/** `bench growth`: what larger networks and batches cost. */
export function registerGrowth(bench: Command): void {
  resultOptions(bench.command("growth").addOption(precisionOption()))
    .description("images a second and memory against batch size, depth and width")
    .action(growth);
}

async function growth(flags: BenchFlags): Promise<void> {
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const { backend, precision } = flags;
  const result = await benchGrowth({ backend, precision, progress: (event) => output.progress.update(event) });
  await saveResult(folder, ["growth", result.backend, result.precision], result);
  output.result(result, () =>
    result.growth.map((series) => `${series.title} with another ${series.axis}\n${seriesText(series)}`).join("\n\n"),
  );
}

function seriesText({ axis, points }: GrowthSeries): string {
  const rows = points.map((point) => ({
    [axis]: String(point[axis]),
    "images/s": point.items_per_s.toFixed(0),
    "memory, MB": String(point.rss_mb),
  }));
  return formatTable(
    rows,
    [axis, "images/s", "memory, MB"].map((key) => ({ key, align: "right" })),
  );
}
