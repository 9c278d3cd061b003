/** The messages of an ONNX file, as far as a network for inference needs them (onnx/onnx.proto gives the fields). */
import { Message } from "./protobuf.ts";

/** The operators' version (2022): onnxruntime takes it since 1.12. It is the first with LayerNormalization. */
export const OPSET = 17;

/** The file format's version that came with that operator set. */
const IR_VERSION = 8;

const [FLOAT, INT64] = [1, 7]; // TensorProto.DataType
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const; // AttributeProto.AttributeType

/** A word, a whole number, or a list of such; a fraction is marked as one, since 1 may be meant as 1.0. */
export type Attribute = string | number | readonly number[] | { readonly float: number };

/** One operation: outputs = op(inputs). */
export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  inputs: string[];
  output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant: weights, or the whole numbers that some operators take as a tensor. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** An input or output of the graph; a text is a size that each run chooses. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of an .onnx file. */
export function modelProto(graph: OnnxGraph, metadata: Readonly<Record<string, string>>): Uint8Array {
  const graphMessage = new Message()
    .message(1, graph.nodes.map(nodeProto))
    .text(2, graph.name)
    .message(
      5,
      [...graph.constants].map(([name, tensor]) => tensorProto(name, tensor)),
    )
    .message(11, graph.inputs.map(valueProto))
    .message(12, graph.outputs.map(valueProto));
  return new Message()
    .int(1, IR_VERSION)
    .text(2, "tfjs-zoo")
    .message(7, graphMessage)
    .message(8, new Message().text(1, "").int(2, OPSET))
    .message(
      14,
      Object.entries(metadata).map(([key, value]) => new Message().text(1, key).text(2, value)),
    )
    .finish();
}

function nodeProto({ op, name, inputs, output, attributes }: OnnxNode): Message {
  return new Message()
    .text(1, inputs)
    .text(2, output)
    .text(3, name)
    .text(4, op)
    .message(
      5,
      Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    );
}

function attributeProto(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, attributeTypes.int);
  if (typeof value === "string") return message.text(4, value).int(20, attributeTypes.string);
  if ("float" in value) return message.float(2, value.float).int(20, attributeTypes.float);
  return message.int(8, value).int(20, attributeTypes.ints);
}

function tensorProto(name: string, { shape, values }: OnnxTensor): Message {
  return new Message()
    .int(1, shape)
    .int(2, values instanceof Float32Array ? FLOAT : INT64)
    .text(8, name)
    .bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)); // little-endian, as every host of tfjs
}

function valueProto({ name, shape }: OnnxValue): Message {
  const dimensions = shape.map((size) =>
    typeof size === "number" ? new Message().int(1, size) : new Message().text(2, size),
  );
  const tensorType = new Message().int(1, FLOAT).message(2, new Message().message(1, dimensions));
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}
