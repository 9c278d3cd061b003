/** Weights in and out: safetensors under PyTorch's names, tfjs layers-models, and the cards that describe them. */
export * from "./card.ts";
export * from "./floats.ts";
export * from "./import-weights.ts";
export { layersModelPaths } from "./keras/layers-model.ts";
export { fromTorch, type Layout, torchShape, toTorch } from "./layout.ts";
export * from "./load-weights.ts";
export { layersInOrder, type StateEntry, shownName, stateDict } from "./names.ts";
export { layerRules } from "./onnx/layer-rules.ts";
export * from "./onnx/to-onnx.ts";
export { type Dtype, readSafetensors, type SafeTensor, type SafeTensors, writeSafetensors } from "./safetensors.ts";
export * from "./save-weights.ts";
export * from "./to-layers-model.ts";
export * from "./to-stock.ts";
