import { type Bin, binned, type Point } from "./curve.ts";
import { compact, escapeHtml, percent } from "./html.ts";
import { linearScale, logScale, type Scale, stepScale } from "./scale.ts";

export interface Series {
  name: string;
  points: Point[];
}

export interface ChartOptions {
  title: string;
  series: Series[];
  /** "share" is between 0 and 1 and shown as a percentage; "log" turns logarithmic when values span a factor of 50. */
  axis: "linear" | "log" | "share" | "fromZero";
  /** What the points' `step` is, where it is no step: its unit, and a value of it in words. */
  x?: { unit: string; say(value: number): string };
}

// The drawing's own units; it is scaled to the column it stands in, on a phone to about 0.8.
const WIDTH = 460;
const HEIGHT = 260;
const LEFT = 48;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 42;
const BINS = 120;
const MARKED = 40;

/** Series that the style sheet tells apart. */
export const STYLES = 8;

/**
 * A line chart as a figure of HTML and inline SVG; empty if no series has a finite value. Its legend shows each
 * series' last value, and, while the pointer is over the chart, the value below it (see `HOVER_SCRIPT`).
 */
export function renderChart({ title, series, axis, x: across }: ChartOptions): string {
  const lines = series
    .map(({ name, points }, index) => {
      const finite = points.filter((point) => Number.isFinite(point.value) && Number.isFinite(point.step));
      return { name, index, raw: finite.length, bins: binned(finite, BINS) };
    })
    .filter((line) => line.bins.length > 0);
  if (lines.length === 0) return "";

  const bins = lines.flatMap((line) => line.bins);
  const y = verticalScale(bins, axis);
  const x = stepScale(
    bins.map((bin) => bin.step),
    5,
    { integers: across === undefined },
  );
  const where = (point: Point) => (across === undefined ? stepAndEpoch(point) : across.say(point.step));
  const put = {
    x: (step: number) => round(LEFT + x.place(step) * (WIDTH - LEFT - RIGHT)),
    y: (value: number) => round(HEIGHT - BOTTOM - Math.min(1, Math.max(0, y.place(value))) * (HEIGHT - BOTTOM - TOP)),
  };
  const show = axis === "share" ? (value: number) => percent(value, 2) : compact;
  const data = lines.map(({ bins }) =>
    bins.map((bin) => [put.x(bin.step), put.y(bin.value), show(bin.value), where(bin)]),
  );
  const legend = lines.map(
    ({ name, index, bins }) =>
      `<span class="key s${index % STYLES}"><svg viewBox="0 0 22 10" aria-hidden="true"><path d="M1 5h20"/></svg>${escapeHtml(name)} ` +
      `<b data-value>${escapeHtml(show(bins[bins.length - 1].value))}</b></span>`,
  );
  const last = bins.reduce((latest, bin) => (bin.step > latest.step ? bin : latest));

  return `<figure class="chart">
<figcaption><h3>${escapeHtml(title)}</h3><span class="where" data-where>${escapeHtml(where(last))}</span><p class="legend">${legend.join("")}</p></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}: ${lines.map(({ name, bins }) => `${name} ends at ${show(bins[bins.length - 1].value)}`).join(", ")}`)}" data-chart="${escapeHtml(JSON.stringify(data))}">
${axes(x, y, put, axis, across?.unit ?? "step")}
${lines.map(({ bins, index, raw }) => `<g class="s${index % STYLES}">${band(bins, put)}${line(bins, put)}${raw <= MARKED ? marks(bins, put) : ""}</g>`).join("\n")}
<g class="hover" visibility="hidden"><path class="guide" d="M0 ${TOP}V${HEIGHT - BOTTOM}"/>${lines.map(({ index }) => `<circle class="s${index % STYLES}" r="4"/>`).join("")}</g>
</svg>
</figure>`;
}

type Put = { x: (step: number) => number; y: (value: number) => number };

function verticalScale(bins: Bin[], axis: ChartOptions["axis"]): Scale {
  const values = bins.flatMap((bin) => [bin.low, bin.high]);
  if (axis === "share") return linearScale(values, { floor: 0, ceiling: 1 });
  if (axis === "fromZero") return linearScale(values, { zero: true });
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return axis === "log" && low > 0 && high / low > 50 ? logScale(values) : linearScale(values);
}

function axes(x: Scale, y: Scale, put: Put, axis: ChartOptions["axis"], unit: string): string {
  const places = y.ticks.length > 1 && Math.max(...y.ticks) - Math.min(...y.ticks) < 0.04 ? 1 : 0;
  const label = axis === "share" ? (tick: number) => percent(tick, places) : compact;
  const rows = y.ticks.map(
    (tick) =>
      `<path class="grid" d="M${LEFT} ${put.y(tick)}H${WIDTH - RIGHT}"/><text x="${LEFT - 7}" y="${put.y(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
  );
  const columns = x.ticks.map((tick) => {
    const at = put.x(tick);
    const anchor = at > WIDTH - RIGHT - 14 ? "end" : "middle";
    const edge = anchor === "end" ? WIDTH - RIGHT : at;
    return `<path class="tick" d="M${at} ${HEIGHT - BOTTOM}v4"/><text x="${edge}" y="${HEIGHT - BOTTOM + 17}" text-anchor="${anchor}">${tick.toLocaleString("en-GB")}</text>`;
  });
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  return `${rows.join("")}<path class="axis" d="M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - RIGHT}"/>${columns.join("")}<text class="unit" x="${middle}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(unit)}</text>`;
}

