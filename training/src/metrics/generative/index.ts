export { type ClassBalance, classBalance, collapseSigns } from "./class-balance.ts";
export { type ClassifierFeatures, classifierFeatures, type FeatureNetwork } from "./classifier-features.ts";
export { type FeatureRows, featureRows } from "./feature-rows.ts";
export { type FeatureStatistics, featureStatistics, frechetBetween, frechetDistance } from "./frechet-distance.ts";
export { type KernelDistance, type KernelDistanceOptions, kernelDistance } from "./kernel-distance.ts";
export { measureLines } from "./measure-lines.ts";
export {
  type FeatureMeasures,
  type MeasureSamplesOptions,
  measureSamples,
  type RealImages,
  type SampleMeasures,
} from "./measure-samples.ts";
export { type Memorising, memorising, type Originals } from "./nearest-neighbours.ts";
export { type PrecisionRecall, type PrecisionRecallOptions, precisionRecall } from "./precision-recall.ts";
export { COLLAPSED, variety } from "./variety.ts";
