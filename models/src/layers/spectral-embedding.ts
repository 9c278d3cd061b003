import * as tf from "@tensorflow/tfjs-core";
import { embedding } from "../ops/embedding.ts";
import { Embedding } from "./embedding.ts";
import { onlyTensor } from "./shapes.ts";
import { type SpectralWeight, spectralRead } from "./spectral-weight.ts";

/**
 * A vector for every class, with spectral norm (Miyato & Koyama 2018, "cGANs with projection discriminator"): weight_orig
 * [vocabulary, units], which is used divided by its largest singular value, and that value's vectors weight_u [vocabulary]
 * and weight_v [units], which each step of training brings nearer.
 *
 * ids [batch] -> [batch, units]
 */
export class SpectralEmbedding extends Embedding {
  static override readonly className: string = "ZooSpectralEmbedding";
  private spectral?: SpectralWeight;

  override build(): void {
    const { vocabulary, units } = this;
    this.spectral = {
      weight: this.newWeight("weight_orig", [vocabulary, units]),
      // PyTorch's u is of the first axis, which is the last of all other layers' weights here.
      u: this.newWeight("weight_u", [vocabulary], { fill: vocabulary ** -0.5, trainable: false }),
      v: this.newWeight("weight_v", [units], { fill: units ** -0.5, trainable: false }),
    };
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean } = {}): tf.Tensor {
    return tf.tidy(() => {
      const spectral = this.spectral as SpectralWeight;
      const table = spectralRead(spectral, training && this.trainable, { transposed: true });
      return embedding({ ids: tf.cast(onlyTensor(inputs), "int32"), table });
    });
  }
}
tf.serialization.registerClass(SpectralEmbedding);
