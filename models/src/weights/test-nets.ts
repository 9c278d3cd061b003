/** Small networks that the tests of this folder share. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import {
  Add,
  AvgPool2D,
  BatchNorm,
  Conv2D,
  Dense,
  DepthwiseConv2D,
  Dropout,
  Flatten,
  GlobalAvgPool2D,
  MaxPool2D,
  ReLU,
  ShortcutA,
} from "../layers/index.ts";

type Layer = tfl.layers.Layer;

/** Applies layers one after the other. */
export function chain(input: tfl.SymbolicTensor, ...layers: Layer[]): tfl.SymbolicTensor {
  return layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
}

/** Two residual blocks, one with option A's shortcut and one with a projection, as PyTorch code names them. */
export function tinyResNet(name = "tiny-resnet", { channels = 6 } = {}): tfl.LayersModel {
  const input = tfl.input({ shape: [9, 8, 3], name: "input" });
  const block = (x: tfl.SymbolicTensor, path: string, filters: number, stride: number, shortcut: Layer[]) => {
    const main = chain(
      x,
      new Conv2D({ name: `${path}.conv1`, filters, kernelSize: 3, strides: stride, padding: 1, useBias: false }),
      new BatchNorm({ name: `${path}.bn1` }),
      new ReLU({ name: `${path}.relu1` }),
      new Conv2D({ name: `${path}.conv2`, filters, kernelSize: 3, padding: 1, useBias: false }),
      new BatchNorm({ name: `${path}.bn2` }),
    );
    const sum = new Add({ name: `${path}.add` }).apply([main, chain(x, ...shortcut)]) as tfl.SymbolicTensor;
    return chain(sum, new ReLU({ name: `${path}.relu2` }));
  };
  let x = chain(
    input,
    new Conv2D({ name: "conv1", filters: 4, kernelSize: 3, padding: 1, useBias: false }),
    new BatchNorm({ name: "bn1" }),
    new ReLU({ name: "relu" }),
    new MaxPool2D({ name: "maxpool", poolSize: 3, strides: 2, padding: 1 }),
  );
  x = block(x, "layer1.0", channels, 2, [new ShortcutA({ name: "layer1.0.shortcut", stride: 2, channels })]);
  x = block(x, "layer2.0", 8, 2, [
    new Conv2D({ name: "layer2.0.downsample.0", filters: 8, kernelSize: 1, strides: 2, useBias: false }),
    new BatchNorm({ name: "layer2.0.downsample.1" }),
  ]);
  const output = chain(x, new GlobalAvgPool2D({ name: "avgpool" }), new Dense({ name: "fc", units: 5 }));
  return scatter(tfl.model({ inputs: input, outputs: output, name }));
}

/** Convolutions, pools and a dense part, in LeNet's manner. */
export function tinyLeNet(): tfl.LayersModel {
  const input = tfl.input({ shape: [12, 10, 2] });
  const output = chain(
    input,
    new Conv2D({ name: "conv1", filters: 3, kernelSize: [5, 3], padding: [2, 0], strides: [1, 2] }),
    new ReLU({ name: "relu1" }),
    new AvgPool2D({ name: "pool1", poolSize: 2, padding: 1 }),
    new Conv2D({ name: "conv2", filters: 4, kernelSize: 3, padding: 2, dilation: 2 }),
    tfl.layers.activation({ name: "tanh", activation: "tanh" }),
    new MaxPool2D({ name: "pool2", poolSize: [3, 3], strides: 1, padding: 1 }),
    new DepthwiseConv2D({ name: "dw", kernelSize: 3, strides: 1, padding: 1, depthMultiplier: 2 }),
    new Flatten({ name: "flatten" }),
    new Dropout({ name: "dropout", rate: 0.5 }),
    new Dense({ name: "fc", units: 6, useBias: false }),
  );
  return scatter(tfl.model({ inputs: input, outputs: output, name: "tiny-lenet" }));
}

/** Gives every weight distinct values without pattern; variances stay positive. */
export function scatter(model: tfl.LayersModel): tfl.LayersModel {
  let seed = 1;
  for (const variable of model.weights) {
    const shape = variable.shape as number[];
    const value = variable.originalName.endsWith("running_var")
      ? tf.randomUniform(shape, 0.5, 1.5, "float32", seed++)
      : tf.randomNormal(shape, 0, 0.5, "float32", seed++);
    variable.write(value);
    value.dispose();
  }
  return model;
}

/** A batch of inputs for a model. */
export function inputFor(model: tfl.LayersModel): tf.Tensor {
  return tf.randomNormal([2, ...(model.inputs[0].shape.slice(1) as number[])], 0, 1, "float32", 7);
}

/** The largest difference of two tensors, relative to the largest value of the second. */
export function relativeError(actual: tf.Tensor, expected: tf.Tensor): number {
  const values = expected.dataSync();
  const largest = Math.max(...values.map(Math.abs));
  return Math.max(...actual.dataSync().map((x, i) => Math.abs(x - values[i]))) / largest;
}
