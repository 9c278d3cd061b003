import * as tf from "@tensorflow/tfjs-core";
import { createModel, findClassifier, InputError } from "@tfjs-zoo/models";
import { toStockModel } from "@tfjs-zoo/models/weights";
import { learningRate, momentum, noiseBatch } from "./workload.ts";

export interface StockStep {
  /** trainable parameters */
  params: number;
  step(): Promise<number>;
}

/**
 * The training of a model as a user of tf.layers writes it: the same network and first weights in stock layers,
 * `optimizer.minimize` of the stock loss on one-hot labels. It has no weight decay, which stock optimizers don't offer,
 * and its images stay on the backend: both are in its favour.
 *
 * @throws InputError when some layer has no stock equivalent
 */
export function stockStep(name: string, size: number): StockStep {
  const ours = createModel(name, { seed: 0 });
  const { model, reasons } = toStockModel(ours);
  ours.dispose();
  if (reasons.length > 0) throw new InputError(`${name} can't be built of stock layers: ${reasons[0]}`);

  const { inputShape, classes } = findClassifier(name);
  const batch = noiseBatch(name, size);
  const images = tf.tensor4d(batch.images, [size, ...inputShape]); // [batch, height, width, channels]
  const labels = tf.oneHot(tf.tensor1d(batch.labels, "int32"), classes); // [batch, classes]
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const optimizer = tf.train.momentum(learningRate, momentum);
  return {
    params: variables.reduce((sum, { size }) => sum + size, 0),

    async step() {
      const cost = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(labels, model.apply(images, { training: true }) as tf.Tensor2D),
        true,
        variables,
      ) as tf.Scalar;
      const [loss] = await cost.data();
      cost.dispose();
      return loss;
    },
  };
}
