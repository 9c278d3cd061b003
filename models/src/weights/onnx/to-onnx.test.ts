import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { InputError } from "../../errors.ts";
import { BatchNorm, Dense, SelfAttention } from "../../layers/index.ts";
import { chain, tinyResNet } from "../test-nets.ts";
import { toOnnx } from "./to-onnx.ts";

beforeAll(() => tf.setBackend("cpu"));

const modelOf = (shape: number[], ...layers: tfl.layers.Layer[]) => {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: chain(input, ...layers), name: "net" });
};

it.each<[string, tfl.LayersModel, string]>([
  ["an unknown layer", modelOf([4], tfl.layers.repeatVector({ n: 2, name: "again" })), "again is a RepeatVector"],
  [
    "an unknown activation",
    modelOf([4], tfl.layers.activation({ activation: "mish", name: "act" })),
    "act is a Activation, its activation is mish",
  ],
  ["a batch norm of sequences", modelOf([3, 4], new BatchNorm({ name: "norm" })), "norm is a ZooBatchNorm"],
  [
    "causal attention",
    modelOf([3, 6], new SelfAttention({ name: "attn", heads: 1, causal: true })),
    "attn is a ZooSelfAttention, its attention is causal",
  ],
])("%s is named in one line, and nothing is left behind", async (_, model, says) => {
  const before = tf.memory().numTensors;
  const error = await toOnnx(model).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^can't write net as ONNX: its layer .*; export it in another format$/);
  expect(error.message).toContain(says);
  expect(tf.memory().numTensors).toBe(before);
});

it("the same network gives the same bytes, and keeps the metadata", async () => {
  const model = tinyResNet();
  const [first, again] = [await toOnnx(model, { metadata: { classes: '["a"]' } }), await toOnnx(model)];
  expect([...again]).toEqual([...(await toOnnx(model))]);
  expect(first.length - again.length).toBe("classes".length + '["a"]'.length + 2 * 2 + 2);
});

it("weights have PyTorch's names", async () => {
  const bytes = await toOnnx(modelOf([4], new Dense({ name: "fc", units: 2 })));
  const text = new TextDecoder("latin1").decode(bytes);
  for (const name of ["fc.weight", "fc.bias", "input", "output", "batch"]) expect(text).toContain(name);
});
