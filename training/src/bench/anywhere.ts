/** What of the benchmarks runs in a page as well as in Node. */
export { askKernels, type OpCost, opCosts, timeKernels } from "./kernel-times.ts";
export { type Rate, rateOf } from "./statistics.ts";
export { ourWorkload, unitOf, type Workload } from "./workload.ts";
