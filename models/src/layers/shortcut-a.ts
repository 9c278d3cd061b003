import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { shortcutA } from "../ops/shortcut-a.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface ShortcutAConfig {
  name?: string;
  stride: number;
  channels: number;
}

/**
 * ResNet's parameter-free shortcut, option A.
 *
 * [batch, height, width, inChannels] -> [batch, ⌈height / stride⌉, ⌈width / stride⌉, channels]
 */
export class ShortcutA extends ZooLayer {
  static readonly className = "ZooShortcutA";
  readonly stride: number;
  readonly channels: number;

  constructor(config: ShortcutAConfig) {
    super(config);
    this.stride = config.stride;
    this.channels = config.channels;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return shortcutA({ x: onlyTensor(inputs) }, { stride: this.stride, channels: this.channels });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width] = imageShape(inputShape, this.name);
    return [batch, Math.ceil(height / this.stride), Math.ceil(width / this.stride), this.channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), stride: this.stride, channels: this.channels };
  }
}
tf.serialization.registerClass(ShortcutA);
