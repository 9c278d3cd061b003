import * as tf from "@tensorflow/tfjs-core";
import { differentiable, hasKernel, type Op, runKernel } from "./differentiable.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";
import { type Pair, type PairLike, pair, windowOutput } from "./window.ts";

export type DepthwiseConv2DInputs = { x: tf.Tensor; filter: tf.Tensor; bias?: tf.Tensor };
export interface DepthwiseConv2DAttrs {
  strides?: PairLike;
  /** zeros on either side, as in PyTorch */
  padding?: PairLike;
  dilation?: PairLike;
}

/**
 * Depthwise convolution (Sifre 2014; Chollet 2017): every channel has its own m filters and nothing is summed over
 * channels.
 *
 *   y[n, i, j, c m + k] = b[c m + k] + Σ_{u,v} x[n, s i + d u − p, s j + d v − p, c] w[u, v, c, k]
 *
 * Backward:
 *
 *   ∂L/∂x[n, a, b, c]  = Σ_{u,v,k : a = s i + d u − p, b = s j + d v − p} ∂L/∂y[n, i, j, c m + k] w[u, v, c, k]
 *   ∂L/∂w[u, v, c, k]  = Σ_{n,i,j} x[n, s i + d u − p, s j + d v − p, c] ∂L/∂y[n, i, j, c m + k]
 *
 * With k² taps it is k² shifted products, so it is written as that: slices of the padded image, one a tap. No stock
 * kernel handles every stride, padding and dilation of this op in both passes; those of `tensorflow` are ours.
 *
 * @param x [batch, height, width, channels]
 * @param filter [kernelHeight, kernelWidth, channels, multiplier]
 * @param bias [channels · multiplier], optional
 * @returns [batch, outHeight, outWidth, channels · multiplier]
 */
export const depthwiseConv2d: Op<DepthwiseConv2DInputs, DepthwiseConv2DAttrs> = differentiable("DepthwiseConv2D", {
  gradients: ["x", "filter", "bias"],

  forward({ x, filter, bias }: DepthwiseConv2DInputs, attrs: DepthwiseConv2DAttrs) {
    const geometry = geometryOf(x, filter, attrs);
    if (hasKernel("ZooDepthwise")) {
      return { output: runKernel("ZooDepthwise", { x, filter, bias }, attrs)[0], saved: { x, filter, bias } };
    }
    const { batch, outHeight, outWidth, channels, multiplier } = geometry;
    const padded = pad(x, geometry.padding); // [batch, height + 2p, width + 2p, channels]
    const products = taps(geometry).map(([u, v]) => {
      const shifted = tf.reshape(shift(padded, u, v, geometry), [batch * outHeight * outWidth, channels, 1]);
      return tf.mul(shifted, tf.reshape(tap(filter, u, v), [1, channels, multiplier])); // [batch·outHeight·outWidth, channels, multiplier]
    });
    const y = tf.reshape(addAll(products), [batch, outHeight, outWidth, channels * multiplier]);
    return { output: bias === undefined ? y : tf.add(y, bias), saved: { x, filter, bias } };
  },

  backward(dy, { x, filter, bias }, attrs) {
    const geometry = geometryOf(x, filter, attrs);
    const { batch, outHeight, outWidth, channels, multiplier } = geometry;
    const positions = batch * outHeight * outWidth;
    return {
      x: () => {
        if (hasKernel("ZooDepthwiseBackpropInput")) {
          return runKernel("ZooDepthwiseBackpropInput", { dy, filter }, { ...attrs, size: x.shape.slice(1, 3) })[0];
        }
        const dyByChannel = tf.reshape(dy, [positions, channels, multiplier]);
        const shares = taps(geometry).map(([u, v]) => {
          const share = tf.sum(tf.mul(dyByChannel, tf.reshape(tap(filter, u, v), [1, channels, multiplier])), 2);
          return unshift(tf.reshape(share, [batch, outHeight, outWidth, channels]), u, v, geometry);
        }); // each [batch, height + 2p, width + 2p, channels]
        const [ph, pw] = geometry.padding;
        return tf.slice(addAll(shares), [0, ph, pw, 0], x.shape); // [batch, height, width, channels]
      },
      filter: () => {
        if (hasKernel("ZooDepthwiseBackpropFilter")) {
          return runKernel("ZooDepthwiseBackpropFilter", { x, dy }, { ...attrs, size: geometry.kernel })[0];
        }
        const dyByChannel = tf.reshape(dy, [positions, channels, multiplier]);
        const padded = pad(x, geometry.padding);
        const rows = taps(geometry).map(([u, v]) =>
          tf.sum(tf.mul(tf.reshape(shift(padded, u, v, geometry), [positions, channels, 1]), dyByChannel), 0),
        ); // each [channels, multiplier]
        return tf.reshape(tf.stack(rows), filter.shape);
      },
      ...(bias && { bias: () => sumToLastAxis(dy) }), // [channels · multiplier]
    };
  },
});

