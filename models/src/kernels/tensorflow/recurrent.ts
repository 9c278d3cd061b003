import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type Inputs, registerTensorflow } from "./backend.ts";
import { executeTyped, isBf16, type Numbers, numbersOf } from "./bf16.ts";

interface RecurrentAttrs {
  reverse?: boolean;
}

/**
 * The recursions of recurrent cells, all steps in one op (training/native/rnn.h, lstm.h, gru.h): models/src/ops/rnn.ts,
 * lstm.ts and gru.ts look for them. The products outside of the recursions are those of dense layers, and x W may be in
 * bf16 as they are; states and gates are in single precision.
 */
export function registerRecurrent(): void {
  registerTensorflow<RecurrentAttrs & { activation?: string }>("ZooRnnSteps", (inputs, attrs, backend) => {
    const { projected, h0, weightHh } = inputs;
    const type = numbersOf(projected, backend);
    const all = { ...flags(attrs, inputs), relu: attrs.activation === "relu", T: { type } };
    return executeTyped(backend, "ZooRnn", all, [[projected, type], ...given(h0, weightHh, inputs.lengths)], 3);
  });

  registerTensorflow<RecurrentAttrs & { activation?: string }>("ZooRnnStepsGrad", (inputs, attrs, backend) => {
    const { dy, dh, y, weightHh } = inputs;
    const all = { ...flags(attrs, inputs), relu: attrs.activation === "relu" };
    return executeTyped(backend, "ZooRnnGrad", all, given(dy, dh, y, weightHh, inputs.lengths), 2);
  });

  registerTensorflow<RecurrentAttrs & { coupled?: boolean }>("ZooLstmSteps", (inputs, attrs, backend) => {
    const { projected, h0, c0, weightHh, peephole } = inputs;
    const type = numbersOf(projected, backend);
    const all = { ...flags(attrs, inputs), coupled: attrs.coupled === true, peepholes: count(peephole), T: { type } };
    return executeTyped(
      backend,
      "ZooLstm",
      all,
      [[projected, type], ...given(h0, c0, weightHh, peephole, inputs.lengths)],
      6,
    );
  });

  registerTensorflow<RecurrentAttrs & { coupled?: boolean }>("ZooLstmStepsGrad", (inputs, attrs, backend) => {
    const { dy, dh, dc, activations, cBefore, weightHh, peephole } = inputs;
    const all = { ...flags(attrs, inputs), coupled: attrs.coupled === true, peepholes: count(peephole) };
    const tensors = given(dy, dh, dc, activations, cBefore, weightHh, peephole, inputs.lengths);
    return executeTyped(backend, "ZooLstmGrad", all, tensors, 3);
  });

  registerTensorflow<RecurrentAttrs & { resetAfter: boolean }>("ZooGruSteps", (inputs, attrs, backend) => {
    const { projected, h0, weightHh, bias } = inputs;
    const type = numbersOf(projected, backend);
    const all = { ...flags(attrs, inputs), reset_after: attrs.resetAfter, biases: count(bias), T: { type } };
    return executeTyped(backend, "ZooGru", all, [[projected, type], ...given(h0, weightHh, bias, inputs.lengths)], 4);
  });

  registerTensorflow<RecurrentAttrs & { resetAfter: boolean }>("ZooGruStepsGrad", (inputs, attrs, backend) => {
    const { dy, dh, activations, before, weightHh } = inputs;
    const hidden = attrs.resetAfter ? 1 : 0;
    const all = { ...flags(attrs, inputs), reset_after: attrs.resetAfter, hidden };
    const tensors = given(dy, dh, activations, before, weightHh, inputs.lengths);
    return executeTyped(backend, "ZooGruGrad", all, tensors, 2 + hidden);
  });
}

const flags = ({ reverse = false }: RecurrentAttrs, { lengths }: Inputs) => ({
  reverse,
  bf16: isBf16(),
  L: count(lengths),
});

const count = (optional: TensorInfo | undefined): number => (optional === undefined ? 0 : 1);

/** Those that there are, in single precision. */
const given = (...tensors: (TensorInfo | undefined)[]): [TensorInfo, Numbers][] =>
  tensors.filter((tensor) => tensor !== undefined).map((tensor) => [tensor, "float32"]);
