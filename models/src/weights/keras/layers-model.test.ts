import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { classifiers } from "../../registry.ts";
import { importWeights } from "../import-weights.ts";
import { relativeError, scatter } from "../test-nets.ts";
import { layersModelWeightsFile, toLayersModel } from "../to-layers-model.ts";
import { layersModelPaths } from "./layers-model.ts";

beforeAll(() => tf.setBackend("cpu"));

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** One network of each family, small. */
const families = [...new Map([...classifiers.values()].map((entry) => [entry.family, entry])).values()];

describe("what zoo export wrote", () => {
  it.each(families)("of $name is read again, bit by bit", async ({ build, narrow = build }) => {
    const original = scatter(narrow({ seed: null }));
    const { modelJson, weights } = await toLayersModel(original);
    const model = narrow({ seed: null });
    const before = tf.memory().numTensors;
    const report = importWeights(model, bytesOf(modelJson), { shards: new Map([[layersModelWeightsFile, weights]]) });
    expect(tf.memory().numTensors).toBe(before);
    expect(report).toMatchObject({ format: "TensorFlow.js", matched: model.weights.length, unused: [] });
    expect(report.rules[0]).toBe("layers by their names");
    console.log(original.name, report.rules.join(" / "));
    // Its graph is our own, as far as it is stock: nothing else is to be said of it.
    const [rule, ...others] = report.rules;
    expect(rule).toBe("layers by their names");
    expect(others.filter((other) => other !== "batch norms out of the convolutions")).toEqual([]);
    const again = await toLayersModel(model);
    expect(Buffer.compare(again.weights, weights)).toBe(0);
    original.dispose();
    model.dispose();
  });
});

