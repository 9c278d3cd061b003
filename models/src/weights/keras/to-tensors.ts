/** Weights of Keras and TensorFlow.js as tensors under PyTorch's names and in its layouts. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../../errors.ts";
import { fromFloat32, toFloat32 } from "../floats.ts";
import { torchShape, toTorch } from "../layout.ts";
import { shownName, stateDict } from "../names.ts";
import type { SafeTensor } from "../safetensors.ts";
import { compareGraphs } from "./compare-graphs.ts";
import type { ForeignLayer, ForeignNetwork, GraphNode, Role } from "./foreign-network.ts";
import { matchLayers } from "./match-layers.ts";
import type { Slot } from "./slots.ts";

export interface KerasTensors {
  readonly tensors: Map<string, SafeTensor>;
  /** how layers were matched, and what was done to their weights */
  readonly rules: string[];
  /** weights of the file that the network has no place for */
  readonly unused: string[];
}

/** @throws InputError, one line: when the network is another, computes something else, or fits in several ways */
export function kerasTensors(model: tfl.LayersModel, network: ForeignNetwork): KerasTensors {
  const match = matchLayers(model, network);
  const { layers, folded, rule } = match;
  const layouts = new Map(stateDict(model).map(({ name, layout }) => [name, layout]));
  const nodes = new Map(network.graph?.map((node) => [node.name, node]));
  const rules = new Set([rule]);
  const values = new Map<Slot, Map<string, Float32Array>>();
  for (const [slot, layer] of layers) values.set(slot, valuesOf(slot, layer, nodes, rules));
  moveBiases(layers, folded, values, rules);
  for (const named of network.graph ? compareGraphs(model, match, network.graph) : []) rules.add(named);

  const tensors = new Map<string, SafeTensor>();
  for (const [slot, byRole] of values) {
    for (const [role, { name, kept }] of slot.weights) {
      const layout = layouts.get(name);
      const found = byRole.get(role) ?? (role === "bias" ? new Float32Array(kept[0]) : undefined);
      if (layout === undefined || found === undefined)
        throw new InputError(`its layer for ${slot.name} lacks the ${role}`);
      const data = fromFloat32(toTorch(found, kept, layout), "F32");
      tensors.set(name, { dtype: "F32", shape: torchShape([...kept], layout), data });
    }
    for (const role of byRole.keys())
      if (!slot.weights.has(role))
        throw new InputError(`${slot.name} has no ${shownName(role)}, as its layer in the file does`);
  }
  const used = new Set(layers.values());
  const unused = network.layers.filter(
    (layer) => !used.has(layer) && !model.layers.some(({ name }) => name === layer.name),
  );
  return { tensors, rules: [...rules], unused: unused.map(({ name }) => name) };
}

/** A layer's weights by role, in TensorFlow.js's layout, as our layer wants them. */
function valuesOf(
  slot: Slot,
  layer: ForeignLayer,
  nodes: ReadonlyMap<string, GraphNode>,
  rules: Set<string>,
): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const [role, tensor] of layer.weights) {
    const expected = slot.weights.get(role)?.shape;
    if (expected !== undefined && tensor.shape.join() !== expected.join()) {
      throw new InputError(
        `its ${shownName(layer.name)} has a ${role} of [${tensor.shape.join(", ")}], where ${slot.name} has [${expected.join(", ")}]`,
      );
    }
    values.set(role, toFloat32(tensor));
  }
  const kernel = values.get("kernel");
  if (slot.flattened !== undefined && kernel !== undefined && !flattensChannelsFirst(layer.name, nodes)) {
    const [height, width, channels] = slot.flattened;
    if (height * width > 1) {
      values.set(
        "kernel",
        channelsFirst(kernel, [height * width, channels, kernel.length / (height * width * channels)]),
      );
      rules.add("rows of the dense layer after flattening in PyTorch's order");
    }
  }
  if (slot.kind === "norm" || slot.kind === "scale") affine(slot, layer, values, nodes, rules);
  return values;
}

