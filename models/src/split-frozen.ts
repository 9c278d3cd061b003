import type * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { drawsAtRandom } from "./layers/index.ts";

type Node = tfl.layers.Layer["inboundNodes"][number];

/** A network in two: what gives the same for the same images however long it is trained, and what is above that. */
export interface SplitNetwork {
  /** What the part above reads: the frozen layers' outputs for images [batch, height, width, channels]. */
  below(images: tf.Tensor): tf.Tensor[];
  /** The network's output in training, from these. */
  above(features: readonly tf.Tensor[]): tf.Tensor;
}

/**
 * Splits a network whose first layers are frozen, so that these can run where no gradient is taken: nothing of theirs
 * is kept for a backward pass that never comes. Both parts share the network's layers.
 *
 * @returns undefined where a layer that learns, or drops at random, reads the images themselves
 */
export function splitFrozen(model: tfl.LayersModel): SplitNetwork | undefined {
  const nodes = nodesInOrder(model);
  const constant = new Set(model.inputs.map(({ id }) => id));
  const isConstant = ({ outboundLayer: layer, inputTensors }: Node) =>
    inputTensors.every(({ id }) => constant.has(id)) &&
    (layer.weights.length === 0 || !layer.trainable) &&
    !drawsAtRandom(layer);
  for (const node of nodes) if (isConstant(node)) for (const { id } of node.outputTensors) constant.add(id);
  const learning = nodes.filter(({ outputTensors }) => !outputTensors.every(({ id }) => constant.has(id)));
  const read = new Set(learning.flatMap(({ inputTensors }) => inputTensors.filter(({ id }) => constant.has(id))));
  if (read.size === 0 || model.inputs.some((input) => read.has(input))) return undefined;

  const lower = tfl.model({ inputs: model.inputs, outputs: [...read] });
  return {
    below: (images) => asList(lower.apply(images, { training: true }) as tf.Tensor | tf.Tensor[]),
    above(features) {
      const values = new Map([...read].map(({ id }, i) => [id, features[i]]));
      for (const { outboundLayer, inputTensors, outputTensors } of learning) {
        const inputs = inputTensors.map(({ id }) => values.get(id) as tf.Tensor);
        const applied = outboundLayer.apply(inputs.length === 1 ? inputs[0] : inputs, { training: true });
        for (const [i, output] of asList(applied as tf.Tensor | tf.Tensor[]).entries()) {
          values.set(outputTensors[i].id, output);
        }
      }
      return values.get(model.outputs[0].id) as tf.Tensor;
    },
  };
}

/** Every application of a layer, each after those whose outputs it reads; the inputs' own are left out. */
function nodesInOrder(model: tfl.LayersModel): Node[] {
  const nodes = new Set<Node>();
  const visit = ({ sourceLayer, nodeIndex }: tfl.SymbolicTensor) => {
    const node = sourceLayer.inboundNodes[nodeIndex];
    if (nodes.has(node) || sourceLayer.getClassName() === "InputLayer") return;
    node.inputTensors.forEach(visit);
    nodes.add(node);
  };
  model.outputs.forEach(visit);
  return [...nodes];
}

const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
