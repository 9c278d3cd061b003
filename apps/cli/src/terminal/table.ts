export interface Column {
  /** the rows' key, and the heading */
  readonly key: string;
  readonly align?: "left" | "right";
}

/** Rows as aligned text with a heading; no line ends with spaces. */
export function formatTable(rows: readonly { [key: string]: string }[], columns: readonly Column[]): string {
  const widths = columns.map(({ key }) => Math.max(key.length, ...rows.map((row) => (row[key] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i].align === "right" ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
  return [
    line(columns.map(({ key }) => key)),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map((row) => line(columns.map(({ key }) => row[key] ?? ""))),
  ].join("\n");
}