type Geometry = ReturnType<typeof geometryOf>;

function geometryOf(x: tf.Tensor, filter: tf.Tensor, { strides = 1, padding = 0, dilation = 1 }: DepthwiseConv2DAttrs) {
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth, , multiplier] = filter.shape;
  const [sh, sw] = pair(strides);
  const [ph, pw] = pair(padding);
  const [dh, dw] = pair(dilation);
  return {
    batch,
    channels,
    multiplier,
    kernel: [kernelHeight, kernelWidth] as Pair,
    strides: [sh, sw] as Pair,
    padding: [ph, pw] as Pair,
    dilation: [dh, dw] as Pair,
    paddedHeight: height + 2 * ph,
    paddedWidth: width + 2 * pw,
    outHeight: windowOutput(height, kernelHeight, sh, ph, dh),
    outWidth: windowOutput(width, kernelWidth, sw, pw, dw),
  };
}

/** Every position (u, v) in the filter. */
function taps({ kernel: [height, width] }: Geometry): Pair[] {
  return Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width]);
}

/** w[u, v, :, :], as [1, 1, channels, multiplier]. */
function tap(filter: tf.Tensor, u: number, v: number): tf.Tensor {
  const [, , channels, multiplier] = filter.shape;
  return tf.slice(filter, [u, v, 0, 0], [1, 1, channels, multiplier]);
}

function pad(x: tf.Tensor, [ph, pw]: Pair): tf.Tensor {
  return ph === 0 && pw === 0
    ? x
    : tf.pad(x, [
        [0, 0],
        [ph, ph],
        [pw, pw],
        [0, 0],
      ]);
}

/** The pixels of the padded image that tap (u, v) meets: [batch, outHeight, outWidth, channels]. */
function shift(padded: tf.Tensor, u: number, v: number, geometry: Geometry): tf.Tensor {
  const { strides, dilation, outHeight, outWidth, batch, channels } = geometry;
  const [top, left] = [u * dilation[0], v * dilation[1]];
  const end = [batch, top + strides[0] * (outHeight - 1) + 1, left + strides[1] * (outWidth - 1) + 1, channels];
  return tf.stridedSlice(padded, [0, top, left, 0], end, [1, strides[0], strides[1], 1]);
}

/** The transpose of `shift`: puts values back where tap (u, v) found them, zeros elsewhere. */
function unshift(values: tf.Tensor, u: number, v: number, geometry: Geometry): tf.Tensor {
  const { strides, dilation, outHeight, outWidth, batch, channels, paddedHeight, paddedWidth } = geometry;
  const [sh, sw] = strides;
  const rows = tf.pad(tf.reshape(values, [batch * outHeight, 1, outWidth * channels]), [
    [0, 0],
    [0, sh - 1],
    [0, 0],
  ]);
  const cells = tf.pad(tf.reshape(rows, [batch * outHeight * sh * outWidth, 1, channels]), [
    [0, 0],
    [0, sw - 1],
    [0, 0],
  ]);
  const spread = tf.reshape(cells, [batch, outHeight * sh, outWidth * sw, channels]);
  const [height, width] = [sh * (outHeight - 1) + 1, sw * (outWidth - 1) + 1];
  const kept = tf.slice(spread, [0, 0, 0, 0], [batch, height, width, channels]);
  const [top, left] = [u * dilation[0], v * dilation[1]];
  return tf.pad(kept, [
    [0, 0],
    [top, paddedHeight - height - top],
    [left, paddedWidth - width - left],
    [0, 0],
  ]);
}

/** The sum of any number of tensors. At most seven at once: WebGPU promises eight buffers a kernel, the result included. */
function addAll(terms: tf.Tensor[]): tf.Tensor {
  return terms.length <= 7 ? tf.addN(terms) : addAll([tf.addN(terms.slice(0, 7)), ...terms.slice(7)]);
}
