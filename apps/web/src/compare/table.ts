import { make } from "../shared/dom.ts";

/** One column: how a row's value is read, and how it is shown. */
export interface Column<Row> {
  title: string;
  /** what rows are sorted by; undefined is not known yet, and comes last */
  value(row: Row): number | string | undefined;
  text(row: Row): string;
  /** where the text leads */
  link?(row: Row): string;
  /** Larger is what one looks for first. */
  descending?: boolean;
}

/** A table whose column headings are buttons that sort it. */
export class SortableTable<Row> {
  private sorted = 0;
  private descending = false;

  constructor(
    private readonly table: HTMLTableElement,
    private readonly columns: readonly Column<Row>[],
    private readonly rows: readonly Row[],
    caption: string,
  ) {
    const headings = columns.map(({ title }, i) => {
      const button = make("button", { type: "button" }, title);
      button.addEventListener("click", () => this.sortBy(i));
      return make("th", { scope: "col" }, button);
    });
    const body = make("tbody");
    table.replaceChildren(make("caption", {}, caption), make("thead", {}, make("tr", {}, ...headings)), body);
    this.show();
  }

  /** Sorts by a column; by the one that it is sorted by, the other way round. */
  private sortBy(column: number): void {
    this.descending = column === this.sorted ? !this.descending : this.columns[column].descending === true;
    this.sorted = column;
    this.show();
  }

  /** Writes the rows anew. */
  show(): void {
    const { value } = this.columns[this.sorted];
    const sign = this.descending ? -1 : 1;
    const rows = [...this.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en"));
    });
    const order = this.descending ? "descending" : "ascending";
    for (const [i, heading] of [...this.table.querySelectorAll("th[scope=col]")].entries()) {
      if (i === this.sorted) heading.setAttribute("aria-sort", order);
      else heading.removeAttribute("aria-sort");
    }
    this.table.tBodies[0].replaceChildren(
      ...rows.map((row) => {
        const cells = this.columns.map(({ text, link }, i) => {
          const content = link ? make("a", { href: link(row) }, text(row)) : text(row);
          return i === 0 ? make("th", { scope: "row" }, content) : make("td", {}, content);
        });
        return make("tr", {}, ...cells);
      }),
    );
  }
}