function line(bins: Bin[], put: Put): string {
  return `<path class="line" d="M${bins.map((bin) => `${put.x(bin.step)} ${put.y(bin.value)}`).join("L")}"/>`;
}

/** The spread of the steps that one point of the line stands for. */
function band(bins: Bin[], put: Put): string {
  if (bins.every((bin) => bin.low === bin.high)) return "";
  const upper = bins.map((bin) => `${put.x(bin.step)} ${put.y(bin.high)}`);
  const lower = bins.map((bin) => `${put.x(bin.step)} ${put.y(bin.low)}`).reverse();
  return `<path class="band" d="M${[...upper, ...lower].join("L")}Z"/>`;
}

function marks(bins: Bin[], put: Put): string {
  const size = bins.length === 1 ? 4 : 2.6;
  return bins
    .map((bin) => `<circle class="mark" cx="${put.x(bin.step)}" cy="${put.y(bin.value)}" r="${size}"/>`)
    .join("");
}

function stepAndEpoch({ step, epoch }: Point): string {
  const text = `step ${step.toLocaleString("en-GB")}`;
  return Number.isFinite(epoch) ? `${text}, epoch ${Number(epoch.toFixed(1))}` : text;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/**
 * Moves a guide with the pointer (or a finger) and writes the values below it into the legend. The page reads as well
 * without it.
 */
export const HOVER_SCRIPT = `
for (const svg of document.querySelectorAll("svg[data-chart]")) {
  const series = JSON.parse(svg.dataset.chart);
  const figure = svg.closest("figure");
  const values = [...figure.querySelectorAll("[data-value]")];
  const where = figure.querySelector("[data-where]");
  const before = [...values, where].map((element) => element.textContent);
  const hover = svg.querySelector(".hover");
  const move = (event) => {
    const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
    let nearest;
    const found = series.map((points) => points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a)));
    for (const point of found) if (!nearest || Math.abs(point[0] - x) < Math.abs(nearest[0] - x)) nearest = point;
    hover.setAttribute("visibility", "visible");
    hover.querySelector(".guide").setAttribute("transform", "translate(" + nearest[0] + ")");
    hover.querySelectorAll("circle").forEach((dot, i) => { dot.setAttribute("cx", found[i][0]); dot.setAttribute("cy", found[i][1]); });
    values.forEach((element, i) => { element.textContent = found[i][2]; });
    where.textContent = nearest[3];
  };
  const leave = () => {
    hover.setAttribute("visibility", "hidden");
    [...values, where].forEach((element, i) => { element.textContent = before[i]; });
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", leave);
}
`;
