import type { OpCost } from "@tfjs-zoo/training/bench";
import { backendTitle } from "../shared/backend-name.ts";
import { make, percent } from "../shared/dom.ts";
import type { Checked, Speed } from "./protocol.ts";

/** Ops that are listed by name; the others come to little. */
const LISTED = 15;

/** A number of milliseconds, or of items, with three digits that count. */
const digits = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

type Cell = string | Node;

/** Fills a table; the first cell of a row is its heading. */
function fill(table: HTMLTableElement, caption: string, titles: readonly string[], rows: readonly Cell[][]): void {
  table.replaceChildren(
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)))),
    make(
      "tbody",
      {},
      ...rows.map(([first, ...others]) =>
        make("tr", {}, make("th", { scope: "row" }, first), ...others.map((cell) => make("td", {}, cell))),
      ),
    ),
  );
}

/** A number with a bar as long as its share of the largest. */
function bar(text: string, share: number): Node {
  const track = make("span", { className: "bar" }, make("i"));
  track.setAttribute("aria-hidden", "true");
  (track.firstChild as HTMLElement).style.width = percent(Math.min(Math.max(share, 0), 1)).replace("\u00a0", "");
  return make("span", { className: "barred" }, text, track);
}

export function showSpeeds(table: HTMLTableElement, speeds: readonly Speed[]): void {
  const caption = "Medians; between those two the middle half of the steps lies";
  const titles = ["Network", "Computed by", "Batch", "Step, ms", "Middle half", "Items a second"];
  const fastest = Math.max(...speeds.map(({ ours }) => ours.items_per_s));
  fill(
    table,
    caption,
    titles,
    speeds.map(({ model, backend, batch, unit, ours }) => [
      model,
      backendTitle[backend],
      String(batch),
      digits(ours.step_ms),
      ours.spread_ms.map(digits).join(" – "),
      bar(`${digits(ours.items_per_s)} ${unit}`, ours.items_per_s / fastest),
    ]),
  );
}

/** @returns whether there is something to show */
export function showCosts(table: HTMLTableElement, { model, backend, ops }: Speed): boolean {
  if (ops === undefined) return false;
  const longest = ops.toSorted((a, b) => b.ms - a.ms);
  const [listed, others] = [longest.slice(0, LISTED), longest.slice(LISTED)];
  if (others.length > 0) {
    const sum = (of: (cost: OpCost) => number) => others.reduce((total, cost) => total + of(cost), 0);
    const rest = { calls: sum(({ calls }) => calls), ms: sum(({ ms }) => ms), share: sum(({ share }) => share) };
    listed.push({ op: `${others.length} others`, ...rest });
  }
  fill(
    table,
    `A step of ${model} on ${backendTitle[backend]}, by ops, while each is timed`,
    ["Op", "Calls", "Time, ms", "Share"],
    listed.map(({ op, calls, ms, share }) => [
      op,
      calls === 0 ? "" : digits(calls),
      digits(ms),
      bar(percent(share), share / Math.max(longest[0].share, 1e-9)),
    ]),
  );
  return true;
}

export function showChecks(table: HTMLTableElement, checks: readonly Checked[]): void {
  fill(
    table,
    "The largest error of a value or a gradient, beside differences in double precision and TensorFlow.js's own ops",
    ["Op", "Largest error", ""],
    checks.map(({ op, worst, wrong }) => [op, worst.toExponential(1), wrong.length === 0 ? "right" : "WRONG"]),
  );
}
