import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Activation } from "../ops/batch-norm.ts";
import { conv2d } from "../ops/conv2d.ts";
import { type Pair, type PairLike, pair, windowOutput } from "../ops/window.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface Conv2DConfig {
  name?: string;
  filters: number;
  kernelSize: PairLike;
  strides?: PairLike;
  /** zeros on either side, as in PyTorch */
  padding?: PairLike;
  dilation?: PairLike;
  groups?: number;
  useBias?: boolean;
  /** `relu` for max(y, 0), in the same pass over memory */
  activation?: Activation;
}

/**
 * Convolution: weight [height, width, inChannels / groups, filters], bias [filters].
 *
 * [batch, height, width, inChannels] -> [batch, outHeight, outWidth, filters]
 */
export class Conv2D extends ZooLayer {
  static readonly className: string = "ZooConv2D";
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  readonly useBias: boolean;
  readonly activation: Activation;
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  constructor(config: Conv2DConfig) {
    super(config);
    this.filters = config.filters;
    this.kernelSize = pair(config.kernelSize);
    this.strides = pair(config.strides ?? 1);
    this.padding = pair(config.padding ?? 0);
    this.dilation = pair(config.dilation ?? 1);
    this.groups = config.groups ?? 1;
    this.useBias = config.useBias ?? true;
    this.activation = config.activation ?? undefined; // null in a deserialised config
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [, , , inChannels] = imageShape(inputShape, this.name);
    this.weight = this.newWeight("weight", [...this.kernelSize, inChannels / this.groups, this.filters]);
    if (this.useBias) this.bias = this.newWeight("bias", [this.filters]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { strides, padding, dilation, groups, activation } = this;
    return tf.tidy(() =>
      conv2d(
        { x: onlyTensor(inputs), filter: (this.weight as tfl.LayerVariable).read(), bias: this.bias?.read() },
        { strides, padding, dilation, groups, activation },
      ),
    );
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width] = imageShape(inputShape, this.name);
    const { kernelSize: k, strides: s, padding: p, dilation: d } = this;
    const outHeight = windowOutput(height, k[0], s[0], p[0], d[0]);
    return [batch, outHeight, windowOutput(width, k[1], s[1], p[1], d[1]), this.filters];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { filters, kernelSize, strides, padding, dilation, groups, useBias, activation = null } = this;
    const config = { filters, kernelSize, strides, padding, dilation, groups, useBias, activation };
    return { ...super.getConfig(), ...config } as unknown as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(Conv2D);
