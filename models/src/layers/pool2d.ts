import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { avgPool2d } from "../ops/avg-pool2d.ts";
import type { Op } from "../ops/differentiable.ts";
import { maxPool2d, type Pool2DAttrs } from "../ops/max-pool2d.ts";
import { type Pair, type PairLike, pair, windowOutput } from "../ops/window.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface Pool2DConfig {
  name?: string;
  poolSize: PairLike;
  /** as large as the window unless given */
  strides?: PairLike;
  padding?: PairLike;
}

/** [batch, height, width, channels] -> [batch, outHeight, outWidth, channels] */
abstract class Pool2D extends ZooLayer {
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: Pair;
  protected abstract readonly op: Op<{ x: tf.Tensor }, Pool2DAttrs>;

  constructor(config: Pool2DConfig) {
    super(config);
    this.poolSize = pair(config.poolSize);
    this.strides = pair(config.strides ?? config.poolSize);
    this.padding = pair(config.padding ?? 0);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { poolSize, strides, padding } = this;
    return tf.tidy(() => this.op({ x: onlyTensor(inputs) }, { poolSize, strides, padding }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = imageShape(inputShape, this.name);
    const { poolSize: k, strides: s, padding: p } = this;
    return [batch, windowOutput(height, k[0], s[0], p[0]), windowOutput(width, k[1], s[1], p[1]), channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { poolSize, strides, padding } = this;
    return { ...super.getConfig(), poolSize, strides, padding } as unknown as tf.serialization.ConfigDict;
  }
}

/** The largest value of every window. */
export class MaxPool2D extends Pool2D {
  static readonly className = "ZooMaxPool2D";
  protected readonly op = maxPool2d;
}
tf.serialization.registerClass(MaxPool2D);

export interface AvgPool2DConfig extends Pool2DConfig {
  /** Whether padded zeros count in the mean, as in PyTorch; TensorFlow leaves them out. */
  countIncludePad?: boolean;
}

/** The mean of every window. */
export class AvgPool2D extends Pool2D {
  static readonly className = "ZooAvgPool2D";
  protected readonly op = avgPool2d;
  readonly countIncludePad: boolean;

  constructor(config: AvgPool2DConfig) {
    super(config);
    this.countIncludePad = config.countIncludePad ?? true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    if (this.countIncludePad) return super.call(inputs);
    const [, height, width] = onlyTensor(inputs).shape;
    return tf.tidy(() => tf.mul(super.call(inputs), this.withoutPadding(height, width)));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), countIncludePad: this.countIncludePad };
  }

  /** Pixels of a window to those of it that are the image's: [1, outHeight, outWidth, 1] */
  private withoutPadding(height: number, width: number): tf.Tensor {
    const along = (axis: 0 | 1, size: number) => {
      const [k, s, p] = [this.poolSize[axis], this.strides[axis], this.padding[axis]];
      return Array.from({ length: windowOutput(size, k, s, p) }, (_, i) => {
        const first = s * i - p;
        return k / (Math.min(first + k, size) - Math.max(first, 0));
      });
    };
    const [rows, columns] = [along(0, height), along(1, width)];
    const values = rows.flatMap((row) => columns.map((column) => row * column));
    return tf.tensor4d(values, [1, rows.length, columns.length, 1]);
  }
}
tf.serialization.registerClass(AvgPool2D);
