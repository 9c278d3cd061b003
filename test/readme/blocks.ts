/**
 * Replaces what lies between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
 *
 * @throws Error in one line unless the markdown has each of the two marks once, in this order
 */
export function replaceBlock(markdown: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [before, ...afterBegin] = markdown.split(begin);
  const [, ...afterEnd] = afterBegin.join(begin).split(end);
  if (afterBegin.length !== 1 || afterEnd.length !== 1 || before.includes(end)) {
    throw new Error(`the block "${name}" needs one ${begin} and one ${end} after it`);
  }
  return `${before}${begin}\n${body.trim()}\n${end}${afterEnd[0]}`;
}

/** A column of a table: its heading, and on which side its cells stand. */
export interface Column {
  title: string;
  align?: "left" | "right";
}

/** A table in GitHub's markdown, aligned as the formatter has it. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => row.map((cell) => cell.replace(/\|/g, "\\|"))),
  ];
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((row) => row[i].length)));
  const isRight = (i: number) => columns[i].align === "right";
  const pad = (cell: string, i: number) => (isRight(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]));
  const rule = widths.map((width, i) => (isRight(i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  const [head, ...body] = cells.map((row) => row.map(pad));
  return [head, rule, ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
