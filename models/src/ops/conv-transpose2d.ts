import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, hasKernel, type Op, runKernel } from "./differentiable.ts";
import { examples, product, taps } from "./product.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";
import { explicitPadding, type Pair, type PairLike, pair } from "./window.ts";

export type ConvTranspose2DInputs = { x: tf.Tensor; filter: tf.Tensor; bias?: tf.Tensor };
export interface ConvTranspose2DAttrs {
  strides?: PairLike;
  /** rows and columns that y lacks on either side, as in PyTorch: the zeros of the convolution whose transpose this is */
  padding?: PairLike;
  /** rows and columns that y has more at its end, fewer than the strides */
  outputPadding?: PairLike;
}

/**
 * Transposed convolution (Dumoulin & Visin 2016, ch. 4): what takes a convolution's output back to the size of its input,
 * as generators do to draw an image from few pixels.
 *
 *   y[n, a, b, o] = bias[o] + Σ_{i,j,u,v,c : a = s i + u − p, b = s j + v − p} x[n, i, j, c] w[u, v, o, c]
 *
 * That is a convolution's gradient for its images, so that the gradients are a convolution and its gradient for the
 * filter, with y's in the place of the images:
 *
 *   ∂L/∂x[n, i, j, c] = Σ_{u,v,o} ∂L/∂y[n, s i + u − p, s j + v − p, o] w[u, v, o, c]
 *   ∂L/∂w[u, v, o, c] = Σ_{n,i,j} ∂L/∂y[n, s i + u − p, s j + v − p, o] x[n, i, j, c]
 *   ∂L/∂bias[o]       = Σ_{n,a,b} ∂L/∂y[n, a, b, o]
 *
 * @param x [batch, height, width, inChannels]
 * @param filter w [kernelHeight, kernelWidth, outChannels, inChannels]
 * @param bias [outChannels], optional
 * @returns [batch, outHeight, outWidth, outChannels], outHeight = s (height − 1) + kernelHeight − 2 p + outputPadding
 * @throws InputError when the channels of x and filter do not fit, or nothing is left of y
 */
export const convTranspose2d: Op<ConvTranspose2DInputs, ConvTranspose2DAttrs> = differentiable("ConvTranspose2D", {
  gradients: ["x", "filter", "bias"],

  forward({ x, filter, bias }: ConvTranspose2DInputs, attrs: ConvTranspose2DAttrs) {
    const [batch, height, width, inChannels] = x.shape;
    const [kernelHeight, kernelWidth, outChannels, filterChannels] = filter.shape;
    if (x.rank !== 4 || filter.rank !== 4 || inChannels !== filterChannels) {
      throw new InputError(
        `convTranspose2d got x [${x.shape}] and filter [${filter.shape}]; expected x [batch, height, width, inChannels] ` +
          "and filter [height, width, outChannels, inChannels]",
      );
    }
    const size = transposedOutput([height, width], [kernelHeight, kernelWidth], attrs);
    if (isPixel(x, attrs)) {
      const y = tf.reshape(product(examples(x), taps(filter), { transposed: true }), [batch, ...size, outChannels]);
      return { output: bias === undefined ? y : tf.add(y, bias), saved: { x, filter, bias } };
    }
    const window = { ...stockAttrs(attrs), inputShape: [batch, ...size, outChannels] };
    if (bias !== undefined && hasKernel("ZooBiasedConvTranspose2D")) {
      return {
        output: runKernel("ZooBiasedConvTranspose2D", { x, filter, bias }, window)[0],
        saved: { x, filter, bias },
      };
    }
    const [y] = runKernel(tf.Conv2DBackpropInput, { dy: x, filter }, window);
    return { output: bias === undefined ? y : tf.add(y, bias), saved: { x, filter, bias } };
  },

  backward(dy, { x, filter, bias }, attrs) {
    const bySum = bias && { bias: () => sumToLastAxis(dy) }; // [outChannels]
    if (isPixel(x, attrs)) {
      return {
        x: () => tf.reshape(product(examples(dy), taps(filter), {}), x.shape),
        filter: () => tf.reshape(tf.matMul(examples(dy), examples(x), true, false), filter.shape),
        ...bySum,
      };
    }
    const window = stockAttrs(attrs);
    return {
      x: () => runKernel(tf.Conv2D, { x: dy, filter }, window)[0], // [batch, height, width, inChannels]
      filter: () => runKernel(tf.Conv2DBackpropFilter, { x: dy, dy: x }, { ...window, filterShape: filter.shape })[0],
      ...bySum,
    };
  },
});

/** Whether x is one pixel, which draws all of y: a dense layer's work, and quicker as such. */
function isPixel(x: tf.Tensor, { padding = 0, outputPadding = 0 }: ConvTranspose2DAttrs): boolean {
  const plain = [...pair(padding), ...pair(outputPadding)].every((n) => n === 0);
  return plain && x.shape[1] === 1 && x.shape[2] === 1;
}

/**
 * Height and width of a transposed convolution's result.
 *
 * @throws InputError when nothing is left, or when the output padding is no less than the strides
 */
export function transposedOutput(size: Pair, kernel: Pair, attrs: ConvTranspose2DAttrs): Pair {
  const [strides, padding, added] = [
    pair(attrs.strides ?? 1),
    pair(attrs.padding ?? 0),
    pair(attrs.outputPadding ?? 0),
  ];
  const [height, width] = [0, 1].map((i) => strides[i] * (size[i] - 1) + kernel[i] - 2 * padding[i] + added[i]);
  if (added.some((n, i) => n >= strides[i])) {
    throw new InputError(
      `a transposed convolution got output padding [${added}]; expected less than its strides [${strides}]`,
    );
  }
  if (Math.min(height, width) < 1) {
    throw new InputError(
      `a transposed convolution of [${size}] pixels by [${kernel}] with padding [${padding}] leaves none: use less padding`,
    );
  }
  return [height, width];
}

function stockAttrs({ strides = 1, padding = 0 }: ConvTranspose2DAttrs) {
  return { strides: pair(strides), pad: explicitPadding(pair(padding)), dataFormat: "NHWC", dilations: [1, 1] };
}
