import { make, percent } from "../shared/dom.ts";

/** Cells above which no map is drawn: a page with more of them gets slow. */
const MOST_CELLS = 5000;

export interface HeatMap {
  element: HTMLElement;
  /** @param weights [written, source] */
  show(weights: readonly ArrayLike<number>[]): void;
  /** Marks a row and a column, or neither. */
  point(at: { row?: number; column?: number }): void;
}

/**
 * Attention as a table: a row for what was written, a column for what was read, in each cell its share of the row's look,
 * as a shade and as text.
 */
export function heatMap(names: { readonly source: readonly string[]; readonly written: readonly string[] }): HeatMap {
  const { source, written } = names;
  if (source.length * written.length > MOST_CELLS) {
    const text = `A map of ${written.length} by ${source.length} tokens is too large to draw: point at the words above.`;
    return { element: make("p", { className: "note", textContent: text }), show: () => {}, point: () => {} };
  }
  const table = make("table", { className: "heat" });
  const head = make("tr", {}, make("td"));
  for (const [column, name] of source.entries()) {
    const cell = make("th", { scope: "col" }, make("span", { dir: "auto", textContent: name }));
    cell.dataset.column = String(column);
    head.append(cell);
  }
  const body = make("tbody");
  for (const [row, name] of written.entries()) {
    const line = make("tr", {}, make("th", { scope: "row", dir: "auto", textContent: name }));
    line.dataset.row = String(row);
    for (const column of source.keys()) {
      const cell = make("td", {}, make("data", { className: "spoken" }));
      Object.assign(cell.dataset, { row, column });
      line.append(cell);
    }
    body.append(line);
  }
  table.append(make("thead", {}, head), body);
  const box = make("div", { className: "scroll", tabIndex: 0 }, table);
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Where it looked, as a table");
  const note = "Rows are what it wrote, columns what it read; a row sums to 100\u00a0%.";
  const element = make("div", {}, make("p", { className: "quiet", textContent: note }), box);

  return {
    element,
    show(weights) {
      for (const cell of body.querySelectorAll("td")) {
        const [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
        const share = weights[row][column];
        cell.style.setProperty("--share", share.toFixed(4));
        cell.title = `${written[row]} from ${source[column]}: ${percent(share)}`;
        const value = cell.firstElementChild as HTMLDataElement;
        value.value = String(share);
        value.textContent = percent(share, 0);
      }
    },
    point({ row, column }) {
      for (const marked of table.querySelectorAll(".on")) marked.classList.remove("on");
      if (row !== undefined) body.rows[row]?.classList.add("on");
      if (column === undefined) return;
      for (const cell of table.querySelectorAll(`[data-column="${column}"]`)) cell.classList.add("on");
    },
  };
}
