import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { behind } from "./cached-self-attention.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** Tokens behind those that came before: [past [batch, p, d], x [batch, tokens, d]] -> [batch, p + tokens, d]; p may be 0 */
export class AppendTokens extends ZooLayer {
  static readonly className = "ZooAppendTokens";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [past, x] = inputs as tf.Tensor[];
    return tf.tidy(() => behind(past, x));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [[batch, past, d], [, tokens]] = inputShape as tfl.Shape[];
    return [batch, past === null || tokens === null ? null : past + tokens, d];
  }
}
tf.serialization.registerClass(AppendTokens);
