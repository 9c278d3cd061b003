export * from "./adam.ts";
export * from "./flat-parameters.ts";
export * from "./moving-average.ts";
export * from "./optimizer.ts";
export * from "./sgd.ts";
