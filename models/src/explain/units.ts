import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { stateDict } from "../weights/names.ts";
import { compute, inputValues } from "./graph-values.ts";
import { computingLayers, endsInReLU, outputOf } from "./layers.ts";

type Layer = tfl.layers.Layer;

/** What a layer gave over a set of images. A unit is a channel of a map, or one number of a vector. */
export interface LayerUnits {
  layer: string;
  units: number;
  mean: number;
  /** standard deviation over images, places and units */
  std: number;
  /** share of outputs that are 0, 0 to 1 */
  zeros: number;
  /** units of a ReLU that gave 0 for every image at every place; absent where there is no ReLU */
  dead?: number;
}

/** A weight, and the gradient of the mean loss over the set with respect to it: Euclidean norms. */
export interface WeightGradient {
  /** PyTorch's name: `layer1.0.conv1.weight` */
  weight: string;
  shape: number[];
  norm: number;
  gradientNorm: number;
  /** gradientNorm / norm; 0 where both are 0 */
  ratio: number;
}

export interface UnitReport {
  images: number;
  /** nats, mean over the set */
  loss: number;
  layers: LayerUnits[];
  weights: WeightGradient[];
}

/** Sums over images and places, of each unit: [units] each. */
type Sums = {
  sum: tf.Tensor1D;
  squares: tf.Tensor1D;
  zeros: tf.Tensor1D;
  /** how many outputs a unit gave */
  outputs: number;
};

/**
 * Gathers, batch after batch, what each layer's units do and how the gradient flows to each weight, in inference: as
 * the network stands, and for the whole set rather than a step's batch. Dead units (Maas et al. 2013, sec. 2) and
 * gradients that vanish on their way to the first layers (Glorot & Bengio 2010, sec. 4.2) show here.
 *
 * `dispose` it at the end.
 */
export class UnitGatherer {
  private readonly layers: Layer[];
  private readonly weights: { name: string; variable: tf.Variable }[];
  private readonly sums = new Map<string, Sums>();
  private readonly gradients = new Map<string, tf.Tensor>(); // by weight, of the summed loss
  private images = 0;
  private loss = 0;

  constructor(private readonly model: tfl.LayersModel) {
    this.layers = computingLayers(model);
    this.weights = stateDict(model)
      .filter(({ variable }) => model.trainableWeights.includes(variable))
      .map(({ name, variable }) => ({ name, variable: variable.read() as tf.Variable }));
  }

  /**
   * @param images [batch, height, width, channels], normalised
   * @param labels int32 [batch]
   */
  add(images: tf.Tensor4D, labels: tf.Tensor1D): void {
    const [batch] = images.shape;
    this.addOutputs(images);
    const variables = this.weights.map(({ variable }) => variable);
    const { value, grads } = tf.variableGrads(() => {
      const logits = this.model.apply(images, { training: false }) as tf.Tensor2D;
      return tf.mul(softmaxCrossEntropy({ logits, labels }), batch) as tf.Scalar;
    }, variables);
    for (const { name, variable } of this.weights) {
      const [before, gradient] = [this.gradients.get(name), grads[variable.name]];
      this.gradients.set(name, before === undefined ? tf.keep(gradient) : plus(before, gradient));
    }
    this.loss += value.dataSync()[0];
    value.dispose();
    this.images += batch;
  }

  private addOutputs(images: tf.Tensor4D): void {
    const found = tf.tidy(() => {
      const values = inputValues(this.model, images);
      return this.layers.map((layer) => sumsOf(compute(outputOf(layer), values)));
    });
    for (const [i, { name }] of this.layers.entries()) {
      const before = this.sums.get(name);
      this.sums.set(name, before === undefined ? kept(found[i]) : joined(before, found[i]));
    }
  }

  /** What the batches so far come to. */
  report(): UnitReport {
    return {
      images: this.images,
      loss: this.loss / this.images,
      layers: this.layers.map((layer) => layerUnits(layer, this.sums.get(layer.name) as Sums)),
      weights: this.weights.map(({ name, variable }) => {
        const [norm, ofSum] = [variable, this.gradients.get(name) as tf.Tensor].map((tensor) =>
          tf.tidy(() => tf.norm(tensor).dataSync()[0]),
        );
        const gradientNorm = ofSum / this.images;
        return { weight: name, shape: variable.shape, norm, gradientNorm, ratio: norm === 0 ? 0 : gradientNorm / norm };
      }),
    };
  }

  dispose(): void {
    for (const { sum, squares, zeros } of this.sums.values()) tf.dispose([sum, squares, zeros]);
    tf.dispose([...this.gradients.values()]);
    this.sums.clear();
    this.gradients.clear();
  }
}

function layerUnits(layer: Layer, sums: Sums): LayerUnits {
  const [sum, squares, zeros] = [sums.sum, sums.squares, sums.zeros].map((tensor) => tensor.dataSync());
  const units = sum.length;
  const total = units * sums.outputs;
  const overAll = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / total;
  const mean = overAll(sum);
  return {
    layer: layer.name,
    units,
    mean,
    std: Math.sqrt(Math.max(0, overAll(squares) - mean * mean)),
    zeros: overAll(zeros),
    ...(endsInReLU(layer) && { dead: Array.from(zeros).filter((count) => count === sums.outputs).length }),
  };
}

/** @param output [batch, ..., units] */
function sumsOf(output: tf.Tensor): Sums {
  const units = output.shape[output.rank - 1];
  const each = tf.reshape<tf.Rank.R2>(output, [-1, units]); // [batch · places, units]
  return {
    sum: tf.sum(each, 0),
    squares: tf.sum(tf.square(each), 0),
    zeros: tf.sum(tf.cast(tf.equal(each, 0), "float32"), 0),
    outputs: each.shape[0],
  };
}

function kept(sums: Sums): Sums {
  for (const tensor of [sums.sum, sums.squares, sums.zeros]) tf.keep(tensor);
  return sums;
}

const joined = (a: Sums, b: Sums): Sums => ({
  sum: plus(a.sum, b.sum),
  squares: plus(a.squares, b.squares),
  zeros: plus(a.zeros, b.zeros),
  outputs: a.outputs + b.outputs,
});

/** a + b in place of both; it outlives a tidy. */
function plus<T extends tf.Tensor>(a: T, b: T): T {
  const sum = tf.keep(tf.add(a, b) as T);
  tf.dispose([a, b]);
  return sum;
}
