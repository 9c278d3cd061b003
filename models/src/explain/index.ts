export {
  type ActivationMaximisationOptions,
  type MaximisedImages,
  maximiseActivation,
} from "./activation-maximisation.ts";
export { embeddedTensor, embeddings, embeddingsAndLogits } from "./embeddings.ts";
export { featureMaps, shownMaps } from "./feature-maps.ts";
export { correctUnderAttack, fgsm } from "./fgsm.ts";
export { type Filters, filterLayer, filters } from "./filters.ts";
export { type GradCam, type GradCamOptions, gradCam } from "./grad-cam.ts";
export { findLayer, isSpatial, lastSpatialLayer, tellingLayers } from "./layers.ts";
export { type Occlusion, type OcclusionOptions, occlusion } from "./occlusion.ts";
export { type Normalisation, normalised, pixelsOf } from "./pixel-range.ts";
export { type Saliency, saliency } from "./saliency.ts";
export { type UmapOptions, umap } from "./umap.ts";
export { type LayerUnits, UnitGatherer, type UnitReport, type WeightGradient } from "./units.ts";
