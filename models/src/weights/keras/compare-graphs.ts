/**
 * Whether a network that others saved computes what ours does, as far as its graph says: strides and dilation of each
 * layer, and what lies between one layer with weights and the next: activations, pooling, how branches are joined.
 *
 * Another stride, activation or pooling is refused: the weights would fit, and answer wrongly without a word. (A file of
 * weights alone, which has no graph, is taken on trust: so they can still be imported, to train from.) Another padding
 * is only named: Keras's "same" puts less before an image than PyTorch does, which few answers hang on. Not looked at:
 * the order of what lies between two layers (a ReLU and max pooling may change places), what comes after the last one
 * (a softmax there, logits here), and layers that we don't know, which are named.
 */
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../../errors.ts";
import { layersInOrder, shownName } from "../names.ts";
import type { GraphNode } from "./foreign-network.ts";
import type { Match } from "./match-layers.ts";
import { slotsOf } from "./slots.ts";

type Layer = tfl.layers.Layer;
type Size = readonly [height: number, width: number];
/** zeros above, below, left and right of an image */
type Zeros = readonly [number, number, number, number];

/** What is done to a layer's output on the way to another that reads it. */
interface Way {
  /** what must be the same */
  readonly steps: ReadonlySet<string>;
  /** what may differ a little: padding of pooling */
  readonly edges: ReadonlySet<string>;
  /** class of a layer on it that we don't know */
  readonly unknown?: string;
}

/** A tensor: what it is made of, by the names of slots; "" is the image. */
interface State {
  readonly ways: ReadonlyMap<string, Way>;
  readonly size?: Size;
  /** zeros that were put around it, for the window that reads it */
  readonly zeros: Zeros;
}

interface Window {
  readonly strides: Size;
  readonly dilation: Size;
  readonly kernel?: Size;
  /** undefined where the size of the image is not known */
  readonly zeros?: Zeros;
}

/** What a slot reads, and how it moves over it. */
interface Reading {
  readonly ways: State["ways"];
  readonly window?: Window;
}

/** A layer of either network, and those of our slots that it is. */
type LayerNode = GraphNode & { readonly slots: readonly string[] };

const none: Zeros = [0, 0, 0, 0];

/** Ours have fewer on any way; a file's are not collected without end. */
const MOST_STEPS = 16;

/**
 * @param graph of the file
 * @returns what is named, in lines
 * @throws InputError, one line: when the network is another
 */
export function compareGraphs(
  model: tfl.LayersModel,
  { layers, folded }: Match,
  graph: readonly GraphNode[],
): string[] {
  const gone = new Set([...folded.values()].map(({ name }) => name));
  const owned = slotsOf(model);
  const sizes = new Map<string, Size | undefined>();
  const ours = layersInOrder(model).map((layer): LayerNode => {
    const slots = (owned.get(layer) ?? []).map(({ name }) => name).filter((name) => !gone.has(name));
    for (const slot of slots) sizes.set(slot, sizeOf(layer));
    const inputs = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers.map(({ name }) => name));
    return { name: layer.name, className: layer.getClassName(), config: layer.getConfig(), inputs, slots };
  });
  const slotOf = new Map([...layers].map(([slot, layer]) => [layer.name, slot.name]));
  const theirs = graph.map((node): LayerNode => ({ ...node, slots: [slotOf.get(node.name) ?? []].flat() }));

  const [, height, width] = model.inputs[0].shape as number[];
  const here = read(ours, [height, width], sizes);
  const there = read(theirs, [height, width], sizes);
  const differences: string[] = [];
  const edges = new Set<string>();
  const strange = new Set<string>();
  for (const [name, slot] of here) {
    const other = there.get(name);
    if (other === undefined) continue;
    const [window, otherWindow] = [slot.window, other.window];
    if (window !== undefined && otherWindow !== undefined) {
      for (const key of ["strides", "dilation"] as const) {
        const [is, was] = [shown(window[key]), shown(otherWindow[key])];
        if (is !== was) differences.push(`${name} has ${key} ${was}, here ${is}`);
      }
      const [is, was] = [window.zeros?.join(), otherWindow.zeros?.join()];
      if (is !== undefined && was !== undefined && is !== was) edges.add(name);
    }
    for (const [from, way] of slot.ways) {
      const otherWay = other.ways.get(from);
      if (way.unknown !== undefined) continue;
      if (otherWay === undefined) {
        const isClear = [...other.ways.values()].every(({ unknown }) => unknown === undefined);
        if (isClear) differences.push(`${name} does not read ${from || "the image"}`);
        continue;
      }
      if (otherWay.unknown !== undefined) {
        strange.add(otherWay.unknown);
        continue;
      }
      const [is, was] = [listed(way.steps), listed(otherWay.steps)];
      if (is !== was) differences.push(`between ${from || "the image"} and ${name} is ${was}, here ${is}`);
      else if (listed(way.edges) !== listed(otherWay.edges)) edges.add(name);
    }
  }
  if (differences.length > 0) {
    const more = differences.length > 3 ? `; and ${differences.length - 3} more` : "";
    throw new InputError(
      `its network computes something else than ${model.name}: ${differences.slice(0, 3).join("; ")}${more} (a file of weights alone, as of save_weights, is not checked for this)`,
    );
  }
  const few = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
  return [
    ...(edges.size > 0 ? [`images are padded otherwise there, before ${few([...edges])}`] : []),
    ...(strange.size > 0 ? [`not compared: what ${few([...strange].map(shownName))} computes there`] : []),
  ];
}

