import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { channelShift } from "../ops/channel-shift.ts";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** Adds one vector to every pixel of an image: [x [batch, height, width, channels], shift [batch, channels]] -> as x. */
export class ChannelShift extends ZooLayer {
  static readonly className = "ZooChannelShift";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, shift] = inputs as tf.Tensor[];
    return channelShift({ x, shift });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
tf.serialization.registerClass(ChannelShift);
