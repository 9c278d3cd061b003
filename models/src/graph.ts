import * as tfl from "@tensorflow/tfjs-layers";

/**
 * Builds a model of the same graph with other layers: each layer becomes the chain that `chainOf` gives for it, applied
 * one after the other; an empty chain passes on what the layer got.
 */
export function rebuildGraph(
  model: tfl.LayersModel,
  chainOf: (layer: tfl.layers.Layer) => readonly tfl.layers.Layer[],
): tfl.LayersModel {
  const rebuilt = new Map<number, tfl.SymbolicTensor>();
  const rebuild = (tensor: tfl.SymbolicTensor): tfl.SymbolicTensor => {
    const known = rebuilt.get(tensor.id);
    if (known) return known;
    const layer = tensor.sourceLayer;
    let outputs: tfl.SymbolicTensor[];
    if (layer.getClassName() === "InputLayer") {
      outputs = [tfl.input({ batchShape: tensor.shape, dtype: tensor.dtype, name: layer.name })];
    } else {
      outputs = layer.inboundNodes[tensor.nodeIndex].inputTensors.map(rebuild);
      for (const next of chainOf(layer)) {
        outputs = asList(next.apply(outputs.length === 1 ? outputs[0] : outputs) as tfl.SymbolicTensor);
      }
    }
    const output = outputs[tensor.tensorIndex];
    rebuilt.set(tensor.id, output);
    return output;
  };
  return tfl.model({ inputs: model.inputs.map(rebuild), outputs: model.outputs.map(rebuild), name: model.name });
}

const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** A layer of the same class, name and configuration, without weights yet. */
export function sameLayer(layer: tfl.layers.Layer): tfl.layers.Layer {
  const cls = layer.constructor as unknown as {
    fromConfig(cls: unknown, config: object): tfl.layers.Layer;
  };
  return cls.fromConfig(cls, layer.getConfig());
}
