import type { ChartOptions } from "../../charts/chart.ts";
import type { Picture } from "../../charts/picture.ts";

/** A picture of a report, which is also written as a file. */
export interface Figure {
  /** the file's name */
  file: string;
  picture: Picture;
  /** what a reader who can't see it is told */
  alt: string;
  caption: string;
}

/** Points in the plane, each of a class. */
export interface ScatterOptions {
  title: string;
  points: readonly { x: number; y: number; class: number; hollow?: boolean; say: string }[];
  classes: readonly string[];
  /** what a hollow point is */
  hollow?: string;
}

export interface TableOptions {
  head: readonly string[];
  /** numbers are shown as they are; a `share` of 0 to 1 as a bar and per cent */
  rows: readonly (readonly (string | { share: number })[])[];
}

/** What a section of the report shows, from top to bottom. */
export type Block =
  | { kind: "figures"; title?: string; figures: readonly Figure[]; wide?: boolean }
  | { kind: "charts"; charts: readonly ChartOptions[] }
  | { kind: "scatter"; scatter: ScatterOptions }
  | { kind: "table"; table: TableOptions };

/** One look inside a network. */
export interface Section {
  title: string;
  /** what one sees, and the paper */
  lead: string;
  blocks: readonly Block[];
}

/** All that was looked at. */
export interface Explanation {
  title: string;
  /** which weights, which images */
  subtitle: string;
  sections: readonly Section[];
}

/** Every picture of an explanation. */
export function figuresOf({ sections }: Explanation): Figure[] {
  return sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === "figures" ? block.figures : [])));
}