describe("a layers-model", () => {
  const { build } = classifiers.get("lenet5") as { build: (options: { seed: number | null }) => tfl.LayersModel };
  const exported = async () => {
    const { modelJson, weights } = await toLayersModel(build({ seed: 1 }));
    return { json: JSON.parse(modelJson), weights };
  };
  const read = (
    json: object,
    shards: Iterable<[string, Uint8Array]>,
  ): { error?: string; model: tfl.LayersModel; rules: string[] } => {
    const model = build({ seed: null });
    try {
      return { model, rules: importWeights(model, bytesOf(JSON.stringify(json)), { shards: new Map(shards) }).rules };
    } catch (error) {
      expect(error, String((error as Error).stack)).toBeInstanceOf(InputError);
      expect((error as Error).message).not.toContain("\n");
      return { error: (error as Error).message, model, rules: [] };
    }
  };

  it("of several shards and other names is matched by its graph", async () => {
    const { json, weights } = await exported();
    const renamed = JSON.parse(JSON.stringify(json).replaceAll('"fc', '"dense_').replaceAll('"conv', '"conv2d_'));
    renamed.weightsManifest[0].paths = ["a.bin", "sub/b.bin"];
    const parts: [string, Uint8Array][] = [
      ["a.bin", weights.subarray(0, 1001)],
      ["sub/b.bin", weights.subarray(1001)],
    ];
    expect(layersModelPaths(bytesOf(JSON.stringify(renamed)))).toEqual(["a.bin", "sub/b.bin"]);
    const { model, rules, error } = read(renamed, parts);
    expect(error).toBeUndefined();
    expect(rules).toEqual(["layers by the graph"]);
    const again = await toLayersModel(model);
    expect(Buffer.compare(again.weights, weights)).toBe(0);
  });

  it.each(["uint8", "uint16", "float16"])("in %s is what TensorFlow.js reads", async (dtype) => {
    const { json, weights } = await exported();
    const random = randomStream(1, dtype);
    const specs: tf.io.WeightsManifestEntry[] = json.weightsManifest[0].weights;
    for (const spec of specs) {
      const range = dtype === "float16" ? {} : { scale: random.uniform() / 100, min: -random.uniform() };
      spec.quantization = { dtype, ...range } as tf.io.WeightsManifestEntry["quantization"];
    }
    const numbers = weights.length / 4;
    const data = Uint8Array.from({ length: dtype === "uint8" ? numbers : 2 * numbers }, (_, i) =>
      dtype === "float16" && i % 2 === 1 ? 0x30 + random.integer(8) : random.integer(256),
    );
    const decoded = tf.io.decodeWeights(data.buffer, specs);
    const { model, error } = read(json, [[layersModelWeightsFile, data]]);
    expect(error).toBeUndefined();
    const expected = build({ seed: null });
    // Our layers have the same weights in the same order and layout, but for the rows after the flattening.
    expected.setWeights(model.weights.map(({ originalName }) => decoded[originalName.replace(/weight$/, "kernel")]));
    const x = tf.ones([1, 28, 28, 1]);
    expect(relativeError(model.predict(x) as tf.Tensor, expected.predict(x) as tf.Tensor)).toBeLessThan(1e-6);
  });

  it.each<[string, string]>([
    ["../up.bin", "does not lie beside it"],
    ["a/../../up.bin", "does not lie beside it"],
    ["/etc/passwd", "does not lie beside it"],
    ["C:\\up.bin", "does not lie beside it"],
    ["..\\up.bin", "does not lie beside it"],
    ["file:///etc/passwd", "does not lie beside it"],
    ["https://example.com/a.bin", "does not lie beside it"],
    ["", "does not lie beside it"],
    ["a\nb.bin", "its file of weights a\\nb.bin is not given"],
    ["other.bin", "is not given"],
  ])("with its weights in %j is refused", async (path, why) => {
    const { json, weights } = await exported();
    json.weightsManifest[0].paths = [path];
    expect(read(json, [["group1-shard1of1.bin", weights]]).error).toContain(why);
  });

  it.each<[string, (json: { weightsManifest: { weights: object[] }[] } & Record<string, unknown>) => unknown, string]>([
    ["no layers", (json) => ({ ...json, modelTopology: {} }), "no list of layers"],
    ["no manifest", ({ modelTopology }) => ({ modelTopology }), "no layers-model"],
    ["a graph-model", (json) => ({ ...json, format: "graph-model" }), "graph-model"],
    [
      "another dtype",
      (json) => Object.assign(json.weightsManifest[0].weights[0], { dtype: "int32" }) && json,
      "is int32",
    ],
    [
      "a shape beyond its data",
      (json) => Object.assign(json.weightsManifest[0].weights[0], { shape: [1e15] }) && json,
      "is not whole",
    ],
    [
      "a shape that is none",
      (json) => Object.assign(json.weightsManifest[0].weights[0], { shape: [-1] }) && json,
      "no layers-model",
    ],
    ["weights left over", (json) => json.weightsManifest[0].weights.pop() && json, "model.json says"],
    [
      "a quantization of no type",
      (json) => Object.assign(json.weightsManifest[0].weights[0], { quantization: { dtype: { toString: 1 } } }) && json,
      "no layers-model",
    ],
    [
      "no scale",
      (json) => Object.assign(json.weightsManifest[0].weights[0], { quantization: { dtype: "uint8" } }) && json,
      "no scale",
    ],
  ])("with %s is refused", async (_, change, why) => {
    const { json, weights } = await exported();
    expect(read(change(json) as object, [[layersModelWeightsFile, weights]]).error).toContain(why);
  });

  type Topology = { class_name: string; config: Record<string, unknown> }[];
  const layerOf = (layers: Topology, name: string) => layers.find(({ config }) => config.name === name) as Topology[0];
  it.each<[string, (layers: Topology) => unknown, string]>([
    [
      "strides",
      (layers) => Object.assign(layerOf(layers, "conv1").config, { strides: [2, 2] }),
      "something else than lenet5: conv1 has strides 2x2, here 1x1",
    ],
    [
      "dilation",
      (layers) => Object.assign(layerOf(layers, "conv2").config, { dilation_rate: 2 }),
      "conv2 has dilation 2x2, here 1x1",
    ],
    [
      "activation",
      (layers) => Object.assign(layerOf(layers, "conv1").config, { activation: "tanh" }),
      "between conv1 and conv2 is max pooling 2x2 (strides 2x2) and tanh, here max pooling 2x2 (strides 2x2) and relu",
    ],
    [
      "activation layers",
      (layers) => Object.assign(layerOf(layers, "relu3"), { class_name: "Softmax" }),
      "between fc1 and fc2 is softmax, here relu",
    ],
    [
      "maxima of a ReLU",
      (layers) => Object.assign(layerOf(layers, "relu3").config, { max_value: 6 }),
      "between fc1 and fc2 is relu6, here relu",
    ],
    [
      "pooling",
      (layers) => Object.assign(layerOf(layers, "pool1"), { class_name: "AveragePooling2D" }),
      "average pooling 2x2 (strides 2x2) and relu, here max pooling",
    ],
    [
      "windows",
      (layers) => Object.assign(layerOf(layers, "pool2").config, { pool_size: [3, 3] }),
      "max pooling 3x3 (strides 2x2) and relu, here max pooling 2x2",
    ],
  ])("of other %s is refused, whatever its layers are called", async (_, change, why) => {
    const { json, weights } = await exported();
    change(json.modelTopology.config.layers);
    const text = JSON.stringify(json);
    for (const named of [text, text.replaceAll('"conv', '"x_conv').replaceAll('"fc', '"x_fc')])
      expect(read(JSON.parse(named), [[layersModelWeightsFile, weights]]).error).toContain(why);
  });

  it("of our names that is wired otherwise is refused", async () => {
    const { json, weights } = await exported();
    const { layers } = json.modelTopology.config;
    layers.find(({ name }: { name: string }) => name === "fc2").inbound_nodes[0][0][0] = "flatten";
    expect(read(json, [[layersModelWeightsFile, weights]]).error).toContain("fc2 does not read fc1");
  });

  it("of other padding, or of a layer that we don't know, is imported, and that is named", async () => {
    const { json, weights } = await exported();
    const { layers } = json.modelTopology.config as { layers: Topology };
    Object.assign(layerOf(layers, "conv1").config, { padding: "valid" });
    expect(read(json, [[layersModelWeightsFile, weights]]).rules).toEqual([
      "layers by their names",
      "images are padded otherwise there, before conv1",
    ]);
    Object.assign(layerOf(layers, "relu4"), { class_name: "Lambda" });
    expect(read(json, [[layersModelWeightsFile, weights]]).rules.slice(2)).toEqual([
      "not compared: what Lambda computes there",
    ]);
  });

  it.each([
    ["twice", (path: string) => [path, path]],
    ["in two groups", (path: string) => [path]],
  ])("that lists a file of weights %s is refused before it is read", async (how, paths) => {
    const { json, weights } = await exported();
    json.weightsManifest[0].paths = paths(layersModelWeightsFile);
    if (how === "in two groups") json.weightsManifest.push({ paths: [layersModelWeightsFile], weights: [] });
    expect(() => layersModelPaths(bytesOf(JSON.stringify(json)))).toThrow(/is listed twice/);
    expect(read(json, [[layersModelWeightsFile, weights]]).error).toContain("is listed twice");
  });

  it("of which forty sums read two branches each of the one before is read at once", async () => {
    const { json, weights } = await exported();
    const { layers } = json.modelTopology.config;
    const at = layers.findIndex((layer: { name: string }) => layer.name === "fc3");
    let [before] = layers[at].inbound_nodes[0][0];
    const node = (class_name: string, name: string, ...inputs: string[]) => ({
      class_name,
      config: { name },
      name,
      inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
    });
    for (let n = 0; n < 40; n++) {
      const [left, right, sum] = ["left", "right", "sum"].map((name) => `${name}${n}`);
      layers.push(node("ReLU", left, before), node("ReLU", right, before), node("Add", sum, left, right));
      before = sum;
    }
    layers[at].inbound_nodes[0][0][0] = before;
    const renamed = JSON.parse(JSON.stringify(json).replaceAll('"fc', '"dense_'));
    expect(read(renamed, [[layersModelWeightsFile, weights]]).rules).toEqual(["layers by the graph"]);
  });

  it("whose weights are cut short is refused", async () => {
    const { json, weights } = await exported();
    expect(read(json, [[layersModelWeightsFile, weights.subarray(0, 999)]]).error).toContain("too short");
  });
});
