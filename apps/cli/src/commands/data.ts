import { datasetStatus, loadDataset } from "@tfjs-zoo/datasets/node";
import type { Command } from "commander";
import { type CommonFlags, createOutput, jsonOption } from "../context.ts";
import { formatBytes } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";

export function registerData(program: Command): void {
  program
    .command("data")
    .description("which data sets are on this machine; with names: fetch and verify them")
    .argument("[names...]", "data sets to fetch")
    .addOption(jsonOption())
    .action(async (names: string[], flags: CommonFlags) => {
      const output = createOutput(flags);
      for (const name of names) {
        const { train, test, classes } = await loadDataset(name, { progress: output.progress.update });
        output.line(
          `${name}: ${train.count} training and ${test.count} test images, ${classes.length} classes, verified`,
        );
      }
      const status = await datasetStatus();
      output.result(status, () =>
        formatTable(
          status.map(({ name, folder, bytes, source }) => ({
            name,
            here: folder ?? "no",
            size: formatBytes(bytes),
            source,
          })),
          [{ key: "name" }, { key: "here" }, { key: "size", align: "right" }, { key: "source" }],
        ),
      );
    });
}
