import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { convTranspose2d, transposedOutput } from "../ops/conv-transpose2d.ts";
import { type Pair, type PairLike, pair } from "../ops/window.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface ConvTranspose2DConfig {
  name?: string;
  filters: number;
  kernelSize: PairLike;
  strides?: PairLike;
  /** what the output lacks on either side, as in PyTorch */
  padding?: PairLike;
  /** what it has more at its end, less than the strides */
  outputPadding?: PairLike;
  useBias?: boolean;
}

/**
 * Transposed convolution: weight [height, width, filters, inChannels], bias [filters].
 *
 * [batch, height, width, inChannels] -> [batch, outHeight, outWidth, filters]
 */
export class ConvTranspose2D extends ZooLayer {
  static readonly className = "ZooConvTranspose2D";
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: Pair;
  readonly outputPadding: Pair;
  readonly useBias: boolean;
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  constructor(config: ConvTranspose2DConfig) {
    super(config);
    this.filters = config.filters;
    this.kernelSize = pair(config.kernelSize);
    this.strides = pair(config.strides ?? 1);
    this.padding = pair(config.padding ?? 0);
    this.outputPadding = pair(config.outputPadding ?? 0);
    this.useBias = config.useBias ?? true;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [, , , inChannels] = imageShape(inputShape, this.name);
    this.weight = this.newWeight("weight", [...this.kernelSize, this.filters, inChannels]);
    if (this.useBias) this.bias = this.newWeight("bias", [this.filters]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { strides, padding, outputPadding } = this;
    return tf.tidy(() =>
      convTranspose2d(
        { x: onlyTensor(inputs), filter: (this.weight as tfl.LayerVariable).read(), bias: this.bias?.read() },
        { strides, padding, outputPadding },
      ),
    );
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width] = imageShape(inputShape, this.name);
    return [batch, ...transposedOutput([height, width], this.kernelSize, this), this.filters];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { filters, kernelSize, strides, padding, outputPadding, useBias } = this;
    const config = { filters, kernelSize, strides, padding, outputPadding, useBias };
    return { ...super.getConfig(), ...config } as unknown as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(ConvTranspose2D);
