import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";
import { type PairLike, pair } from "./window.ts";

export interface Upsample2DAttrs {
  /** f, how many times as high and as wide y is, whole numbers; 2 unless given */
  factor?: PairLike;
  mode?: "nearest" | "bilinear";
}

/**
 * Larger images of the same pixels, each repeated:
 *
 *   y[n, i, j, c] = x[n, ⌊i / f⌋, ⌊j / f⌋, c]        ∂L/∂x[n, a, b, c] = Σ_{u,v < f} ∂L/∂y[n, f a + u, f b + v, c]
 *
 * or with straight lines between their centres and the border's own values beyond (PyTorch's `align_corners=False`),
 * which is a product along each axis with a matrix of weights:
 *
 *   y = R x Cᵀ        ∂L/∂x = Rᵀ ∂L/∂y C        R[i, a] = max(0, 1 − |max(0, min((i + ½) / f − ½, height − 1)) − a|)
 *
 * Both are linear, so that nothing is kept. The gradients of stock resizing are wrong on some backends and are not used.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, f · height, f · width, channels]
 * @throws InputError for a factor that is no whole number
 */
export const upsample2d: Op<{ x: tf.Tensor }, Upsample2DAttrs> = differentiable("Upsample2D", {
  saved: ["x"],
  gradients: ["x"],

  forward({ x }: { x: tf.Tensor }, { factor = 2, mode = "nearest" }: Upsample2DAttrs) {
    const [fh, fw] = pair(factor);
    if (!Number.isInteger(fh) || !Number.isInteger(fw) || fh < 1 || fw < 1) {
      throw new InputError(`upsample2d got a factor of ${fh}x${fw}; expected whole numbers of at least 1`);
    }
    const [, height, width] = x.shape;
    if (mode === "bilinear") {
      return { output: product(lines(height, fh), lines(width, fw), x), saved: { x } };
    }
    // From the pixels' centres, so that no rounding of 1 / f moves the border between two.
    const size: [number, number] = [fh * height, fw * width];
    return { output: tf.image.resizeNearestNeighbor(x as tf.Tensor4D, size, false, true), saved: { x } };
  },

  backward(dy, { x }, { factor = 2, mode = "nearest" }) {
    const [fh, fw] = pair(factor);
    const [, height, width] = x.shape;
    if (mode === "bilinear") return { x: product(tf.transpose(lines(height, fh)), tf.transpose(lines(width, fw)), dy) };
    const means = tf.avgPool(dy as tf.Tensor4D, [fh, fw], [fh, fw], "valid");
    return { x: tf.mul(means, fh * fw) }; // [batch, height, width, channels]
  },
});

/** R x Cᵀ of each channel: [rows, height], [columns, width], [batch, height, width, channels] -> [batch, rows, columns, channels] */
function product(R: tf.Tensor, C: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [R.shape[0], C.shape[0]];
  const tall = tf.matMul(tf.expandDims(R), tf.reshape(x, [batch, height, width * channels])); // [batch, rows, width·channels]
  const wide = tf.matMul(tf.expandDims(C), tf.reshape(tall, [batch * rows, width, channels])); // [batch·rows, columns, channels]
  return tf.reshape(wide, [batch, rows, columns, channels]);
}

/** What each pixel of a longer axis has of those of the axis: [factor · size, size]. */
function lines(size: number, factor: number): tf.Tensor2D {
  const weights = Array.from({ length: factor * size }, (_, i) => {
    const place = Math.max(0, Math.min((i + 0.5) / factor - 0.5, size - 1));
    return Array.from({ length: size }, (_, a) => Math.max(0, 1 - Math.abs(place - a)));
  });
  return tf.tensor2d(weights, [factor * size, size]);
}
