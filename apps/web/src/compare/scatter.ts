import { escapeHtml, linearScale, logScale } from "@tfjs-zoo/training/charts";
import { percent } from "../shared/dom.ts";

/** A point of a scatter plot. */
export interface Dot {
  name: string;
  /** what the dot's shape and colour stand for */
  group: string;
  /** above 0 */
  x: number;
  /** 0 to 1 */
  y: number;
}

export interface ScatterOptions {
  title: string;
  /** every group there is, so that shapes are the same in every plot */
  groups: readonly string[];
  /** a value of x in words */
  say(x: number): string;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [460, 280, 52, 18, 18, 34];
/** half the size of a dot, and how far a name keeps from it */
const [SIZE, GAP] = [5.5, 11];
/** width of a letter of a name, about */
const LETTER = 6.4;

/** Accuracy against a quantity on a logarithmic axis, as HTML; the label of the drawing says all that it shows. */
export function renderScatter(dots: readonly Dot[], { title, groups, say }: ScatterOptions): string {
  const heading = `<figcaption><h2>${escapeHtml(title)}</h2></figcaption>`;
  if (dots.length === 0) return `<figure class="chart">${heading}<p class="quiet">Not measured yet.</p></figure>`;
  const x = logScale(dots.map((dot) => dot.x));
  const y = linearScale(
    dots.map((dot) => dot.y),
    { floor: 0, ceiling: 1 },
  );
  const place = (dot: Dot): [number, number] => [across(x.place(dot.x)), up(y.place(dot.y))];
  const span = Math.max(...y.ticks) - Math.min(...y.ticks);
  const rows = y.ticks.map((tick) => {
    const at = up(y.place(tick));
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 7}" y="${at + 4}" text-anchor="end">${percent(tick, span < 0.04 ? 1 : 0)}</text>`;
  });
  const columns = x.ticks.map((tick) => {
    const at = across(x.place(tick));
    const last = at > WIDTH - RIGHT - 1;
    return `<path class="tick" d="M${at} ${HEIGHT - BOTTOM}v4"/><text x="${last ? WIDTH : at}" y="${HEIGHT - BOTTOM + 19}" text-anchor="${last ? "end" : "middle"}">${escapeHtml(say(tick))}</text>`;
  });
  const drawn = dots.map((dot) => {
    const [cx, cy] = place(dot);
    const kind = groups.indexOf(dot.group);
    const before = cx + GAP + dot.name.length * LETTER > WIDTH;
    const name = `<text class="name" x="${before ? cx - GAP : cx + GAP}" y="${cy + 4}" text-anchor="${before ? "end" : "start"}">${escapeHtml(dot.name)}</text>`;
    return `<g class="s${kind}">${shape(kind, cx, cy)}${name}</g>`;
  });
  const words = dots.map(({ name, x: value, y: accuracy }) => `${name}: ${percent(accuracy, 2)} with ${say(value)}`);
  const legend = groups.map(
    (group, kind) =>
      `<span class="key s${kind}"><svg viewBox="0 0 12 12" class="dot" aria-hidden="true">${shape(kind, 6, 6)}</svg>${escapeHtml(group)}</span>`,
  );
  return `<figure class="chart">${heading}<p class="legend">${legend.join("")}</p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}. ${words.join("; ")}`)}">
${rows.join("")}<path class="axis" d="M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>${columns.join("")}${drawn.join("")}
</svg></figure>`;
}

const across = (share: number): number => round(LEFT + share * (WIDTH - LEFT - RIGHT));
const up = (share: number): number => round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP));
const round = (value: number): number => Math.round(value * 10) / 10;

/** A circle, a square, a triangle or a diamond: groups are told apart by more than their colour. */
function shape(kind: number, x: number, y: number): string {
  if (kind % 4 === 0) return `<circle class="mark" cx="${x}" cy="${y}" r="${SIZE}"/>`;
  const corners = [
    [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ],
    [
      [0, -1.2],
      [1.1, 0.9],
      [-1.1, 0.9],
    ],
    [
      [0, -1.3],
      [1.3, 0],
      [0, 1.3],
      [-1.3, 0],
    ],
  ][(kind % 4) - 1];
  const points = corners.map(([dx, dy]) => `${round(x + SIZE * dx)} ${round(y + SIZE * dy)}`);
  return `<path class="mark" d="M${points.join("L")}Z"/>`;
}
