/**
 * The two networks that a course begins with: a multilayer perceptron (Rumelhart, Hinton & Williams 1986) for digits,
 * and a small convolutional network for CIFAR, three times convolution, ReLU and pooling. Every layer is one that the
 * larger networks use too.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { heNormal, initialize, lecunUniform } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import { Conv2D, Dense, Flatten, MaxPool2D, ReLU } from "../layers/index.ts";
import { type BuildOptions, classifier } from "../model-entry.ts";

/**
 * @returns [batch, 28, 28, 1] -> logits [batch, classes]
 */
export function mlp({ classes = 10, seed = 0, inputShape = [28, 28, 1] }: BuildOptions = {}): tfl.LayersModel {
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const logits = chain(
    images,
    new Flatten({ name: "flatten" }), // [batch, 784]
    new Dense({ name: "fc1", units: 256 }),
    new ReLU({ name: "relu1" }),
    new Dense({ name: "fc2", units: 128 }),
    new ReLU({ name: "relu2" }),
    new Dense({ name: "fc3", units: classes }), // [batch, classes]
  );
  return initialized(images, logits, "mlp", seed);
}

/**
 * @returns [batch, 32, 32, 3] -> logits [batch, classes]
 */
export function smallCnn({ classes = 10, seed = 0, inputShape = [32, 32, 3] }: BuildOptions = {}): tfl.LayersModel {
  const images = tfl.input({ shape: [...inputShape], name: "input" });
  const logits = chain(
    images,
    new Conv2D({ name: "conv1", filters: 32, kernelSize: 3, padding: 1 }), // [batch, 32, 32, 32]
    new ReLU({ name: "relu1" }),
    new MaxPool2D({ name: "pool1", poolSize: 2 }), // [batch, 16, 16, 32]
    new Conv2D({ name: "conv2", filters: 64, kernelSize: 3, padding: 1 }),
    new ReLU({ name: "relu2" }),
    new MaxPool2D({ name: "pool2", poolSize: 2 }), // [batch, 8, 8, 64]
    new Conv2D({ name: "conv3", filters: 128, kernelSize: 3, padding: 1 }),
    new ReLU({ name: "relu3" }),
    new MaxPool2D({ name: "pool3", poolSize: 2 }), // [batch, 4, 4, 128]
    new Flatten({ name: "flatten" }), // [batch, 2048]
    new Dense({ name: "fc", units: classes }), // [batch, classes]
  );
  return initialized(images, logits, "small-cnn", seed);
}

function initialized(images: tfl.SymbolicTensor, logits: tfl.SymbolicTensor, name: string, seed: number | null) {
  const model = tfl.model({ inputs: images, outputs: logits, name });
  return initialize(model, seed, { conv: heNormal(), dense: lecunUniform });
}

export const firstSteps = [
  classifier({
    name: "mlp",
    family: "first steps",
    summary: "a multilayer perceptron for digits",
    inputShape: [28, 28, 1],
    classes: 10,
    params: 235_146,
    macs: 234_752,
    build: mlp,
  }),
  classifier({
    name: "small-cnn",
    family: "first steps",
    summary: "a small convolutional network, to begin with",
    inputShape: [32, 32, 3],
    classes: 10,
    params: 113_738,
    macs: 10_342_400,
    build: smallCnn,
  }),
];
