export { type BenchDataOptions, type BenchDataResult, benchData } from "./bench-data.ts";
export { type BenchDecodeOptions, type BenchDecodeResult, benchDecode } from "./bench-decode.ts";
export { type BenchEnvironment, benchEnvironment, processorFolder } from "./bench-environment.ts";
export {
  type BenchGrowthOptions,
  type BenchGrowthResult,
  benchGrowth,
  type GrowthPoint,
  type GrowthSeries,
} from "./bench-growth.ts";
export { type BenchMemoryOptions, type BenchMemoryResult, benchMemory } from "./bench-memory.ts";
export { type BenchProfileOptions, type BenchProfileResult, benchProfile } from "./bench-profile.ts";
export {
  type BenchSpeedOptions,
  type BenchSpeedResult,
  type BenchTask,
  benchSpeed,
  type PeerName,
  peerNames,
} from "./bench-speed.ts";
export type { OpCost } from "./kernel-times.ts";
export { type Stepper, serve } from "./serve.ts";
export type { PeerRate, Rate } from "./statistics.ts";
export { peerPython } from "./torch-peer.ts";
export { precisionNames } from "./workload.ts";
