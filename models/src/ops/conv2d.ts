import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import type { Activation } from "./batch-norm.ts";
import { differentiable, hasKernel, type Op, runKernel } from "./differentiable.ts";
import { examples, product, taps } from "./product.ts";
import { relu } from "./relu.ts";
import { sumToLastAxis } from "./sum-to-last-axis.ts";
import { explicitPadding, type Pair, type PairLike, pair } from "./window.ts";

export type Conv2DInputs = { x: tf.Tensor; filter: tf.Tensor; bias?: tf.Tensor };
export interface Conv2DAttrs {
  strides?: PairLike;
  /** zeros on either side, as in PyTorch */
  padding?: PairLike;
  dilation?: PairLike;
  groups?: number;
  /** what is done to y: nothing, or max(y, 0) in the same pass over memory */
  activation?: Activation;
}

/**
 * Convolution (cross-correlation) of images, as LeCun et al. 1989 and every network since.
 *
 *   y[n, i, j, o] = b[o] + Σ_{u,v,c} x[n, s i + d u − p, s j + d v − p, c] w[u, v, c, o]
 *
 * Backward:
 *
 *   ∂L/∂x[n, a, b, c] = Σ_{u,v,o : a = s i + d u − p, b = s j + d v − p} ∂L/∂y[n, i, j, o] w[u, v, c, o]
 *   ∂L/∂w[u, v, c, o] = Σ_{n,i,j} x[n, s i + d u − p, s j + d v − p, c] ∂L/∂y[n, i, j, o]
 *   ∂L/∂b[o]          = Σ_{n,i,j} ∂L/∂y[n, i, j, o]
 *
 * With a ReLU, ∂L/∂y counts where y is positive.
 *
 * A dilated filter is a larger one with zeros between its taps (à trous), and a grouped convolution several narrow ones
 * side by side (Krizhevsky et al. 2012, sec. 3.2), so stock kernels serve both.
 *
 * @param x [batch, height, width, inChannels]
 * @param filter [kernelHeight, kernelWidth, inChannels / groups, outChannels]
 * @param bias [outChannels], optional
 * @returns [batch, outHeight, outWidth, outChannels]
 * @throws InputError when the channels of x, filter and groups do not fit
 */
export const conv2d: Op<Conv2DInputs, Conv2DAttrs> = differentiable("Conv2D", {
  gradients: ["x", "filter", "bias"],

  forward({ x, filter, bias }: Conv2DInputs, attrs: Conv2DAttrs) {
    const { groups = 1, activation } = attrs;
    checkChannels(x, filter, groups);
    if (seesAll(x, filter, attrs)) {
      const z = product(examples(x), taps(filter), { bias });
      const output = tf.reshape(activation === "relu" ? tf.relu(z) : z, [x.shape[0], 1, 1, -1]);
      return { output, saved: { x, filter, bias, y: activation && output } };
    }
    const window = stockAttrs(attrs);
    if (bias !== undefined && groups === 1 && hasKernel("ZooBiasedConv2D")) {
      const spread = dilate(filter, pair(attrs.dilation ?? 1));
      const [y] = runKernel("ZooBiasedConv2D", { x, filter: spread, bias }, { ...window, activation });
      return { output: y, saved: { x, filter, bias, y: activation && y } };
    }
    const spread = dilate(filter, pair(attrs.dilation ?? 1)); // [dilatedHeight, dilatedWidth, inChannels / groups, outChannels]
    const filters = splitGroups(spread, groups);
    const y = concatGroups(
      splitGroups(x, groups).map((part, g) => runKernel(tf.Conv2D, { x: part, filter: filters[g] }, window)[0]),
    ); // [batch, outHeight, outWidth, outChannels]
    const z = bias === undefined ? y : tf.add(y, bias);
    const output = activation === "relu" ? tf.relu(z) : z;
    return { output, saved: { x, filter, bias, y: activation && output } };
  },

  backward(dy, { x, filter, bias, y }, attrs) {
    // Each gradient is computed when it is asked for, after what was made here is gone.
    const dz = () => (y === undefined ? dy : (relu.backward(dy, { y }).x as tf.Tensor)); // [batch, outHeight, outWidth, outChannels]
    const { groups = 1 } = attrs;
    const window = stockAttrs(attrs);
    const dilation = pair(attrs.dilation ?? 1);
    const whole = seesAll(x, filter, attrs);
    return {
      x: () => {
        if (whole) return tf.reshape(product(examples(dz()), taps(filter), { transposed: true }), x.shape);
        const filters = splitGroups(dilate(filter, dilation), groups);
        const [batch, height, width, inChannels] = x.shape;
        const inputShape = [batch, height, width, inChannels / groups];
        return concatGroups(
          splitGroups(dz(), groups).map(
            (part, g) =>
              runKernel(tf.Conv2DBackpropInput, { dy: part, filter: filters[g] }, { ...window, inputShape })[0],
          ),
        ); // [batch, height, width, inChannels]
      },
      filter: () => {
        if (whole) return tf.reshape(tf.matMul(examples(x), examples(dz()), true, false), filter.shape);
        const [height, width, inChannels, outChannels] = filter.shape;
        const filterShape = [
          dilation[0] * (height - 1) + 1,
          dilation[1] * (width - 1) + 1,
          inChannels,
          outChannels / groups,
        ];
        const parts = splitGroups(dz(), groups);
        const gradient = concatGroups(
          splitGroups(x, groups).map(
            (part, g) => runKernel(tf.Conv2DBackpropFilter, { x: part, dy: parts[g] }, { ...window, filterShape })[0],
          ),
        ); // [dilatedHeight, dilatedWidth, inChannels / groups, outChannels]
        return everyNth(gradient, dilation); // [height, width, inChannels / groups, outChannels]
      },
      ...(bias && {
        bias: () => sumToLastAxis(dz()), // [outChannels]
      }),
    };
  },
});

