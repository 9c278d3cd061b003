import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { conv2d } from "../ops/conv2d.ts";
import { Conv2D } from "./conv2d.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { newSpectralWeight, type SpectralWeight, spectralRead } from "./spectral-weight.ts";

/**
 * Convolution with spectral norm (Miyato et al. 2018): weight_orig [height, width, inChannels / groups, filters], which
 * is used divided by its largest singular value, bias [filters], and that value's vectors weight_u [filters] and weight_v
 * [height, width, inChannels / groups], which each step of training brings nearer.
 *
 * [batch, height, width, inChannels] -> [batch, outHeight, outWidth, filters]
 */
export class SpectralConv2D extends Conv2D {
  static override readonly className: string = "ZooSpectralConv2D";
  private spectral?: SpectralWeight;
  private shift?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [, , , inChannels] = imageShape(inputShape, this.name);
    const shape = [...this.kernelSize, inChannels / this.groups, this.filters];
    this.spectral = newSpectralWeight(shape, (...given) => this.newWeight(...given));
    if (this.useBias) this.shift = this.newWeight("bias", [this.filters]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean } = {}): tf.Tensor {
    const { strides, padding, dilation, groups, activation } = this;
    return tf.tidy(() => {
      const filter = spectralRead(this.spectral as SpectralWeight, training && this.trainable);
      const given = { x: onlyTensor(inputs), filter, bias: this.shift?.read() };
      return conv2d(given, { strides, padding, dilation, groups, activation });
    });
  }
}
tf.serialization.registerClass(SpectralConv2D);
