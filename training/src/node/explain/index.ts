export { explainReport } from "./explain-report.ts";
export { type Block, type Explanation, type Figure, figuresOf, type Section } from "./explanation.ts";
export {
  enlarged,
  type HeatMap,
  heatPicture,
  mosaic,
  overlaid,
  type Picture,
  pictureOf,
  readable,
} from "./picture.ts";
