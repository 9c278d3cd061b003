/** Our layers with weights as the layers of others count them. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { layersInOrder, ownerOf, shortName, stateDict } from "../names.ts";
import type { Kind, Role } from "./foreign-network.ts";

type Layer = tfl.layers.Layer;

/** One layer of PyTorch's or Keras's; a layer of ours that joins two (ConcatNormConv2D) is two of these. */
export interface Slot {
  /** PyTorch's name of the layer, which the names of its weights begin with */
  readonly name: string;
  readonly kind: Kind;
  /** by role: their names in the state_dict, and their shapes as a file has them and as the network does */
  readonly weights: ReadonlyMap<
    string,
    { readonly name: string; readonly shape: readonly number[]; readonly kept: readonly number[] }
  >;
  /** the slots that it reads, past layers without weights */
  readonly reads: readonly Slot[];
  /** the slot whose output it alone reads, with nothing between */
  readonly follows?: Slot;
  /** added to the variance, in norms */
  readonly epsilon: number;
  /** [height, width, channels] of the images that a dense layer reads as vectors */
  readonly flattened?: readonly number[];
}

/** The slots of each layer, each after those that it reads. */
export function slotsOf(model: tfl.LayersModel): Map<Layer, Slot[]> {
  const entries = stateDict(model);
  const found = new Map<Layer, Slot[]>();
  const ends = new Map<Layer, readonly Slot[]>(); // the slots that one reads who reads the layer
  const flattened = new Map<Layer, readonly number[]>();
  for (const layer of layersInOrder(model)) {
    const before = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers);
    let reads: readonly Slot[] = [...new Set(before.flatMap((input) => ends.get(input) ?? []))];
    const carried = before.length === 1 ? flattened.get(before[0]) : undefined;
    const own = groupBy(
      entries.filter(({ variable }) => layer.weights.includes(variable)),
      ownerOf,
    );
    let follows =
      before.length === 1 && before[0].outboundNodes.length === 1 ? found.get(before[0])?.at(-1) : undefined;
    const slots: Slot[] = [];
    for (const [name, members] of own) {
      const isNorm = members.some((entry) => entry.name === `${name}.running_mean`);
      const weights = new Map(
        members.map((entry) => {
          const kept = entry.variable.shape as number[];
          const weight = { name: entry.name, shape: kept, kept };
          // A factor a channel is a depthwise convolution of one pixel there.
          if (layer.getClassName() === "ZooLayerScale") return ["kernel", { ...weight, shape: [1, 1, kept[0], 1] }];
          const short = entry.name === name ? shortName(entry.variable) : entry.name.slice(name.length + 1);
          const isKernel = !isNorm && members[0].variable.shape.length > 1;
          return [(isKernel ? kernelRoles : normRoles)[short] ?? short, weight];
        }),
      );
      const epsilon = (layer.getConfig().epsilon as number | undefined) ?? 1e-5;
      slots.push({ name, kind: kindOf(weights), weights, reads, follows, epsilon, flattened: carried });
      reads = slots.slice(-1);
      follows = slots.at(-1);
    }
    if (slots.length > 0) found.set(layer, slots);
    else if (layer.getClassName() === "ZooFlatten") flattened.set(layer, imageShape(layer));
    else if (carried !== undefined) flattened.set(layer, carried);
    ends.set(layer, reads);
  }
  return found;
}

const kernelRoles: { [short: string]: Role } = { weight: "kernel", bias: "bias" };
const normRoles: { [short: string]: Role } = {
  weight: "gamma",
  bias: "beta",
  running_mean: "moving_mean",
  running_var: "moving_variance",
};

/** What a layer is, by the roles of its weights. */
export function kindOf(weights: ReadonlyMap<string, unknown>): Kind {
  if (weights.has("kernel")) return "kernel";
  if (weights.has("moving_mean")) return "norm";
  return weights.has("gamma") || weights.has("beta") ? "scale" : "other";
}

const imageShape = (layer: Layer): number[] => layer.inboundNodes[0].inputTensors[0].shape.slice(1) as number[];

/** Items that have the same key, together, in the order of the first of each. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
