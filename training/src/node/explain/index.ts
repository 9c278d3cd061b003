export {
  cut,
  enlarged,
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
} from "../../charts/picture.ts";
export { explainReport } from "./explain-report.ts";
export { type Block, type Explanation, type Figure, figuresOf, type Section } from "./explanation.ts";
