import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { depthwiseConv2d } from "../ops/depthwise-conv2d.ts";
import { type Pair, type PairLike, pair, windowOutput } from "../ops/window.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface DepthwiseConv2DConfig {
  name?: string;
  kernelSize: PairLike;
  strides?: PairLike;
  /** zeros on either side, as in PyTorch */
  padding?: PairLike;
  dilation?: PairLike;
  /** filters a channel */
  depthMultiplier?: number;
  useBias?: boolean;
}

/**
 * Depthwise convolution: weight [height, width, channels, depthMultiplier], bias [channels · depthMultiplier].
 *
 * [batch, height, width, channels] -> [batch, outHeight, outWidth, channels · depthMultiplier]
 */
export class DepthwiseConv2D extends ZooLayer {
  static readonly className = "ZooDepthwiseConv2D";
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly depthMultiplier: number;
  readonly useBias: boolean;
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  constructor(config: DepthwiseConv2DConfig) {
    super(config);
    this.kernelSize = pair(config.kernelSize);
    this.strides = pair(config.strides ?? 1);
    this.padding = pair(config.padding ?? 0);
    this.dilation = pair(config.dilation ?? 1);
    this.depthMultiplier = config.depthMultiplier ?? 1;
    this.useBias = config.useBias ?? true;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [, , , channels] = imageShape(inputShape, this.name);
    this.weight = this.newWeight("weight", [...this.kernelSize, channels, this.depthMultiplier]);
    if (this.useBias) this.bias = this.newWeight("bias", [channels * this.depthMultiplier]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { strides, padding, dilation } = this;
    return tf.tidy(() =>
      depthwiseConv2d(
        { x: onlyTensor(inputs), filter: (this.weight as tfl.LayerVariable).read(), bias: this.bias?.read() },
        { strides, padding, dilation },
      ),
    );
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = imageShape(inputShape, this.name);
    const { kernelSize: k, strides: s, padding: p, dilation: d } = this;
    const outHeight = windowOutput(height, k[0], s[0], p[0], d[0]);
    return [batch, outHeight, windowOutput(width, k[1], s[1], p[1], d[1]), channels * this.depthMultiplier];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { kernelSize, strides, padding, dilation, depthMultiplier, useBias } = this;
    const config = { kernelSize, strides, padding, dilation, depthMultiplier, useBias };
    return { ...super.getConfig(), ...config } as unknown as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(DepthwiseConv2D);
