import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { attend } from "../ops/attend.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface ImageAttentionConfig {
  name?: string;
  heads?: number;
}

/**
 * Attention of an image's pixels to one another, without its projections: queries, keys and values come as images.
 *
 * q, k and v [batch, height, width, d] each -> [batch, height, width, d]
 */
export class ImageAttention extends ZooLayer {
  static readonly className = "ZooImageAttention";
  readonly heads: number;

  constructor(config: ImageAttentionConfig = {}) {
    super(config);
    this.heads = config.heads ?? 1;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const images = inputs as tf.Tensor[];
      const [batch, height, width, d] = images[0].shape;
      const [q, k, v] = images.map((x) => tf.reshape(x, [batch, height * width, d])); // [batch, pixels, d] each
      return tf.reshape(attend({ q, k, v }, { heads: this.heads }), [batch, height, width, d]);
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.heads };
  }
}
tf.serialization.registerClass(ImageAttention);
