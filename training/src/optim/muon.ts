import * as tf from "@tensorflow/tfjs-core";
import { ops } from "@tfjs-zoo/models";
import type { Optimizer } from "./optimizer.ts";

/**
 * Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): SGD whose every step, seen as a
 * matrix, has had its singular values set to about 1, so that no direction of a weight is learned sooner than another.
 *
 *   v ← μ v + g        u = g + μ v        θ ← θ √n / ‖θ‖ − η NS(u)
 *
 * A weight is a matrix of n columns, one an output. In place of weight decay it is kept at the norm √n that an
 * orthogonal one has (as in Jordan's airbench94_muon): before a batch norm a filter's length does not matter, and η is
 * the angle by which a step turns it. NS is `orthogonalised`.
 *
 * @param momentum μ
 * @param iterations of NS
 */
export function muon({ momentum = 0.6, iterations = 3 } = {}): Optimizer {
  return {
    name: "muon",
    slots: ["momentum"],

    update({ weights, gradients, scale, slots, learningRate }) {
      const g = ops.multiplied(ops.join(gradients), scale); // [size]
      const v: tf.Tensor1D = tf.add(tf.mul(slots.momentum, momentum), g); // [size]
      const u: tf.Tensor1D = tf.add(g, tf.mul(v, momentum)); // [size]
      const directions = ops.split(
        u,
        weights.map(({ shape }) => [tf.util.sizeFromShape(shape.slice(0, -1)), shape[shape.length - 1]]),
      );
      const turned = weights.map((weight, i) => {
        const direction = directions[i] as tf.Tensor2D; // [rows, columns]
        const columns = direction.shape[1];
        const unit = tf.mul(weight, tf.div(Math.sqrt(columns), tf.norm(weight))); // the weight's shape
        const step = tf.mul(orthogonalised(direction, iterations), learningRate); // [rows, columns]
        return tf.sub(unit, tf.reshape(step, weight.shape));
      });
      return { weights: turned, slots: { momentum: v } };
    },
  };
}

/**
 * About the nearest matrix with orthonormal rows or columns: U Vᵀ of x = U S Vᵀ, by an iteration of Newton and Schulz
 * whose coefficients are chosen to come near it soon, not to reach it (Jordan et al. 2024). A singular value of x, as a
 * share of ‖x‖, ends between 0.7 and 1.2 after five iterations if it was above 0.01; after three, if it was above 0.05,
 * and at about 40 times itself if it was much smaller.
 *
 *   X ← x / ‖x‖        X ← a X + X (b A + c A²), A = Xᵀ X        (or X Xᵀ, on the left, where that is smaller)
 *
 * @param x [rows, columns]
 * @returns [rows, columns]
 */
export function orthogonalised(x: tf.Tensor2D, iterations: number): tf.Tensor2D {
  const [a, b, c] = [3.4445, -4.775, 2.0315];
  const [rows, columns] = x.shape;
  const tall = rows >= columns;
  return tf.tidy(() => {
    let X = tf.div(x, tf.add(tf.norm(x), 1e-7)) as tf.Tensor2D; // [rows, columns]
    for (let i = 0; i < iterations; i++) {
      const A = tall ? tf.matMul(X, X, true) : tf.matMul(X, X, false, true); // [smaller, smaller]
      const B = tf.add(tf.mul(A, b), tf.mul(tf.matMul(A, A), c)) as tf.Tensor2D; // [smaller, smaller]
      X = tf.add(tf.mul(X, a), tall ? tf.matMul(X, B) : tf.matMul(B, X));
    }
    return X;
  });
}
