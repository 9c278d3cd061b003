import type * as tfl from "@tensorflow/tfjs-layers";

/** Applies layers one after the other. */
export function chain(x: tfl.SymbolicTensor, ...layers: tfl.layers.Layer[]): tfl.SymbolicTensor {
  return layers.reduce((y, layer) => layer.apply(y) as tfl.SymbolicTensor, x);
}