/** Follows the tensors through a network. */
function read(
  nodes: readonly LayerNode[],
  image: Size,
  sizes: ReadonlyMap<string, Size | undefined>,
): Map<string, Reading> {
  const slots = new Map<string, Reading>();
  const states = new Map<string, State>();
  const start: State = { ways: new Map([["", direct]]), size: image, zeros: none };
  for (const node of nodes) {
    const { className, config, inputs } = node;
    const read = inputs.flatMap((input) => states.get(input) ?? []);
    let state = read.length === 0 ? start : read.length === 1 ? read[0] : joined(read);
    if (node.slots.length > 0) {
      for (const [i, slot] of node.slots.entries()) {
        const isLast = i === node.slots.length - 1;
        slots.set(slot, { ways: state.ways, window: isLast ? windowOf(node, state) : undefined });
        state = { ways: new Map([[slot, direct]]), size: sizes.get(slot), zeros: none };
        if (!isLast) state = className === "ZooConcatNormConv2D" ? after(state, "relu") : unclear(state, className);
      }
    } else if (className === "ZeroPadding2D") {
      const added = zerosOf(config.padding);
      state = added === undefined ? unclear(state, className) : { ...state, zeros: sum(state.zeros, added) };
    } else if (pooling.test(className)) state = pooled(node, state);
    else if (joining.has(className)) state = after(state, joining.get(className));
    else if (activating.has(className)) state = after(state, activationOf(node));
    else if (!passing.has(className)) state = unclear(state, className);
    if (!activating.has(className)) state = after(state, activationName(config.activation));
    states.set(node.name, state);
  }
  return slots;
}

const direct: Way = { steps: new Set(), edges: new Set() };

/** Layers that change no value in inference, or only the order of them. */
const passing = new Set([
  ...["InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity"],
  ...["Flatten", "Permute", "Reshape", "Add", "Concatenate", "BatchNormalization"],
  ...["RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"],
  ...["ZooFlatten", "ZooDropout", "ZooSpatialDropout", "ZooStochasticDepth", "ZooAdd", "ZooConcat", "ZooBatchNorm"],
]);

/** Other ways than a sum to join branches; concatenation shows in the shapes of weights. */
const joining = new Map([
  ["Multiply", "a product of branches"],
  ["Average", "a mean of branches"],
  ["Maximum", "a maximum of branches"],
  ["Minimum", "a minimum of branches"],
  ["Subtract", "a difference of branches"],
]);

