import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { type Upsample2DAttrs, upsample2d } from "../ops/upsample2d.ts";
import { type Pair, pair } from "../ops/window.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface Upsample2DConfig extends Upsample2DAttrs {
  name?: string;
}

/**
 * Images made larger.
 *
 * [batch, height, width, channels] -> [batch, factor · height, factor · width, channels]
 */
export class Upsample2D extends ZooLayer {
  static readonly className = "ZooUpsample2D";
  readonly factor: Pair;
  readonly mode: "nearest" | "bilinear";

  constructor(config: Upsample2DConfig = {}) {
    super(config);
    this.factor = pair(config.factor ?? 2);
    this.mode = config.mode ?? "nearest";
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { factor, mode } = this;
    return upsample2d({ x: onlyTensor(inputs) }, { factor, mode });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width, channels] = imageShape(inputShape, this.name);
    return [batch, this.factor[0] * height, this.factor[1] * width, channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { factor, mode } = this;
    return { ...super.getConfig(), factor, mode } as unknown as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(Upsample2D);
