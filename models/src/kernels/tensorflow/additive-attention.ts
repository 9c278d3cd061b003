import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { checkAdditive } from "../../ops/additive-attention.ts";
import { type Inputs, registerTensorflow } from "./backend.ts";
import { executeTyped, isBf16, type Numbers, numbersOf } from "./bf16.ts";

type Given = { [name in "query" | "keys" | "v" | "values"]: Tensor } & { lengths?: Tensor };

/**
 * Additive attention by training/native/additive-attention.h, which keeps nothing of the size [queries, places, d], and all
 * steps of an LSTM that looks by it in one op (attentive-lstm.h). Keys, and what the steps get of x, may be in bf16, as the
 * layers that make them do.
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

  registerTensorflow("ZooAttentiveLstmSteps", (inputs, _, backend) => {
    const { projected, h0, c0, weight, queryWeight, queryBias, keys, v, values, lengths } = inputs as Inputs;
    const [ofX, ofKeys] = [projected, keys].map((tensor) => numbersOf(tensor, backend));
    const tensors: [TensorInfo, Numbers][] = [
      [projected, ofX],
      ...single(h0, c0, weight, queryWeight, queryBias),
      [keys, ofKeys],
      ...single(v, values, ...(lengths ? [lengths] : [])),
    ];
    const attrs = { bf16: isBf16(), L: lengths ? 1 : 0, X: { type: ofX }, T: { type: ofKeys } };
    return executeTyped(backend, "ZooAttentiveLstm", attrs, tensors, 7);
  });

  registerTensorflow("ZooAttentiveLstmStepsGrad", (inputs, _, backend) => {
    const { dy, dseen, activations, cBefore, looked, queries, weight, queryWeight, keys, v, values } = inputs;
    const type = numbersOf(keys, backend);
    const tensors: [TensorInfo, Numbers][] = [
      ...single(dy, dseen, activations, cBefore, looked, queries, weight, queryWeight),
      [keys, type],
      ...single(v, values),
    ];
    return executeTyped(backend, "ZooAttentiveLstmGrad", { bf16: isBf16(), T: { type } }, tensors, 7);
  });
}

const single = (...tensors: TensorInfo[]): [TensorInfo, Numbers][] => tensors.map((tensor) => [tensor, "float32"]);

const typed = (query: TensorInfo, keys: TensorInfo, v: TensorInfo, values: TensorInfo, type: Numbers) =>
  [...single(query), [keys, type], ...single(v, values)] as [TensorInfo, Numbers][];
