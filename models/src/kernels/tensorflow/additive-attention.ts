import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { checkAdditive } from "../../ops/additive-attention.ts";
import { registerTensorflow } from "./backend.ts";
import { executeTyped, type Numbers, numbersOf } from "./bf16.ts";

type Given = { [name in "query" | "keys" | "v" | "values"]: Tensor } & { lengths?: Tensor };

/**
 * Additive attention by training/native/additive-attention.h, which keeps nothing of the size [queries, places, d]. Keys
 * may be in bf16, as the layer that makes them does.
 */
export function registerAdditiveAttention(): void {
  registerTensorflow("ZooAdditiveAttention", (inputs, _, backend) => {
    const given = inputs as unknown as Given;
    checkAdditive(given);
    const { query, keys, v, values, lengths } = given;
    const type = numbersOf(keys, backend);
    const tensors = [...typed(query, keys, v, values, type), ...(lengths ? single(lengths) : [])];
    const attrs = { L: lengths ? 1 : 0, T: { type } };
    const [c, a] = executeTyped(backend, "ZooAdditiveAttention", attrs, tensors, 2);
    return [c, a, query, keys, v, values, a];
  });

  registerTensorflow("ZooAdditiveAttentionGrad", ({ dy, query, keys, v, values, a }, _, backend) => {
    const type = numbersOf(keys, backend);
    const tensors = [...single(dy), ...typed(query, keys, v, values, type), ...single(a)];
    return executeTyped(backend, "ZooAdditiveAttentionGrad", { T: { type } }, tensors, 4);
  });
}

const single = (...tensors: TensorInfo[]): [TensorInfo, Numbers][] => tensors.map((tensor) => [tensor, "float32"]);

const typed = (query: TensorInfo, keys: TensorInfo, v: TensorInfo, values: TensorInfo, type: Numbers) =>
  [...single(query), [keys, type], ...single(v, values)] as [TensorInfo, Numbers][];
