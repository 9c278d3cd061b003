/**
 * Finds for each layer of ours the one that it is in a network that Keras or TensorFlow.js saved: by the layers' names
 * where these are ours, else by the graph, else by order. What fits in more than one way is refused.
 */
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../../errors.ts";
import { layersInOrder, shownName } from "../names.ts";
import type { ForeignLayer, ForeignNetwork, GraphNode } from "./foreign-network.ts";
import { groupBy, kindOf, type Slot, slotsOf } from "./slots.ts";

export interface Match {
  readonly layers: ReadonlyMap<Slot, ForeignLayer>;
  /** batch norms that the file has in the convolutions before them, by those */
  readonly folded: ReadonlyMap<Slot, Slot>;
  /** how it was found */
  readonly rule: string;
}

/** @throws InputError, one line: when layers don't fit, or fit in several ways */
export function matchLayers(model: tfl.LayersModel, network: ForeignNetwork): Match {
  const byLayer = slotsOf(model);
  const slots = [...byLayer.values()].flat();
  const named = byName(slots, network.layers);
  if (named !== undefined) return named;
  const other = slots.find(({ kind }) => kind === "other");
  if (other !== undefined) {
    throw new InputError(
      `${other.name} of ${model.name} is no layer of Keras's, so that it is found by our names only`,
    );
  }
  checkCounts(model, slots, network.layers);
  if (network.graph !== undefined) return byGraph(model, slots, network.layers, network.graph);
  const orders = [layersInOrder(model), model.layers].map((layers) =>
    layers.flatMap((layer) => byLayer.get(layer) ?? []),
  );
  return byOrder(model, orders, network);
}

/** Where the names are ours, as in what `zoo export` wrote; batch norms may have gone into convolutions. */
function byName(slots: readonly Slot[], layers: readonly ForeignLayer[]): Match | undefined {
  const named = new Map(layers.map((layer) => [layer.name, layer]));
  const found = new Map<Slot, ForeignLayer>();
  const folded = new Map<Slot, Slot>();
  for (const slot of slots) {
    const layer = named.get(slot.name);
    const before = slot.follows;
    if (layer !== undefined) found.set(slot, layer);
    else if (slot.kind === "norm" && before && found.get(before)?.weights.has("bias")) folded.set(before, slot);
    else return undefined;
  }
  return { layers: found, folded, rule: "layers by their names" };
}

/**
 * A layer is known by what it is and by all that comes before it: its kind, its shape, and the layers that it reads,
 * of which each is known in this way. The names and the order of the layers don't matter then.
 */
function byGraph(
  model: tfl.LayersModel,
  slots: readonly Slot[],
  layers: readonly ForeignLayer[],
  graph: readonly GraphNode[],
): Match {
  const numbers = new Map<string, number>(); // of signatures: that of a deep layer would not end
  const numberOf = (signature: string, reads: readonly number[]): number => {
    const key = `${signature} after ${[...new Set(reads)].sort((a, b) => a - b)}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  };

  const ours = new Map<Slot, number>();
  for (const slot of slots) {
    ours.set(
      slot,
      numberOf(
        signatureOf(slot),
        slot.reads.map((before) => ours.get(before) as number),
      ),
    );
  }
  const named = new Map(layers.map((layer) => [layer.name, layer]));
  const theirs = new Map<number, ForeignLayer>();
  const ends = new Map<string, readonly number[]>();
  for (const { name, inputs } of graph) {
    const reads = [...new Set(inputs.flatMap((input) => ends.get(input) ?? []))];
    const layer = named.get(name);
    if (layer === undefined) {
      ends.set(name, reads);
      continue;
    }
    const number = numberOf(signatureOf(layer), reads);
    const twin = theirs.get(number);
    if (twin !== undefined)
      throw ambiguous(`its layers ${shownName(twin.name)} and ${shownName(name)} can't be told apart`);
    theirs.set(number, layer);
    ends.set(name, [number]);
  }
  const found = new Map<Slot, ForeignLayer>();
  for (const [slot, number] of ours) {
    const layer = theirs.get(number);
    if (layer === undefined) {
      throw new InputError(
        `its network is another than ${model.name}: none of its layers is ${slot.name} (${signatureOf(slot)}) and reads what that reads`,
      );
    }
    found.set(slot, layer);
  }
  if (new Set(ours.values()).size < slots.length) throw ambiguous("some of the network's layers can't be told apart");
  return { layers: found, folded: new Map(), rule: "layers by the graph" };
}

/** Where the file has no graph: in PyTorch's order, or in that of Keras, which takes branches in turns. */
function byOrder(model: tfl.LayersModel, orders: readonly Slot[][], { layers, order }: ForeignNetwork): Match {
  const part = (kind: string) => (order === "all" ? "" : kind);
  const theirs = groupBy(layers, ({ weights }) => part(kindOf(weights)));
  let misfit = "";
  const fitting = orders.filter((slots) => {
    const taken = new Map<string, number>();
    return slots.every((slot) => {
      const at = taken.get(part(slot.kind)) ?? 0;
      taken.set(part(slot.kind), at + 1);
      const layer = theirs.get(part(slot.kind))?.[at];
      if (layer !== undefined && signatureOf(layer) === signatureOf(slot)) return true;
      misfit ||= `${shownName(layer?.name ?? "")} is ${layer ? signatureOf(layer) : "missing"}, where ${slot.name} is ${signatureOf(slot)}`;
      return false;
    });
  });
  const pairings = fitting.map((slots) => {
    const left = new Map([...theirs].map(([kind, list]) => [kind, [...list]]));
    return new Map(slots.map((slot) => [slot, left.get(part(slot.kind))?.shift() as ForeignLayer]));
  });
  if (pairings.length === 0) throw new InputError(`its layers are not ${model.name}'s, in order: ${misfit}`);
  const [first, ...others] = pairings;
  if (others.some((pairing) => [...pairing].some(([slot, layer]) => first.get(slot) !== layer))) {
    throw ambiguous("its layers fit in more than one order");
  }
  return { layers: first, folded: new Map(), rule: "layers by their order" };
}

function checkCounts(model: tfl.LayersModel, slots: readonly Slot[], layers: readonly ForeignLayer[]): void {
  const counts = (kinds: readonly string[]) => {
    const count = (wanted: string) => kinds.filter((kind) => kind === wanted).length;
    return `${count("kernel")} convolutions and dense layers, ${count("norm")} batch norms, ${count("scale")} layer norms, ${count("other")} others`;
  };
  const ours = counts(slots.map(({ kind }) => kind));
  const theirs = counts(layers.map(({ weights }) => kindOf(weights)));
  if (ours !== theirs) throw new InputError(`it has ${theirs}; ${model.name} has ${ours}`);
}

/** What a layer is, in short: "kernel 3x3x16x32". */
function signatureOf(layer: Slot | ForeignLayer): string {
  const kind = kindOf(layer.weights);
  const { shape } = layer.weights.get({ kernel: "kernel", norm: "moving_mean", scale: "gamma", other: "" }[kind]) ?? {};
  return shape === undefined ? kind : `${kind} ${shape.join("x")}`;
}

const ambiguous = (why: string) =>
  new InputError(`${why}: save the whole model (.keras), or name its layers as \`zoo export\` does`);
