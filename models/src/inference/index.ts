export { foldBatchNorm } from "./fold-batch-norm.ts";
