import { describe, expect, it } from "vitest";
import { InputError } from "../../errors.ts";
import { graphOf } from "./graph.ts";

const layer = (name: string, inputs: string[] = [], className: unknown = "ReLU") => ({
  name,
  class_name: className,
  config: {},
  inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
});

const model = (layers: object[]) => ({ class_name: "Model", config: { layers } });

describe("a network's graph", () => {
  it("has each layer after those that it reads, however many these are", () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `l${i}`);
    const graph = graphOf(model([layer("sum", names, "Add"), ...names.map((name) => layer(name))]));
    expect(graph.map(({ name }) => name)).toEqual([...names, "sum"]);
  });

  it("of layers that read each other is refused", () => {
    const circle = model([layer("a", ["b"]), layer("b", ["c"]), layer("c", ["b"])]);
    expect(() => graphOf(circle)).toThrow("read each other in a circle");
  });

  it.each([null, 1, { toString: 1 }])("with a layer of class %j is refused", (className) => {
    expect(() => graphOf(model([layer("a", [], className)]))).toThrow(InputError);
  });
});
