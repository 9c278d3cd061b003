import * as tf from "@tensorflow/tfjs-core";
import { Dense } from "./dense.ts";

/**
 * A dense layer under the names of PyTorch's `nn.MultiheadAttention`, which makes queries, keys and values at once:
 * in_proj_weight [in, units], in_proj_bias [units].
 *
 * [batch, tokens, in] -> [batch, tokens, units]
 */
export class InProjection extends Dense {
  static override readonly className = "ZooInProjection";

  protected override readonly weightName: string = "in_proj_weight";
  protected override readonly biasName: string = "in_proj_bias";
}
tf.serialization.registerClass(InProjection);
