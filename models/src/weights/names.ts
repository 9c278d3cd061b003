/** The weights of a model under the names that they have in PyTorch. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { type Layout, layoutOf } from "./layout.ts";

type Layer = tfl.layers.Layer;

/** One weight: PyTorch's name for it, where it is kept, and how its axes map to PyTorch's. */
export interface StateEntry {
  readonly name: string;
  readonly variable: tfl.LayerVariable;
  readonly layout: Layout;
}

const norm = ["weight", "bias", "running_mean", "running_var"];

/** Names within a layer, in PyTorch's order. */
const shortNames = [...norm, ...norm.map((name) => `norm1.${name}`), "conv1.weight"];

/** What a layer calls a weight that is all it has: to PyTorch a bare parameter, under the layer's own name (`cls_token`). */
const bare = "value";

/** PyTorch's name for a layer's weight. */
export const fullName = (layer: string, short: string): string => (short === bare ? layer : `${layer}.${short}`);

/** The name of the layer that a weight is of, to PyTorch: what stands before the last part of its name. */
export const ownerOf = ({ name, variable }: StateEntry): string =>
  shortName(variable) === bare ? name : name.slice(0, name.lastIndexOf("."));

/**
 * All weights of a model in the order of PyTorch's `state_dict()`, named `<layer name>.<weight>`. PyTorch's batch norms
 * also have a `num_batches_tracked` each, which we don't keep.
 */
export function stateDict(model: tfl.LayersModel): StateEntry[] {
  return layersInOrder(model).flatMap((layer) =>
    layer.weights
      .map((variable) => ({ variable, short: shortName(variable) }))
      .sort((a, b) => shortNames.indexOf(a.short) - shortNames.indexOf(b.short))
      .map(({ variable, short }) => ({
        name: fullName(layer.name, short),
        variable,
        layout: layoutOf(layer.getClassName(), short, variable.shape),
      })),
  );
}

/** A name from a file as it may stand in a message: of one line, and not too long. */
export const shownName = (name: string): string => JSON.stringify(name.slice(0, 60)).slice(1, -1);

/** A weight's name within its layer: "weight", "bias", … */
export function shortName(variable: tfl.LayerVariable): string {
  return variable.originalName.slice(variable.originalName.lastIndexOf("/") + 1);
}

/**
 * The layers of a model, each after all that it depends on and one branch after the other: the order in which PyTorch
 * code names them (a block's shortcut comes after its main path). `model.layers` interleaves branches by depth.
 */
export function layersInOrder(model: tfl.LayersModel): Layer[] {
  const layers = new Set<Layer>();
  const visited = new Set<Layer["inboundNodes"][number]>();
  const visit = (tensor: tfl.SymbolicTensor) => {
    const node = tensor.sourceLayer.inboundNodes[tensor.nodeIndex];
    if (visited.has(node)) return;
    visited.add(node);
    node.inputTensors.forEach(visit);
    layers.add(tensor.sourceLayer);
  };
  model.outputs.forEach(visit);
  return [...layers];
}
