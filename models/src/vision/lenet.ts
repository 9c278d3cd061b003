/**
 * LeNet-5 (LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition", sec. II.B),
 * in the form of today's courses: ReLU for the scaled tanh, max pooling for trainable sub-sampling, a full C3, and a
 * softmax for the radial basis functions. 61,706 parameters.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Conv2D, Dense, Flatten, MaxPool2D, ReLU } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

/**
 * @returns [batch, 28, 28, 1] -> logits [batch, classes]
 */
export function lenet5({ classes = 10, seed = 0, inputShape = [28, 28, 1] }: BuildOptions = {}): tfl.LayersModel {
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const logits = chain(
    images, // [batch, 28, 28, 1]; the paper's 32×32 is this with a border of 2
    new Conv2D({ name: "conv1", filters: 6, kernelSize: 5, padding: 2 }), // C1 [batch, 28, 28, 6]
    new ReLU({ name: "relu1" }),
    new MaxPool2D({ name: "pool1", poolSize: 2 }), // S2 [batch, 14, 14, 6]
    new Conv2D({ name: "conv2", filters: 16, kernelSize: 5 }), // C3 [batch, 10, 10, 16]
    new ReLU({ name: "relu2" }),
    new MaxPool2D({ name: "pool2", poolSize: 2 }), // S4 [batch, 5, 5, 16]
    new Flatten({ name: "flatten" }), // [batch, 400]
    new Dense({ name: "fc1", units: 120 }), // C5 [batch, 120]
    new ReLU({ name: "relu3" }),
    new Dense({ name: "fc2", units: 84 }), // F6 [batch, 84]
    new ReLU({ name: "relu4" }),
    new Dense({ name: "fc3", units: classes }), // [batch, classes]
  );
  const model = tfl.model({ inputs: images, outputs: logits, name: "lenet5" });
  return initialize(model, seed, { conv: heNormal(), dense: lecunUniform });
}

export const lenets = [
  classifier({
    name: "lenet5",
    family: "lenet",
    summary: "LeNet-5 with ReLU and max pooling",
    inputShape: [28, 28, 1],
    classes: 10,
    params: 61_706,
    macs: 416_520,
    build: lenet5,
  }),
];