const activating = new Set(["Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "ZooReLU", "ZooGelu"]);

function activationOf({ className, config }: LayerNode): string | undefined {
  if (className === "Activation") return activationName(config.activation);
  if (className !== "ReLU") return className.replace(/^Zoo/, "").toLowerCase();
  const [most, slope, threshold] = [
    config.max_value ?? config.maxValue,
    config.negative_slope ?? config.negativeSlope,
    config.threshold,
  ];
  if ((slope ?? 0) !== 0 || (threshold ?? 0) !== 0) return "a ReLU with a slope or a threshold";
  return most === undefined || most === null ? "relu" : most === 6 ? "relu6" : "a ReLU with a maximum";
}

function activationName(value: unknown): string | undefined {
  const className = typeof value === "object" && value !== null && "class_name" in value ? value.class_name : value;
  return typeof className !== "string" || className === "linear" ? undefined : shownName(className.toLowerCase());
}

const pooling = /^(Zoo)?(Global)?(Max|Avg|Average)Pool(ing)?2D$/;

function pooled(node: LayerNode, state: State): State {
  const { size } = state;
  const [, , isGlobal, kind] = pooling.exec(node.className) as RegExpExecArray;
  const name = kind === "Max" ? "max pooling" : "average pooling";
  const window = windowOf(node, state);
  const out = size && window?.kernel && window.zeros && outputOf(size, window.kernel, window);
  const isWhole = size?.join() === window?.kernel?.join() && window?.zeros?.join() === none.join();
  if (isGlobal || isWhole) {
    const one: State = { ...state, size: [1, 1], zeros: none };
    return size?.join() === "1,1" ? one : after(one, `${name} of the whole image`);
  }
  if (window?.kernel === undefined) return unclear(state, node.className);
  const zeros = window.zeros === undefined ? "?" : window.zeros.join();
  const step = `${name} ${shown(window.kernel)} (strides ${shown(window.strides)})`;
  return after({ ...state, size: out, zeros: none }, step, `${step}, padding ${zeros}`);
}

/** How a layer moves over images; undefined for one that does not. */
function windowOf({ className, config }: LayerNode, { size, zeros: before }: State): Window | undefined {
  const kernel = sizes(
    config.kernel_size ?? config.kernelSize ?? config.pool_size ?? config.poolSize ?? config.patchSize,
  );
  if (kernel === undefined) return undefined;
  const isPooling = pooling.test(className);
  const strides = sizes(config.strides) ?? (isPooling || className === "ZooPatchEmbedding" ? kernel : [1, 1]);
  const dilation = sizes(config.dilation_rate ?? config.dilationRate ?? config.dilation) ?? [1, 1];
  const extent = kernel.map((k, i) => (k - 1) * dilation[i] + 1);
  let zeros: Zeros | undefined = before;
  if (config.padding === "same") {
    const totals = extent.map((e, i) => {
      if (strides[i] === 1) return e - 1;
      const length = (size?.[i] ?? Number.NaN) + before[2 * i] + before[2 * i + 1];
      return Math.max((Math.ceil(length / strides[i]) - 1) * strides[i] + e - length, 0);
    });
    const [top, left] = totals.map((total) => Math.floor(total / 2));
    zeros = totals.some(Number.isNaN) ? undefined : sum(before, [top, totals[0] - top, left, totals[1] - left]);
  } else if (config.padding !== "valid") zeros = sum(before, zerosOf(config.padding) ?? none);
  return { strides, dilation, kernel, zeros };
}

const outputOf = (size: Size, kernel: Size, { strides, zeros = none }: Window): Size => {
  const along = (i: 0 | 1) => Math.floor((size[i] + zeros[2 * i] + zeros[2 * i + 1] - kernel[i]) / strides[i]) + 1;
  return [along(0), along(1)];
};

/** A state after something more was done to it. */
function after(state: State, step: string | undefined, edge?: string): State {
  if (step === undefined) return state;
  const add = (set: ReadonlySet<string>, item: string | undefined) =>
    item === undefined || set.has(item) || set.size >= MOST_STEPS ? set : new Set(set).add(item);
  return withWays(state, (way) => ({ ...way, steps: add(way.steps, step), edges: add(way.edges, edge) }));
}

const unclear = (state: State, className: string): State =>
  withWays({ ...state, size: undefined }, (way) => ({ ...way, unknown: way.unknown ?? className }));

const withWays = (state: State, change: (way: Way) => Way): State => ({
  ...state,
  ways: new Map([...state.ways].map(([from, way]) => [from, change(way)])),
});

function joined(states: readonly State[]): State {
  const ways = new Map<string, Way>();
  for (const state of states) {
    for (const [from, way] of state.ways) {
      const other = ways.get(from);
      if (other === undefined || other === way) ways.set(from, way);
      else {
        const union = (key: "steps" | "edges") => new Set([...other[key], ...way[key]].slice(0, 2 * MOST_STEPS));
        ways.set(from, { steps: union("steps"), edges: union("edges"), unknown: other.unknown ?? way.unknown });
      }
    }
  }
  const { size, zeros } = states[0];
  return { ways, size, zeros };
}

const listed = (steps: ReadonlySet<string>): string => [...steps].sort().join(" and ") || "nothing";

const shown = (size: Size): string => size.join("x");

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** 3 or [3, 3] */
function sizes(value: unknown): Size | undefined {
  const pair = Array.isArray(value) ? value : [value, value];
  return pair.length === 2 && pair.every(isCount) ? [pair[0], pair[1]] : undefined;
}

/** 1, [1, 1] or [[1, 1], [1, 1]] */
function zerosOf(value: unknown): Zeros | undefined {
  const [height, width] = (Array.isArray(value) ? value : [value, value]).map(sizes);
  return height && width ? [...height, ...width] : undefined;
}

const sum = (a: Zeros, b: Zeros): Zeros => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

/** Height and width of the images that a layer makes. */
function sizeOf(layer: Layer): Size | undefined {
  const { shape } = layer.inboundNodes[0].outputTensors[0];
  return shape.length === 4 ? sizes(shape.slice(1, 3)) : undefined;
}
