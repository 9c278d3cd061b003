/** The graph of a network as Keras and TensorFlow.js write it in JSON, as far as it says which layer reads which. */
import { InputError } from "../../errors.ts";
import { shownName } from "../names.ts";
import type { GraphNode } from "./foreign-network.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param text JSON of a model's configuration: { class_name, config: { layers } }
 * @returns its layers, each after those that it reads
 * @throws InputError when it is none, or holds models within models
 */
export function readGraph(text: string): GraphNode[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw damaged("it is not JSON");
  }
  return graphOf(json);
}

export function graphOf(json: unknown): GraphNode[] {
  const model = isObject(json) && isObject(json.model_config) ? json.model_config : json;
  if (!isObject(model)) throw damaged("it is no object");
  const list = isObject(model.config) ? model.config.layers : model.config; // a list in Keras before 2.2.3
  if (!Array.isArray(list) || !list.every(isObject)) throw damaged("it has no list of layers");
  const sequential = model.class_name === "Sequential";
  const nodes = new Map<string, GraphNode>();
  let previous: string[] = [];
  for (const [i, layer] of list.entries()) {
    const config = isObject(layer.config) ? layer.config : {};
    const name = layer.name ?? config.name;
    const className = layer.class_name;
    if (typeof name !== "string" || nodes.has(name)) throw damaged(`its layer ${i + 1} has no name of its own`);
    if (typeof className !== "string") throw damaged(`its layer ${shownName(name)} does not say of which class it is`);
    if (Array.isArray(config.layers)) {
      throw new InputError(`its layer ${shownName(name)} is a model itself, which can't be matched: save that alone`);
    }
    const inputs = sequential ? previous : readBy(layer.inbound_nodes);
    previous = [name];
    nodes.set(name, { name, className, config, inputs: [...new Set(inputs)] });
  }
  return inOrder(nodes);
}

/**
 * The layers that a layer reads: Keras 3 marks a tensor as { class_name: "__keras_tensor__", config: { keras_history:
 * [LAYER, …] } }, older ones and TensorFlow.js write [LAYER, node, tensor, {…}].
 */
function readBy(value: unknown, depth = 0): string[] {
  if (depth > 8) return [];
  if (Array.isArray(value)) {
    if (typeof value[0] === "string" && typeof value[1] === "number") return [value[0]];
    return value.flatMap((item) => readBy(item, depth + 1));
  }
  if (!isObject(value)) return [];
  if (value.class_name === "__keras_tensor__" && isObject(value.config))
    return readBy(value.config.keras_history, depth + 1);
  return [value.args, value.kwargs].flatMap((item) => readBy(item, depth + 1));
}

function inOrder(nodes: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const ordered = new Set<GraphNode>();
  const open = new Set<GraphNode>();
  for (const start of nodes.values()) {
    const stack = [{ node: start, next: 0 }]; // next: the input to visit then
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { node } = top;
      if (top.next === 0) open.add(node);
      if (ordered.has(node) || top.next === node.inputs.length) {
        ordered.add(node);
        open.delete(node);
        stack.pop();
        continue;
      }
      const input = nodes.get(node.inputs[top.next++]);
      if (input === undefined || ordered.has(input)) continue;
      if (open.has(input)) throw damaged("its layers read each other in a circle");
      stack.push({ node: input, next: 0 });
    }
  }
  return [...ordered];
}

const damaged = (why: string) => new InputError(`its description of the network can't be read: ${why}`);
