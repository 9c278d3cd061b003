import type * as tfl from "@tensorflow/tfjs-layers";

type Layer = tfl.layers.Layer;

/**
 * Layers that several graphs use under one name: of those that are given, the first of each name is in all of them, so
 * that its weights are. For layers with weights only; the others cost nothing to make anew.
 */
export function sharedLayers(): <L extends Layer>(layer: L) => L {
  const known = new Map<string, Layer>();
  return <L extends Layer>(layer: L) => {
    const first = known.get(layer.name) ?? layer;
    known.set(layer.name, first);
    return first as L;
  };
}

/**
 * Makes `dispose()` of each of these models free what it should: a layer's weights with the last model that has it.
 * TensorFlow.js counts how often a layer was applied, and takes back one for each model that is disposed, so that the
 * weights of a layer that one model applies twice would remain.
 */
export function countUses(models: readonly tfl.LayersModel[]): void {
  for (const layer of new Set(models.flatMap((model) => model.layers))) {
    const uses = models.filter((model) => model.layers.includes(layer)).length;
    (layer as unknown as { _refCount: number })._refCount = uses;
  }
}

/**
 * Builds a model on the layers of others without counting as a use of them: it borrows their weights, and is left to the
 * garbage collector, not disposed.
 */
export function borrowing<T>(network: tfl.LayersModel, build: () => T): T {
  const counted = network.layers as unknown as { _refCount: number }[];
  const before = counted.map(({ _refCount }) => _refCount);
  const built = build();
  for (const [i, layer] of counted.entries()) layer._refCount = before[i];
  return built;
}
