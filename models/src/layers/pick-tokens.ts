import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { embedding } from "../ops/embedding.ts";
import { ZooLayer } from "./zoo-layer.ts";

/**
 * Some of each text's tokens, by their places: [x [batch, tokens, d], places int32 [batch, picked]] -> [batch, picked, d]
 *
 * A place may be picked more than once.
 */
export class PickTokens extends ZooLayer {
  static readonly className = "ZooPickTokens";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, places] = inputs as tf.Tensor[];
    const [batch, tokens, d] = x.shape as [number, number, number];
    return tf.tidy(() => {
      // The tokens of all texts as one table: row n's begin at n · tokens.
      const first = tf.mul(tf.range(0, batch, 1, "int32"), tf.scalar(tokens, "int32")); // [batch]
      const ids = tf.add(tf.cast(places, "int32"), tf.expandDims(first, 1)); // [batch, picked]
      return embedding({ ids, table: tf.reshape(x, [-1, d]) });
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [[batch, , d], [, picked]] = inputShape as tfl.Shape[];
    return [batch, picked, d];
  }
}
tf.serialization.registerClass(PickTokens);
