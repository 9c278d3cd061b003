import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { outputOf } from "./layers.ts";

/** What the tensors of a model's graph hold, by their ids. */
export type GraphValues = Map<number, tf.Tensor>;

/** The values of a model's graph when nothing but its input is known. */
export function inputValues(model: tfl.LayersModel, input: tf.Tensor): GraphValues {
  return new Map([[model.inputs[0].id, input]]);
}

/**
 * What a tensor of the graph holds in inference, computed from the values that are known; all that is computed on the
 * way is added to them. With a layer's output among them this runs the part of the network after it: no more than needed,
 * and a shortcut around that layer as well.
 */
export function compute(tensor: tfl.SymbolicTensor, values: GraphValues): tf.Tensor {
  const known = values.get(tensor.id);
  if (known !== undefined) return known;
  const layer = tensor.sourceLayer;
  const inputs = layer.inboundNodes[tensor.nodeIndex].inputTensors.map((input) => compute(input, values));
  const value = layer.apply(inputs.length === 1 ? inputs[0] : inputs, { training: false }) as tf.Tensor;
  values.set(tensor.id, value);
  return value;
}

/**
 * The part of a network after a layer, as a function of that layer's output; a shortcut around the layer is of `input`.
 *
 * @returns activation of the layer -> logits [batch, classes]
 */
export function tailAfter(
  model: tfl.LayersModel,
  layer: tfl.layers.Layer,
  input: tf.Tensor,
): (activation: tf.Tensor) => tf.Tensor2D {
  const { id } = outputOf(layer);
  return (activation) =>
    compute(model.outputs[0], new Map([...inputValues(model, input), [id, activation]])) as tf.Tensor2D;
}
