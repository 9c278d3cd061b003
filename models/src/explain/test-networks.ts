import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { densenetCifar, foldBatchNorm, lenet5, resnetCifar, vggCifar } from "../index.ts";
import { randomStream } from "../random.ts";

/** Small networks of the zoo whose statistics and biases are not those of new ones. */
export const testNetworks = {
  resnet: () => stirred(resnetCifar({ n: 1, widths: [4, 6, 8], inputShape: [8, 8, 3], classes: 4 })),
  "resnet, folded": () => foldedOf(testNetworks.resnet()),
  vgg: () => stirred(vggCifar({ depths: [1, 2], widths: [4, 6], inputShape: [8, 8, 3], classes: 4 })),
  densenet: () => stirred(densenetCifar({ layers: 1, growth: 3, width: 4, inputShape: [8, 8, 3], classes: 4 })),
  lenet: () => stirred(lenet5({ inputShape: [14, 14, 1], classes: 4 })),
};

export type TestNetwork = keyof typeof testNetworks;

function foldedOf(model: tfl.LayersModel): tfl.LayersModel {
  const folded = foldBatchNorm(model);
  model.dispose();
  return folded;
}

function stirred(model: tfl.LayersModel): tfl.LayersModel {
  const random = randomStream(3, model.name);
  for (const variable of model.weights) {
    if (variable.shape.length !== 1) continue;
    const value = variable.originalName.endsWith("var") ? () => 0.5 + random.uniform() : () => 0.3 * random.normal();
    tf.tidy(() => {
      variable.write(tf.tensor1d(Array.from({ length: variable.shape[0] as number }, value)));
    });
  }
  return model;
}

/** Images that a network takes, of normally distributed pixels. */
export function testImages(model: tfl.LayersModel, batch = 2, seed = 1): tf.Tensor4D {
  const shape = [batch, ...(model.inputs[0].shape.slice(1) as number[])] as [number, number, number, number];
  return normalTensor(shape, seed) as tf.Tensor4D;
}

export function normalTensor(shape: number[], seed: number): tf.Tensor {
  const random = randomStream(seed, "test");
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );
}

/** Runs what makes tensors, and says how many it left behind. */
export function tensorsLeftBy(body: () => void): number {
  const before = tf.memory().numTensors;
  body();
  return tf.memory().numTensors - before;
}