/** What Keras leaves out is 1 or 0; its ε is another one than PyTorch's, and is in no weight. */
function affine(
  slot: Slot,
  { name }: ForeignLayer,
  values: Map<string, Float32Array>,
  nodes: ReadonlyMap<string, GraphNode>,
  rules: Set<string>,
): void {
  const [channels] = [...slot.weights.values()][0].shape;
  if (!values.has("gamma")) values.set("gamma", new Float32Array(channels).fill(1));
  if (!values.has("beta")) values.set("beta", new Float32Array(channels));
  const variance = values.get("moving_variance");
  const epsilon = nodes.get(name)?.config.epsilon;
  if (typeof epsilon !== "number") {
    rules.add(`norms' epsilon is not in the file, taken as ${slot.epsilon}`);
  } else if (variance === undefined && epsilon !== slot.epsilon) {
    rules.add(`layer norms' epsilon is ${epsilon} there, ${slot.epsilon} here`);
  } else if (variance !== undefined && epsilon !== slot.epsilon) {
    values.set(
      "moving_variance",
      variance.map((v) => v + epsilon - slot.epsilon),
    );
    rules.add(`batch norms' epsilon of ${epsilon} in their variances`);
  }
}

/**
 * A convolution's bias before a batch norm, where ours has none: it moves the mean. Where the file has no batch norm,
 * because it is in the convolution already, ours does nothing but add the bias.
 */
function moveBiases(
  layers: ReadonlyMap<Slot, ForeignLayer>,
  folded: ReadonlyMap<Slot, Slot>,
  values: Map<Slot, Map<string, Float32Array>>,
  rules: Set<string>,
): void {
  for (const [convolution, norm] of folded) {
    const byRole = values.get(convolution) as Map<string, Float32Array>;
    const bias = byRole.get("bias") as Float32Array;
    const zeros = new Float32Array(bias.length);
    const identity = new Map<Role, Float32Array>([
      ["gamma", zeros.map(() => 1)],
      ["beta", bias],
      ["moving_mean", zeros],
      ["moving_variance", zeros.map(() => 1 - norm.epsilon)], // √(σ² + ε) = 1
    ]);
    values.set(norm, identity);
    if (convolution.weights.has("bias")) byRole.set("bias", zeros);
    else byRole.delete("bias");
    rules.add("batch norms out of the convolutions");
  }
  for (const norm of layers.keys()) {
    const before = norm.follows;
    if (norm.kind !== "norm" || before === undefined || before.weights.has("bias")) continue;
    const bias = values.get(before)?.get("bias");
    const mean = values.get(norm)?.get("moving_mean");
    if (bias === undefined || mean === undefined) continue;
    values.get(norm)?.set(
      "moving_mean",
      mean.map((value, channel) => value - bias[channel]),
    );
    values.get(before)?.delete("bias");
    rules.add("biases of convolutions in the means of the batch norms after them");
  }
}

/** [pixels, channels, units] -> [channels, pixels, units] */
function channelsFirst(kernel: Float32Array, [pixels, channels, units]: readonly number[]): Float32Array {
  const result = new Float32Array(kernel.length);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (pixel * channels + channel) * units;
      result.set(kernel.subarray(from, from + units), (channel * pixels + pixel) * units);
    }
  }
  return result;
}

/** Whether the images that a layer reads as vectors come in PyTorch's order, as in what `zoo export` wrote. */
function flattensChannelsFirst(name: string, nodes: ReadonlyMap<string, GraphNode>): boolean {
  let node = nodes.get(name);
  while (node !== undefined && node.inputs.length === 1) {
    node = nodes.get(node.inputs[0]);
    if (node?.className !== "Flatten") continue;
    const before = nodes.get(node.inputs[0]);
    const dims = before?.className === "Permute" ? before.config.dims : undefined;
    return Array.isArray(dims) && dims.length === 3 && [3, 1, 2].every((axis, i) => dims[i] === axis);
  }
  return false;
}
