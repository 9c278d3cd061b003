import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { dense } from "../ops/dense.ts";
import { embedding } from "../ops/embedding.ts";
import { onlyShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface EmbeddingConfig {
  name?: string;
  vocabulary: number;
  units: number;
}

/**
 * A vector for every token, or for what else has a number: weight [vocabulary, units]. Where its weight serves as the
 * output layer too (Press & Wolf 2017, "Using the output embedding to improve language models"), it is applied a second
 * time, to vectors.
 *
 * ids [batch, time] or [batch] -> [..., units]        vectors [batch, time, units] -> logits [batch, time, vocabulary]
 */
export class Embedding extends ZooLayer {
  static readonly className: string = "ZooEmbedding";
  readonly vocabulary: number;
  readonly units: number;
  private weight?: tfl.LayerVariable;

  constructor(config: EmbeddingConfig) {
    super(config);
    this.vocabulary = config.vocabulary;
    this.units = config.units;
  }

  override build(): void {
    this.weight = this.newWeight("weight", [this.vocabulary, this.units]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = onlyTensor(inputs);
    const table = (this.weight as tfl.LayerVariable).read();
    return tf.tidy(() => {
      if (x.rank === 3) return dense({ x, weight: table }, { transposed: true });
      return embedding({ ids: tf.cast(x, "int32"), table });
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = onlyShape(inputShape);
    return shape.length === 3 ? [...shape.slice(0, -1), this.vocabulary] : [...shape, this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), vocabulary: this.vocabulary, units: this.units };
  }
}
tf.serialization.registerClass(Embedding);
