/** Charts and confusion matrices as text of HTML and inline SVG, for reports and for pages. */
export { type ChartOptions, renderChart, type Series } from "./chart.ts";
export { renderConfusion } from "./confusion.ts";
export type { Point } from "./curve.ts";
export { compact, escapeHtml, percent } from "./html.ts";
export { linearScale, logScale, type Scale } from "./scale.ts";
export { CHART_STYLE } from "./style.ts";
