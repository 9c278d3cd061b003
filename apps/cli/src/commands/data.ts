import {
  datasetNames,
  datasetStatus,
  InputError,
  isLabelledTexts,
  labelledTextNames,
  loadDataset,
  loadLabelledTexts,
  loadPairDataset,
  loadTextDataset,
  type Progress,
  pairDatasetNames,
  textDatasetNames,
} from "@tfjs-zoo/datasets/node";
import type { Command } from "commander";
import { closest } from "fastest-levenshtein";
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
      for (const name of names) checkName(name);
      for (const name of names) output.line(`${name}: ${await fetched(name, output.progress.update)}, verified`);
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

/** A set of your own is checked as it is loaded. */
function checkName(name: string): void {
  if (/^(folder|text|pairs|labels):/.test(name)) return;
  const known = [...datasetNames, ...textDatasetNames, ...pairDatasetNames, ...labelledTextNames];
  if (known.includes(name)) return;
  throw new InputError(
    `unknown data set "${name}": did you mean "${closest(name, known)}"? There are ${known.join(", ")}`,
  );
}

/** Loads a set. @returns what is in it */
async function fetched(name: string, progress: Progress): Promise<string> {
  if (textDatasetNames.includes(name) || name.startsWith("text:")) {
    const { train, validation } = await loadTextDataset(name, { progress });
    return `${train.length} training and ${validation.length} validation characters`;
  }
  if (pairDatasetNames.includes(name) || name.startsWith("pairs:")) {
    const { source, target, train, validation, test } = await loadPairDataset(name, { progress });
    const counts = `${train.source.length} training, ${validation.source.length} validation and ${test.source.length} test`;
    return `${counts} pairs, ${source}-${target}`;
  }
  if (isLabelledTexts(name)) {
    const { train, validation, test, classes } = await loadLabelledTexts(name, { progress });
    const counts = `${train.texts.length} training, ${validation.texts.length} validation and ${test.texts.length} test`;
    return `${counts} texts, ${classes.length} classes`;
  }
  const { train, test, classes } = await loadDataset(name, { progress });
  return `${train.count} training and ${test.count} test images, ${classes.length} classes`;
}
