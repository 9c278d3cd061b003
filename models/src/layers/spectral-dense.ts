import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dense } from "../ops/dense.ts";
import { Dense } from "./dense.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { newSpectralWeight, type SpectralWeight, spectralRead } from "./spectral-weight.ts";

/**
 * Affine map with spectral norm (Miyato et al. 2018): weight_orig [in, units], which is used divided by its largest
 * singular value, bias [units], and that value's vectors weight_u [units] and weight_v [in], which each step of training
 * brings nearer.
 *
 * [..., in] -> [..., units]
 */
export class SpectralDense extends Dense {
  static override readonly className: string = "ZooSpectralDense";
  private spectral?: SpectralWeight;
  private shift?: tfl.LayerVariable;

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = [onlyShape(inputShape).at(-1) as number, this.units];
    this.spectral = newSpectralWeight(shape, (...given) => this.newWeight(...given));
    if (this.useBias) this.shift = this.newWeight("bias", [this.units]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean } = {}): tf.Tensor {
    return tf.tidy(() => {
      const weight = spectralRead(this.spectral as SpectralWeight, training && this.trainable);
      return dense({ x: onlyTensor(inputs), weight, bias: this.shift?.read() });
    });
  }
}
tf.serialization.registerClass(SpectralDense);