/** Whether y is one pixel that sees all of x: a dense layer on [batch, height · width · inChannels], and quicker as such. */
function seesAll(x: tf.Tensor, filter: tf.Tensor, { padding = 0, dilation = 1, groups = 1 }: Conv2DAttrs): boolean {
  const [height, width] = x.shape.slice(1);
  const plain = groups === 1 && pair(padding).every((p) => p === 0) && pair(dilation).every((d) => d === 1);
  return plain && filter.shape[0] === height && filter.shape[1] === width;
}

function checkChannels(x: tf.Tensor, filter: tf.Tensor, groups: number): void {
  const [, , , inChannels] = x.shape;
  const [, , filterChannels, outChannels] = filter.shape;
  if (x.rank !== 4 || filter.rank !== 4 || inChannels !== filterChannels * groups || outChannels % groups !== 0) {
    throw new InputError(
      `conv2d got x [${x.shape}] and filter [${filter.shape}] with ${groups} group(s); expected x [batch, height, width, ` +
        "inChannels] and filter [height, width, inChannels / groups, outChannels], outChannels a multiple of groups",
    );
  }
}

function stockAttrs({ strides = 1, padding = 0 }: Conv2DAttrs) {
  return { strides: pair(strides), pad: explicitPadding(pair(padding)), dataFormat: "NHWC", dilations: [1, 1] };
}

function splitGroups(x: tf.Tensor, groups: number): tf.Tensor[] {
  return groups === 1 ? [x] : tf.split(x, groups, -1);
}

function concatGroups(parts: tf.Tensor[]): tf.Tensor {
  return parts.length === 1 ? parts[0] : tf.concat(parts, -1);
}

/** Puts dilation − 1 zeros between the taps of a filter [height, width, …]. */
function dilate(filter: tf.Tensor, [dh, dw]: Pair): tf.Tensor {
  if (dh === 1 && dw === 1) return filter;
  const [height, width, inChannels, outChannels] = filter.shape;
  const taps = inChannels * outChannels;
  const rows = tf.pad(tf.reshape(filter, [height, 1, width * taps]), [
    [0, 0],
    [0, dh - 1],
    [0, 0],
  ]); // [height, dh, width·taps]
  const cells = tf.reshape(rows, [height * dh * width, 1, taps]);
  const spread = tf.pad(cells, [
    [0, 0],
    [0, dw - 1],
    [0, 0],
  ]); // [height·dh·width, dw, taps]
  const full = tf.reshape(spread, [height * dh, width * dw, inChannels, outChannels]);
  return tf.slice(full, 0, [dh * (height - 1) + 1, dw * (width - 1) + 1, inChannels, outChannels]);
}

/** The taps of a dilated filter, without the zeros between them. */
function everyNth(filter: tf.Tensor, [dh, dw]: Pair): tf.Tensor {
  if (dh === 1 && dw === 1) return filter;
  return tf.stridedSlice(filter, [0, 0, 0, 0], filter.shape, [dh, dw, 1, 1]);
}
