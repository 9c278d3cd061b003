/**
 * Our networks against PyTorch in float64: forward in inference and in training, loss, every gradient, three steps of SGD.
 *
 * An error must stay under 1e-4 (a wrong backward is off by 1e-2 and more; float32 through twenty layers by 1e-6), or
 * under three times what PyTorch's own float32 shows where that is more.
 */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import {
  airbench94,
  alexnet,
  alexnet2012,
  convnext,
  createModel,
  densenet,
  densenetCifar,
  foldBatchNorm,
  inceptionV3,
  mlpMixer,
  preactResnetCifar,
  resnet,
  resnetCifar,
  vgg,
  vggCifar,
  vit,
} from "@tfjs-zoo/models";
import { type StateEntry, stateDict, toTorch } from "@tfjs-zoo/models/weights";
import { classification, sgd, Trainer, weightsAndBiases } from "@tfjs-zoo/training";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "./backend-starts.ts";
import {
  batchOf,
  errorOf,
  type Fixture,
  fillNetwork,
  fixtures,
  fullSizeFolder,
  type Summaries,
  summarise,
} from "./fixture.ts";

const TOLERANCE = 1e-4;

const backends = fullSizeFolder ? (["tensorflow"] as const) : (["tensorflow", "wasm", "cpu"] as const);

describe.each(backends)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  // The plain cpu backend takes minutes for the wide networks. Training multiplies rounding a hundredfold on its way through
  // Inception, which has no shortcuts, and sums on wasm round more; inception/inception.test.ts runs it there in inference.
  const unsuited = { tensorflow: "none", wasm: "inception", cpu: "resnet20" }[backend];
  const suited = fixtures().filter(({ name }) => !name.startsWith(unsuited));
  describe.each(suited)("$name", (fixture) => parity(fixture, () => starts));
});

function parity(fixture: Fixture, starts: () => boolean): void {
  const { inputShape, labelSmoothing, float32 } = fixture;
  const limit = (torchFloat32 = 0): number => Math.max(TOLERANCE, 3 * torchFloat32);

  it("computes PyTorch's logits in inference, with batch norms folded too", async ({ skip }) => {
    if (!starts()) skip();
    const model = freshModel(fixture);
    const folded = foldBatchNorm(model);
    const { images, size } = batchOf(fixture, 0);
    const inputs = tf.tensor(images, [size, ...inputShape]);
    for (const network of [model, folded]) {
      const logits = network.predict(inputs) as tf.Tensor;
      expect(worstOf(await logits.data(), fixture.inference)).toBeLessThan(limit(float32.inference));
      tf.dispose(logits);
      network.dispose();
    }
    inputs.dispose();
  });

  it("computes PyTorch's logits, loss and gradients", async ({ skip }) => {
    if (!starts()) skip();
    const model = freshModel(fixture);
    const { images, labels, size } = batchOf(fixture, 0);
    const inputs = tf.tensor(images, [size, ...inputShape]) as tf.Tensor4D;
    const logits = tf.tidy(() => model.apply(inputs, { training: true }) as tf.Tensor);
    expect(worstOf(await logits.data(), fixture.logits)).toBeLessThan(limit(float32.logits));

    const { updates } = classification(model, inputShape, { labelSmoothing });
    const [{ loss }] = updates;
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const labelTensor = tf.tensor1d(labels, "int32");
    const { value, grads } = tf.variableGrads(() => loss({ images: inputs, labels: labelTensor }).loss, variables);
    expect(Math.abs((await value.data())[0] - fixture.loss) / fixture.loss).toBeLessThan(limit(float32.loss));

    const trainable = stateDict(model).filter(({ variable }) => variable.trainable);
    const gradients = await summaries(
      fixture,
      trainable,
      ({ variable }) => grads[(variable.read() as tf.Variable).name],
    );
    const { name, error } = errorOf(gradients, fixture.gradients);
    expect(error, `gradient of ${name}`).toBeLessThan(limit(float32.gradients));
    tf.dispose([inputs, logits, labelTensor, value, grads]);
    model.dispose();
  });

  it("is where PyTorch is after three steps of SGD", async ({ skip }) => {
    if (!starts()) skip();
    const { momentum, weightDecay, learningRate, steps, seed } = fixture;
    const model = freshModel(fixture);
    const task = classification(model, inputShape, { labelSmoothing });
    const trainer = new Trainer(task, { groups: weightsAndBiases(sgd({ momentum }), { weightDecay }), seed });
    for (let step = 0; step < steps; step++) {
      await trainer.takeStep([batchOf(fixture, step)], learningRate);
      if (step > 0 || Object.keys(fixture.statistics).length === 0) continue;
      const running = stateDict(model).filter(({ name }) => name.includes(".running_"));
      const { name, error } = errorOf(await summaries(fixture, running), fixture.statistics);
      expect(error, name).toBeLessThan(limit(float32.statistics));
    }
    const { name, error } = errorOf(await summaries(fixture, stateDict(model)), fixture.after);
    expect(error, name).toBeLessThan(limit(float32.after));
    trainer.dispose();
    model.dispose();
  });
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}

/** The fixture's network with the fixture's weights. */
function freshModel(fixture: Fixture): tfl.LayersModel {
  const options = { ...fixture.options, inputShape: fixture.inputShape };
  const builders: { [name: string]: (options: object) => tfl.LayersModel } = {
    airbench94,
    alexnet,
    alexnet2012,
    convnext,
    densenet,
    densenetCifar,
    inceptionV3,
    mlpMixer,
    preactResnetCifar,
    resnet,
    resnetCifar,
    vgg,
    vggCifar,
    vit,
  };
  const build = builders[fixture.model] ?? ((given: object) => createModel(fixture.model, given));
  const model = build(options);
  fillNetwork(model, fixture);
  return model;
}

/** Summaries of weights, or of another tensor of each, in PyTorch's layout. */
async function summaries(
  fixture: Fixture,
  entries: StateEntry[],
  tensorOf = ({ variable }: StateEntry): tf.Tensor => variable.read(),
): Promise<Summaries> {
  const results: Summaries = {};
  for (const entry of entries) {
    const values = (await tensorOf(entry).data()) as Float32Array;
    results[entry.name] = summarise(
      fixture,
      entry.name,
      toTorch(values, entry.variable.shape as number[], entry.layout),
    );
  }
  return results;
}
