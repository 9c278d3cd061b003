import * as tf from "@tensorflow/tfjs-core";
import { differentiable, type Op } from "./differentiable.ts";
import { expectOneShape, type ReductionAttrs, reduced, reducedGradient } from "./reduction.ts";

export type SigmoidCrossEntropyInputs = { logits: tf.Tensor; target: tf.Tensor };

/**
 * Binary cross-entropy of σ(x) with t, from the logits x: of pixels that a decoder draws (Kingma & Welling 2014,
 * App. C.1), or of what a discriminator says (Goodfellow et al. 2014, eq. 1).
 *
 *   L = −t log σ(x) − (1 − t) log(1 − σ(x)) = max(x, 0) − x t + log(1 + e^−|x|)
 *
 * The second form neither overflows nor takes the logarithm of 0. Backward, for each element; t has no gradient:
 *
 *   ∂L/∂x = σ(x) − t
 *
 * @param logits x, any shape  @param target t, the same shape, each in [0, 1]
 * @returns [] (nats); [batch] for `each`, and the shape of x where nothing is reduced
 * @throws InputError when the shapes differ
 */
export const sigmoidCrossEntropy: Op<SigmoidCrossEntropyInputs, ReductionAttrs> = differentiable(
  "SigmoidCrossEntropy",
  {
    saved: ["logits", "target"],
    gradients: ["logits"],

    forward({ logits: x, target }: SigmoidCrossEntropyInputs, { reduction }: ReductionAttrs) {
      expectOneShape("sigmoidCrossEntropy", { logits: x, target });
      const beyond = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
      const losses = tf.add(tf.sub(tf.relu(x), tf.mul(x, target)), beyond);
      return { output: reduced(losses, reduction), saved: { logits: x, target } };
    },

    backward(dy, { logits: x, target }, { reduction }) {
      const slope = tf.sub(tf.sigmoid(x), target);
      return { logits: tf.mul(slope, reducedGradient(dy, x, reduction)) };
    },
  },
);
