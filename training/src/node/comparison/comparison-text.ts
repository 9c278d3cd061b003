import { type ComparedModel, type Comparison, worthOf } from "./comparison.ts";

/** A column of the table: heading, and a network's cell. */
const columns: [heading: string, cell: (model: ComparedModel) => string][] = [
  ["network", ({ model }) => model],
  ["parameters", ({ parameters }) => parameters.toLocaleString("en")],
  ["MACs", ({ macs }) => `${(macs / 1e6).toFixed(1)} M`],
  ["epochs", ({ epochs }) => String(epochs)],
  ["test accuracy", ({ accuracy }) => percent(accuracy.mean)],
  ["± over seeds", ({ accuracy }) => (accuracy.deviation === undefined ? "" : (100 * accuracy.deviation).toFixed(2))],
  ["minutes", ({ seconds }) => (seconds / 60).toFixed(1)],
  ["images/s to train", ({ items_per_s }) => items_per_s.toFixed(0)],
  ["ms to infer one", ({ infer_ms }) => infer_ms.toFixed(1)],
  ["peak memory, MB", ({ peak_memory_mb }) => peak_memory_mb.toFixed(0)],
];

export const headings = columns.map(([heading]) => heading);

/** The table's rows, best network first. */
export function rowsOf({ models }: Comparison): string[][] {
  return byAccuracy(models).map((model) => columns.map(([, cell]) => cell(model)));
}

export const byAccuracy = (models: readonly ComparedModel[]): ComparedModel[] =>
  [...models].sort((a, b) => b.accuracy.mean - a.accuracy.mean);

/** What was done, in a sentence. */
export function setupOf({
  dataset,
  recipe,
  precision,
  backend,
  budget,
  train_images,
  test_images,
}: Comparison): string {
  const each =
    "minutes" in budget
      ? `${budget.minutes} minutes of training`
      : `${budget.epochs} epoch${budget.epochs === 1 ? "" : "s"}`;
  return (
    `Recipe ${recipe}, ${each} each, ${precision} on ${backend}; ${train_images.toLocaleString("en")} training images ` +
    `of ${dataset}, accuracy after the last epoch on all ${test_images.toLocaleString("en")} test images.`
  );
}

/** A comparison as Markdown. */
export function comparisonMarkdown(comparison: Comparison): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = headings.map((_, i) => (i === 0 ? "---" : "---:"));
  return [
    `# ${comparison.models.map(({ model }) => model).join(", ")} on ${comparison.dataset}`,
    setupOf(comparison),
    [line(headings), line(rule), ...rowsOf(comparison).map(line)].join("\n"),
    worthOf(comparison),
    ...comparison.failed.map(({ model, seed, reason }) => `${model}, seed ${seed}, failed: ${reason}`),
    "",
  ].join("\n\n");
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
