import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { densenetCifar, lenet5, resnetCifar, vggCifar } from "../index.ts";
import { BatchNorm, Conv2D } from "../layers/index.ts";
import { randomStream } from "../random.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";

beforeAll(() => tf.setBackend("cpu"));

/** Other weights and statistics than a new network's, under which folding could not be told from leaving out. */
function stirred(model: tfl.LayersModel): tfl.LayersModel {
  const random = randomStream(3, model.name);
  for (const variable of model.weights) {
    if (variable.shape.length !== 1) continue;
    const value = variable.originalName.endsWith("var") ? () => 0.5 + random.uniform() : () => random.normal();
    tf.tidy(() => {
      variable.write(tf.tensor1d(Array.from({ length: variable.shape[0] as number }, value)));
    });
  }
  return model;
}

const networks = {
  resnet: () => resnetCifar({ n: 1, widths: [4, 6, 8], shortcut: "B", inputShape: [8, 8, 3] }),
  vgg: () => vggCifar({ depths: [1, 2], widths: [4, 6], inputShape: [4, 4, 3] }),
  densenet: () => densenetCifar({ layers: 1, growth: 3, width: 4, inputShape: [4, 4, 3] }),
  lenet: () => lenet5(),
};

describe("foldBatchNorm", () => {
  it.each([
    ["resnet", 0],
    ["vgg", 0],
    ["densenet", 3],
    ["lenet", 0],
  ] as const)("of a %s gives equal outputs and leaves %i batch norms", (name, left) => {
    const model = stirred(networks[name]());
    const before = tf.memory().numTensors;
    const folded = foldBatchNorm(model);
    expect(folded.layers.filter((layer) => layer instanceof BatchNorm).length).toBe(left);
    const shape = model.inputs[0].shape.slice(1) as number[];
    const random = randomStream(1, name);
    const x = tf.tensor(
      Float32Array.from({ length: 2 * tf.util.sizeFromShape(shape) }, () => random.normal()),
      [2, ...shape],
    );
    const [expected, actual] = [model, folded].map((m) => tf.tidy(() => (m.apply(x) as tf.Tensor).dataSync()));
    const largest = Math.max(...expected.map(Math.abs));
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i])));
    expect(worst / largest).toBeLessThan(1e-5);
    x.dispose();
    folded.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it("keeps a batch norm whose convolution is read elsewhere too", () => {
    const input = tfl.input({ shape: [4, 4, 3] });
    const convolved = new Conv2D({ name: "conv", filters: 2, kernelSize: 1 }).apply(input) as tfl.SymbolicTensor;
    const normal = new BatchNorm({ name: "norm" }).apply(convolved) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: [convolved, normal] });
    const folded = foldBatchNorm(model);
    expect(folded.layers.map(({ name }) => name)).toContain("norm");
    folded.dispose();
    model.dispose();
  });
});
