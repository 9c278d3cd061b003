import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { patchEmbedding } from "../ops/patch-embedding.ts";
import { imageShape, onlyTensor } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface PatchEmbeddingConfig {
  name?: string;
  /** p: pixels of a patch's side */
  patchSize: number;
  /** d: channels of a token */
  units: number;
}

/**
 * Images into tokens, one for each patch of p × p pixels: weight [p, p, channels, d], bias [d].
 *
 * [batch, height, width, channels] -> [batch, height · width / p², d]
 */
export class PatchEmbedding extends ZooLayer {
  static readonly className = "ZooPatchEmbedding";
  readonly patchSize: number;
  readonly units: number;
  private weight?: tfl.LayerVariable;
  private bias?: tfl.LayerVariable;

  constructor(config: PatchEmbeddingConfig) {
    super(config);
    this.patchSize = config.patchSize;
    this.units = config.units;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const { patchSize: p, units } = this;
    this.weight = this.newWeight("weight", [p, p, imageShape(inputShape, this.name)[3], units]);
    this.bias = this.newWeight("bias", [units]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [weight, bias] = [this.weight, this.bias] as tfl.LayerVariable[];
    return tf.tidy(() => patchEmbedding({ x: onlyTensor(inputs), filter: weight.read(), bias: bias.read() }));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [batch, height, width] = imageShape(inputShape, this.name);
    const p = this.patchSize;
    if (height % p > 0 || width % p > 0) {
      throw new InputError(`images of ${height} x ${width} pixels can't be cut into patches of ${p} x ${p}`);
    }
    return [batch, (height / p) * (width / p), this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), patchSize: this.patchSize, units: this.units };
  }
}
tf.serialization.registerClass(PatchEmbedding);
