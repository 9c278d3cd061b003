import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type BatchNormAttrs, batchNormInference, batchNormTraining } from "../ops/batch-norm.ts";
import { concatAll, concatOf } from "../ops/concat.ts";
import { conv2d } from "../ops/conv2d.ts";
import { isNested } from "../ops/differentiable.ts";
import { windowOutput } from "../ops/window.ts";
import { imageShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface ConcatNormConv2DConfig {
  name?: string;
  filters: number;
  kernelSize: number;
  /** zeros on either side, as in PyTorch */
  padding?: number;
}

const norm = { epsilon: 1e-5, momentum: 0.1, activation: "relu" } as const satisfies BatchNormAttrs;

/**
 * conv(relu(batchNorm([x₀, x₁, …]))), the step of DenseNet that sees all before it. As three layers, each step would keep
 * two copies of all that it sees for the backward pass: memory grows with the square of the depth. This one keeps
 * nothing but its inputs, which are there anyway, and computes the rest again (Pleiss, Chen, Huang et al. 2017,
 * "Memory-efficient implementation of DenseNets").
 *
 * Weights as PyTorch's two modules have them: norm1.weight, norm1.bias, norm1.running_mean, norm1.running_var [channels],
 * conv1.weight [kernelSize, kernelSize, channels, filters].
 *
 * [batch, height, width, channelsᵢ], … -> [batch, outHeight, outWidth, filters]
 */
export class ConcatNormConv2D extends ZooLayer {
  static readonly className = "ZooConcatNormConv2D";
  readonly filters: number;
  readonly kernelSize: number;
  readonly padding: number;
  private norm?: { [name in "gamma" | "beta" | "runningMean" | "runningVariance"]: tfl.LayerVariable };
  private filter?: tfl.LayerVariable;

  constructor(config: ConcatNormConv2DConfig) {
    super(config);
    this.filters = config.filters;
    this.kernelSize = config.kernelSize;
    this.padding = config.padding ?? 0;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const channels = this.channelsOf(inputShape);
    this.norm = {
      gamma: this.newWeight("norm1.weight", [channels], { fill: 1 }),
      beta: this.newWeight("norm1.bias", [channels]),
      runningMean: this.newWeight("norm1.running_mean", [channels], { trainable: false }),
      runningVariance: this.newWeight("norm1.running_var", [channels], { fill: 1, trainable: false }),
    };
    this.filter = this.newWeight("conv1.weight", [this.kernelSize, this.kernelSize, channels, this.filters]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const { gamma, beta, runningMean, runningVariance } = this.norm as NonNullable<typeof this.norm>;
    const filter = this.filter as tfl.LayerVariable;
    const attrs = { padding: this.padding };
    const parts = Array.isArray(inputs) ? inputs : [inputs];
    return tf.tidy(() => {
      const statistics = { runningMean: runningMean.read(), runningVariance: runningVariance.read() };
      const [g, b, w] = [gamma.read(), beta.read(), filter.read()];
      if (!kwargs.training || !this.trainable) {
        const normed = batchNormInference({ x: concatAll(parts), gamma: g, beta: b, ...statistics }, norm);
        return conv2d({ x: normed, filter: w }, attrs);
      }
      const forward = (xs: tf.Tensor[]) => {
        const operands = { x: concatAll(xs), gamma: g, beta: b, ...statistics };
        const [normed, newMean, newVariance, mean, variance] = batchNormTraining.all(operands, norm); // [batch, height, width, channels]
        runningMean.write(newMean);
        runningVariance.write(newVariance);
        return { y: conv2d({ x: normed, filter: w }, attrs), mean, variance };
      };
      // A gradient of this gradient is taken through the ops themselves.
      if (isNested()) return forward(parts).y;
      return tf.customGrad((...args) => {
        const save = args.pop() as unknown as tf.GradSaveFunc;
        const xs = args.slice(3) as tf.Tensor[];
        const { y, mean, variance } = forward(xs);
        save([...xs, mean, variance]);
        return { value: y, gradFunc: (dy, saved) => tf.tidy(() => gradients(dy, { xs: saved, g, b, w, attrs })) };
      })(g, b, w, ...parts);
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width] = imageShape(firstOf(inputShape), this.name);
    const { kernelSize: k, padding: p } = this;
    return [batch, windowOutput(height, k, 1, p), windowOutput(width, k, 1, p), this.filters];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { filters, kernelSize, padding } = this;
    return { ...super.getConfig(), filters, kernelSize, padding };
  }

  private channelsOf(inputShape: tfl.Shape | tfl.Shape[]): number {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    return shapes.reduce((sum, shape) => sum + imageShape(shape, this.name)[3], 0);
  }
}
tf.serialization.registerClass(ConcatNormConv2D);

const firstOf = (shape: tfl.Shape | tfl.Shape[]): tfl.Shape =>
  (Array.isArray(shape[0]) ? shape[0] : shape) as tfl.Shape;

interface Saved {
  /** the inputs, then the batch's mean and variance */
  xs: tf.Tensor[];
  g: tf.Tensor;
  b: tf.Tensor;
  w: tf.Tensor;
  attrs: { padding: number };
}

/** ∂L/∂γ, ∂L/∂β, ∂L/∂w, ∂L/∂x₀, …: each op's own backward pass, from what is computed again. */
function gradients(dy: tf.Tensor, { xs: saved, g, b, w, attrs }: Saved): tf.Tensor[] {
  const [xs, [mean, variance]] = [saved.slice(0, -2), saved.slice(-2)];
  const x = concatAll(xs); // [batch, height, width, channels]
  const statistics = { runningMean: mean, runningVariance: variance };
  const normed = batchNormInference({ x, gamma: g, beta: b, ...statistics }, norm);
  const { x: dnormed, filter: dw } = conv2d.backward(dy, { x: normed, filter: w }, attrs);
  const ofNorm = batchNormTraining.backward(dnormed as tf.Tensor, { x, gamma: g, beta: b, mean, variance }, norm);
  const parts = Object.fromEntries(xs.entries());
  const dxs = concatOf(xs.length).backward(ofNorm.x as tf.Tensor, parts);
  return [ofNorm.gamma, ofNorm.beta, dw, ...xs.map((_, i) => dxs[i])] as tf.Tensor[];
}
