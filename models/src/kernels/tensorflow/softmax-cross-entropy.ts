import { scalar, tidy } from "@tensorflow/tfjs-core";
import { opAttrs, registerTensorflow } from "./backend.ts";

/**
 * Softmax cross-entropy on SoftmaxCrossEntropyWithLogits, which returns the losses and p − q together.
 */
export function registerSoftmaxCrossEntropy(): void {
  registerTensorflow<{ labelSmoothing?: number }>(
    "ZooSoftmaxCrossEntropy",
    ({ logits, labels }, { labelSmoothing = 0 }, backend) =>
      tidy(() => {
        const [, classes] = logits.shape;
        const floor = labelSmoothing / classes;
        const float = { type: "float32" } as const;
        const q = backend.executeSingleOutput(
          "OneHot",
          opAttrs(backend, { T: float, TI: { type: "int32" }, axis: -1 }),
          [labels, scalar(classes, "int32"), scalar(1 - labelSmoothing + floor), scalar(floor)],
        ); // [batch, classes]
        const [losses, residual] = backend.executeMultipleOutputs(
          "SoftmaxCrossEntropyWithLogits",
          opAttrs(backend, { T: float }),
          [logits, q],
          2,
        ); // [batch], [batch, classes]
        const mean = backend.executeSingleOutput(
          "Mean",
          opAttrs(backend, { T: float, Tidx: { type: "int32" }, keep_dims: false }),
          [losses, scalar(0, "int32")],
        );
        return [mean, residual];
      }),
  );
}
