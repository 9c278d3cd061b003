/** Charts and confusion matrices as text of HTML and inline SVG, and pictures of numbers, for reports and for pages. */
export { type ChartOptions, renderChart, type Series } from "./chart.ts";
export { renderConfusion } from "./confusion.ts";
export type { Point } from "./curve.ts";
export { compact, escapeHtml, percent } from "./html.ts";
export {
  cut,
  type HeatMap,
  heatPicture,
  hottest,
  mosaic,
  overlaid,
  type Picture,
  pictureOf,
  readable,
  sheet,
  TILES,
} from "./picture.ts";
export { linearScale, logScale, type Scale } from "./scale.ts";
export { CHART_STYLE } from "./style.ts";
