import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type Activation, batchNormInference, batchNormTraining } from "../ops/batch-norm.ts";
import { ElementWise } from "./element-wise.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";

export interface BatchNormConfig {
  name?: string;
  /** weight of a batch in the running statistics, as in PyTorch */
  momentum?: number;
  epsilon?: number;
  /** `relu` for max(y, 0), in the same pass over memory */
  activation?: Activation;
  /** Whether γ is learned; else it stays 1. */
  scale?: boolean;
}

/**
 * Batch normalisation of the last axis: weight (γ), bias (β), running_mean, running_var, all [channels].
 * In training the batch's statistics are used and the running ones updated, unless the layer is frozen (`trainable` false).
 *
 * [..., channels] -> [..., channels]
 */
export class BatchNorm extends ElementWise {
  static readonly className = "ZooBatchNorm";
  readonly momentum: number;
  readonly epsilon: number;
  readonly activation: Activation;
  readonly scale: boolean;
  private gamma?: tfl.LayerVariable;
  private beta?: tfl.LayerVariable;
  private runningMean?: tfl.LayerVariable;
  private runningVariance?: tfl.LayerVariable;

  constructor(config: BatchNormConfig = {}) {
    super(config);
    this.momentum = config.momentum ?? 0.1;
    this.epsilon = config.epsilon ?? 1e-5;
    this.activation = config.activation ?? undefined; // null in a deserialised config
    this.scale = config.scale ?? true;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = [onlyShape(inputShape).at(-1) as number];
    this.gamma = this.newWeight("weight", shape, { fill: 1, trainable: this.scale });
    this.beta = this.newWeight("bias", shape);
    this.runningMean = this.newWeight("running_mean", shape, { trainable: false });
    this.runningVariance = this.newWeight("running_var", shape, { fill: 1, trainable: false });
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const [gamma, beta, runningMean, runningVariance] = [
      this.gamma,
      this.beta,
      this.runningMean,
      this.runningVariance,
    ] as tfl.LayerVariable[];
    return tf.tidy(() => {
      const operands = {
        x: onlyTensor(inputs),
        gamma: gamma.read(),
        beta: beta.read(),
        runningMean: runningMean.read(),
        runningVariance: runningVariance.read(),
      };
      const { epsilon, momentum, activation } = this;
      if (!kwargs.training || !this.trainable) return batchNormInference(operands, { epsilon, activation });
      const [y, newMean, newVariance] = batchNormTraining.all(operands, { epsilon, momentum, activation });
      runningMean.write(newMean);
      runningVariance.write(newVariance);
      return y;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { momentum, epsilon, activation = null, scale } = this;
    return { ...super.getConfig(), momentum, epsilon, activation, scale };
  }
}
tf.serialization.registerClass(BatchNorm);
