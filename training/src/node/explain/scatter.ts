import { escapeHtml } from "../../charts/html.ts";
import type { ScatterOptions } from "./explanation.ts";

// The drawing's own units; it is scaled to the column it stands in.
const WIDTH = 720;
const HEIGHT = 520;
const EDGE = 10;
const RADIUS = 3.6;
/** More classes than this have no legend that one could read. */
const LISTED = 40;

/** Colours that the style sheet has for points: `.p0` to `.p9`. */
const COLOURS = 10;

/** Marks around the origin. */
const SHAPES = [
  `M${-RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0z`, // circle
  "M0 -4.8L4.4 3H-4.4z", // triangle
  "M-3.3 -3.3H3.3V3.3H-3.3z", // square
  "M0 -4.8L4.8 0L0 4.8L-4.8 0z", // diamond
  "M-4.4 -3H4.4L0 4.8z", // triangle that stands on its tip
] as const;

/** Neighbours among the classes differ in colour and in shape; fifty are told apart. */
const styleOf = (index: number): string => `p${index % COLOURS}`;
const shapeOf = (index: number): string => SHAPES[(index + Math.floor(index / COLOURS)) % SHAPES.length];

/** Points coloured and shaped by class, as inline SVG with a legend; each says what it is under the pointer. */
export function renderScatter({ title, points, classes, hollow }: ScatterOptions): string {
  const [x, y] = [
    placer(
      points.map((point) => point.x),
      WIDTH,
    ),
    placer(
      points.map((point) => point.y),
      HEIGHT,
    ),
  ];
  const marks = points.map(
    (point) =>
      `<path class="${styleOf(point.class)}${point.hollow ? " hollow" : ""}" d="${shapeOf(point.class)}" transform="translate(${x(point.x)} ${y(point.y)})"><title>${escapeHtml(point.say)}</title></path>`,
  );
  const key = (style: string, shape: string, name: string) =>
    `<span class="key"><svg class="mark-key" viewBox="-6 -6 12 12" aria-hidden="true"><path class="${style}" d="${shape}"/></svg>${escapeHtml(name)}</span>`;
  const shown = classes.slice(0, LISTED).map((name, k) => key(styleOf(k), shapeOf(k), name));
  const more = classes.length > LISTED ? [`<span>and ${classes.length - LISTED} more</span>`] : [];
  const ring = hollow === undefined ? [] : [key("p9 hollow", SHAPES[0], hollow)];
  const said = `${title}: ${points.length} points of ${classes.length} classes`;
  return `<figure class="scatter"><figcaption><h3>${escapeHtml(title)}</h3><p class="legend">${[...shown, ...more, ...ring].join("")}</p></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(said)}">${marks.join("")}</svg></figure>`;
}

/** Where values go along an axis of so many units, from edge to edge. */
function placer(values: readonly number[], length: number): (value: number) => number {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const span = high - low || 1;
  return (value) => Math.round(10 * (EDGE + ((value - low) / span) * (length - 2 * EDGE))) / 10;
}
