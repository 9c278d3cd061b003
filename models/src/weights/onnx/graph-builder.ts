import type { Attribute, OnnxNode, OnnxTensor } from "./model-proto.ts";

/** Nodes and constants of a graph under construction. A value is known by its name. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxTensor>();
  private readonly taken = new Set<string>();
  private readonly names = new Map<string, string>(); // of constants, by the name asked for

  /** A name that no other value has. */
  unique(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.taken.has(name); n++) name = `${wanted}_${n}`;
    this.taken.add(name);
    return name;
  }

  /** Adds an operation. @returns its output */
  node(op: string, name: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const output = this.unique(name);
    this.nodes.push({ op, name: output, inputs: [...inputs], output, attributes });
    return output;
  }

  /** Adds a constant; a weight that several nodes share is there once. @returns its name */
  constant(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): string {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const given = this.unique(name);
    this.names.set(name, given);
    this.constants.set(given, { shape, values });
    return given;
  }

  scalar(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }

  /** Whole numbers for an operator that takes sizes or axes as a tensor. */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Gives a value another name, wherever it is made or read. */
  rename(from: string, to: string): void {
    const name = this.unique(to);
    for (const node of this.nodes) {
      if (node.output === from) node.output = name;
      node.inputs = node.inputs.map((input) => (input === from ? name : input));
    }
  }
}
