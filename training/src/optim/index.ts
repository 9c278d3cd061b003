export * from "./adam.ts";
export * from "./flat-parameters.ts";
export * from "./moving-average.ts";
export * from "./muon.ts";
export * from "./optimizer.ts";
export * from "./parameter-group.ts";
export * from "./sgd.ts";
