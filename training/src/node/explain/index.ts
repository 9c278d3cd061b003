export { explainReport } from "./explain-report.ts";
export { type Block, type Explanation, type Figure, figuresOf, type Section } from "./explanation.ts";
