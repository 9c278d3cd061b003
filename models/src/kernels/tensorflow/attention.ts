import { fill, ones, type Tensor, type TensorInfo } from "@tensorflow/tfjs-core";
import { type AttentionAttrs, checkAttention } from "../../ops/attention.ts";
import { scaleOf } from "../../ops/attention-scores.ts";
import { type Inputs, registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, type Numbers, numbersOf } from "./bf16.ts";

/** Attention by training/native/attention.h, which does not compute what is masked. Tokens may be in bf16. */
export function registerAttention(): void {
  for (const lean of [false, true]) {
    const op = lean ? "ZooAttentionLean" : "ZooAttention";

    registerTensorflow<AttentionAttrs>(op, (inputs, attrs, backend) => {
      const { q, k, v, lengths, bias, dropout } = inputs as Attended;
      checkAttention({ q, k, v, lengths, bias, dropout }, attrs);
      const halves = [q, k, v].every((tensor) => numbersOf(tensor, backend) === "bfloat16");
      const type = halves ? "bfloat16" : "float32";
      const [o, kept] = execute(
        op,
        backend,
        attrs,
        type,
        [
          [q, type],
          [k, type],
          [v, type],
        ],
        inputs,
        2,
      );
      const saved = [q, k, v].map((tensor) => tensor as Tensor);
      // What is saved has its places: where only the last of two is there, the first says that nothing is masked or dropped.
      const { shape } = k;
      const first = lean ? (lengths ?? fill([shape[0]], shape[1], "int32")) : (dropout ?? ones([1, 1, 1, 1]));
      return [o, ...saved, kept, ...(bias ? [first, bias] : (lean ? lengths : dropout) ? [first] : [])] as Tensor[];
    });

    registerTensorflow<AttentionAttrs>(`${op}Grad`, (inputs, attrs, backend) => {
      const { dy, q, k, v, p, logSums, bias } = inputs as Attended & { dy: TensorInfo } & Inputs;
      const halves = [q, k, v].every((tensor) => numbersOf(tensor, backend) === "bfloat16");
      const type = halves ? "bfloat16" : "float32";
      const tokens = [dy, q, k, v].map((tensor): [TensorInfo, Numbers] => [tensor, type]);
      const kept: [TensorInfo, Numbers] = lean ? [logSums, "float32"] : [p, type];
      return execute(`${op}Grad`, backend, attrs, type, [...tokens, kept], inputs, bias ? 4 : 3);
    });
  }
}

type Attended = { q: TensorInfo; k: TensorInfo; v: TensorInfo } & {
  [name in "lengths" | "bias" | "dropout"]?: TensorInfo;
};

function execute(
  op: string,
  backend: TensorflowBackend,
  attrs: AttentionAttrs,
  type: Numbers,
  first: readonly (readonly [TensorInfo, Numbers])[],
  { lengths, bias, dropout, ...rest }: Inputs,
  outputs: number,
): Tensor[] {
  const extras = [lengths, bias, dropout];
  const [with_lengths, with_bias, with_dropout] = extras.map((tensor) => (tensor === undefined ? 0 : 1));
  const { heads = 1, causal = false } = attrs;
  const scale = { float: scaleOf(rest.q, attrs) };
  const all = { heads, causal, scale, with_lengths, with_bias, with_dropout, T: { type } };
  const given = extras.filter((tensor) => tensor !== undefined);
  return executeTyped(backend, op, all, [...first, ...given.map((tensor) => [tensor, "float32"] as const)], outputs);
}
