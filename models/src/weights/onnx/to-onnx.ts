/** Writes a model as an ONNX file, for the runtimes of others. */
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../../errors.ts";
import { foldBatchNorm } from "../../inference/fold-batch-norm.ts";
import { torchShape, toTorch } from "../layout.ts";
import { fullName, shownName, stateDict } from "../names.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { layerRules } from "./layer-rules.ts";
import { modelProto, type OnnxTensor, type OnnxValue } from "./model-proto.ts";

/** Names of the graph's input and output, as PyTorch users give them; of several, the layers' names. */
const [INPUT, OUTPUT] = ["input", "output"];

/** Protocol Buffers have no longer messages. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Exports a model for inference. Batch norms go into the convolutions before them. Images are
 * [batch, channels, height, width] there, the batch of any size; weights have PyTorch's names and layouts.
 *
 * @param model of this package's layers
 * @param options.metadata texts for the reader (classes, normalisation …), kept as the file's `metadata_props`
 * @returns the bytes of an .onnx file, for operator set 17 (onnxruntime 1.12 and newer)
 * @throws InputError, one line: for a layer without a rule in layer-rules.ts, or more than 2 GB
 */
export async function toOnnx(
  model: tfl.LayersModel,
  { metadata = {} }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array> {
  const folded = foldBatchNorm(model);
  try {
    const tensors = await torchTensors(folded);
    const bytes = [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
    if (bytes > MAX_BYTES) throw new InputError(`${model.name} has ${bytes} bytes of weights; ONNX files hold 2 GB`);
    return modelProto(graphOf(folded, tensors), metadata);
  } finally {
    folded.dispose();
  }
}

/** All weights in PyTorch's layout, by PyTorch's names. */
async function torchTensors(model: tfl.LayersModel): Promise<Map<string, OnnxTensor>> {
  const entries = stateDict(model).map(async ({ name, variable, layout }): Promise<[string, OnnxTensor]> => {
    const shape = variable.shape as number[];
    const values = toTorch((await variable.read().data()) as Float32Array, shape, layout);
    return [name, { shape: torchShape(shape, layout), values }];
  });
  return new Map(await Promise.all(entries));
}

function graphOf(model: tfl.LayersModel, tensors: ReadonlyMap<string, OnnxTensor>) {
  const graph = new GraphBuilder();
  const values = new Map<number, string>(); // by the symbolic tensor's id
  const inputs = model.inputs.map((tensor): OnnxValue => {
    const name = graph.unique(model.inputs.length === 1 ? INPUT : tensor.sourceLayer.name);
    values.set(tensor.id, name);
    return { name, shape: onnxShape(tensor.shape) };
  });
  const nameOf = (tensor: tfl.SymbolicTensor): string => {
    const known = values.get(tensor.id);
    if (known !== undefined) return known;
    const { sourceLayer: layer } = tensor;
    const { inputTensors } = layer.inboundNodes[tensor.nodeIndex];
    const className = layer.getClassName();
    const refused = (why: string) =>
      new InputError(
        `can't write ${model.name} as ONNX: its layer ${shownName(layer.name)} is a ${className}, ${why}; export it in another format`,
      );
    if (!Object.hasOwn(layerRules, className)) throw refused("for which there is no rule");
    const value = layerRules[className]({
      name: layer.name,
      config: layer.getConfig(),
      inputs: inputTensors.map(nameOf),
      inputShapes: inputTensors.map(({ shape }) => shape),
      graph,
      weight: (short) => {
        const name = fullName(layer.name, short);
        const tensor = tensors.get(name);
        return tensor && graph.constant(name, tensor.shape, tensor.values);
      },
    });
    if (value instanceof Error) throw refused(value.message);
    values.set(tensor.id, value);
    return value;
  };
  const outputs = model.outputs.map((tensor): OnnxValue => {
    const value = nameOf(tensor);
    if (model.outputs.length > 1) return { name: value, shape: onnxShape(tensor.shape) };
    graph.rename(value, OUTPUT);
    return { name: OUTPUT, shape: onnxShape(tensor.shape) };
  });
  return { name: model.name, nodes: graph.nodes, constants: graph.constants, inputs, outputs };
}

/** [batch, height, width, channels] as [batch, channels, height, width]; other shapes as they are. */
function onnxShape(shape: readonly (number | null)[]): (number | string)[] {
  const [batch, ...rest] = shape.map((size, axis) => size ?? (axis === 0 ? "batch" : `size_${axis}`));
  return rest.length === 3 ? [batch, rest[2], rest[0], rest[1]] : [batch, ...rest];
}
