import { backend_util, pad, slice, type Tensor, type TensorInfo, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Conv2DAttrs } from "../../ops/conv2d.ts";
import { opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, isBf16, isTiled, type Numbers, numbersOf, single, type TiledNumbers, withBias } from "./bf16.ts";

type Conv2DInfo = backend_util.Conv2DInfo;

interface StockConvAttrs {
  strides: number | [number, number];
  pad: Parameters<typeof backend_util.computeConv2DInfo>[4];
  dataFormat: "NHWC" | "NCHW";
  dilations?: number | [number, number];
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/**
 * Pixels of a batch's results from which Winograd's filters are faster than TensorFlow's kernels: few where filters have
 * few numbers, for each of which there is something to transform.
 */
const manyPixels = (filters: number) => Math.min(Math.max(filters / 64, 64), 256);

/** Channels below which they are not, and such products: sums are short then, and the transforms cost as much. */
const MANY = { channels: 8, filters: 256 };

/** Taps of all an image's channels up to which a transposed convolution to it is one product. */
const FEW = 64;

/**
 * The three convolutions straight on TensorFlow's ops, under their stock names: tfjs-node's own refuse explicit padding
 * and dilation in the backward pass, and every padding but 'same' and 'valid'.
 *
 * Where TensorFlow knows the zoo's ops, those of 3x3 taps with stride 1 or 2, and of 4x4 with stride 2, are computed by
 * Winograd's minimal filters (training/native/winograd.h), and transposed ones to images by one product
 * (few-channels.h); where there are tiles for the numbers asked for (conv2d.h), they serve all. None knows dilation, or
 * channels first.
 */
export function registerConv2D({ zoo, tiles }: { zoo: boolean; tiles: TiledNumbers }): void {
  const ours = (op: ConvOp, conv: Conv2DInfo): Ours | undefined => {
    if (conv.dataFormat !== "channelsLast" || conv.dilationHeight !== 1 || conv.dilationWidth !== 1) return undefined;
    if (zoo && op === "Conv2DBackpropInput" && hasFewChannels(conv)) return toFewChannels;
    if (isTiled(tiles)) return onTiles;
    return zoo && isForWinograd(conv) ? byWinograd : undefined;
  };

  registerTensorflow<StockConvAttrs>("Conv2D", ({ x, filter }, attrs, backend) => {
    const conv = info(x.shape, filter.shape, attrs);
    const compute = ours("Conv2D", conv);
    return compute ? compute(backend, "Conv2D", conv, x, filter) : stockConv2D(backend, conv, x, filter);
  });

  if (zoo) {
    // With its bias: models/src/ops/conv2d.ts looks for both.
    registerTensorflow<StockConvAttrs & Pick<Conv2DAttrs, "activation">>(
      "ZooBiasedConv2D",
      ({ x, filter, bias }, attrs, backend) => {
        const conv = info(x.shape, filter.shape, attrs);
        const compute = ours("Conv2D", conv);
        const relu = attrs.activation === "relu";
        if (!compute) return withBias(backend, stockConv2D(backend, conv, x, filter), bias, relu);
        return compute(backend, "Conv2D", conv, x, filter, { bias, relu });
      },
    );
    // A transposed convolution with its bias: models/src/ops/conv-transpose2d.ts looks for it.
    registerTensorflow<StockConvAttrs & { inputShape: number[] }>(
      "ZooBiasedConvTranspose2D",
      ({ x, filter, bias }, attrs, backend) => {
        const conv = info(attrs.inputShape, filter.shape, attrs);
        const compute = ours("Conv2DBackpropInput", conv);
        if (!compute) return withBias(backend, stockBackpropInput(backend, conv, x, filter), bias);
        return compute(backend, "Conv2DBackpropInput", conv, x, filter, { bias });
      },
    );
    registerTensorflow("ZooSumChannels", ({ x }, _, backend) => {
      const type = numbersOf(x, backend);
      return executeTyped(backend, "ZooSumPixels", { T: { type } }, [[x, type]], 1)[0];
    });
  }

  registerTensorflow<StockConvAttrs & { inputShape: number[] }>(
    "Conv2DBackpropInput",
    ({ dy, filter }, attrs, backend) => {
      const conv = info(attrs.inputShape, filter.shape, attrs);
      const compute = ours("Conv2DBackpropInput", conv);
      return compute
        ? compute(backend, "Conv2DBackpropInput", conv, dy, filter)
        : stockBackpropInput(backend, conv, dy, filter);
    },
  );

  registerTensorflow<StockConvAttrs & { filterShape: number[] }>(
    "Conv2DBackpropFilter",
    ({ x, dy }, attrs, backend) => {
      const conv = info(x.shape, attrs.filterShape, attrs);
      const compute = ours("Conv2DBackpropFilter", conv);
      if (compute) return compute(backend, "Conv2DBackpropFilter", conv, x, dy);
      const same = sameFilter(conv);
      return tidy(() => {
        const shape = same ? [...same, ...attrs.filterShape.slice(2)] : attrs.filterShape;
        const inputs = [x, tensor1d(shape, "int32"), dy];
        const dw = backend.executeSingleOutput("Conv2DBackpropFilter", convAttrs(conv, backend, same), inputs);
        return same ? slice(dw, [0, 0, 0, 0], attrs.filterShape) : dw;
      });
    },
  );
}

function stockConv2D(backend: TensorflowBackend, conv: Conv2DInfo, x: TensorInfo, filter: TensorInfo): Tensor {
  return backend.executeSingleOutput("Conv2D", convAttrs(conv, backend), [x, filter]);
}

function stockBackpropInput(backend: TensorflowBackend, conv: Conv2DInfo, dy: TensorInfo, filter: TensorInfo): Tensor {
  const same = sameFilter(conv);
  return tidy(() => {
    const sizes = tensor1d(conv.inShape, "int32");
    const taps = same ? enlarged(filter as Tensor, same) : filter;
    return backend.executeSingleOutput("Conv2DBackpropInput", convAttrs(conv, backend, same), [sizes, taps, dy]);
  });
}

function info(inputShape: TensorInfo["shape"], filterShape: number[], attrs: StockConvAttrs): Conv2DInfo {
  return backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    false,
    backend_util.convertConv2DDataFormat(attrs.dataFormat),
  );
}

/**
 * TensorFlow has no fast gradient for explicit zeros, but 'same' puts the zeros of a slightly larger filter in the
 * same places: with stride 2, a 3×3 filter with one zero on either side of an even image samples what a 4×4 one does
 * whose last row and column are 0. @returns the filter's size for which 'same' is this convolution, if there is one
 */
function sameFilter(conv: Conv2DInfo): [height: number, width: number] | undefined {
  const axis = (size: number, filter: number, stride: number, before: number, output: number) => {
    for (let larger = filter; larger < filter + stride; larger++) {
      const total = Math.max((Math.ceil(size / stride) - 1) * stride + larger - size, 0);
      if (Math.ceil(size / stride) === output && Math.floor(total / 2) === before) return larger;
    }
    return undefined;
  };
  if (conv.padInfo.type === "SAME" || conv.padInfo.type === "VALID" || isSame(conv)) return undefined;
  if (conv.dilationHeight !== 1 || conv.dilationWidth !== 1) return undefined;
  const { top, left } = conv.padInfo;
  const height = axis(conv.inHeight, conv.filterHeight, conv.strideHeight, top, conv.outHeight);
  const width = axis(conv.inWidth, conv.filterWidth, conv.strideWidth, left, conv.outWidth);
  return height === undefined || width === undefined ? undefined : [height, width];
}

/** A filter with zeros after its last row and column. */
function enlarged(filter: Tensor, [height, width]: [height: number, width: number]): Tensor {
  const [rows, columns] = filter.shape;
  return pad(filter, [
    [0, height - rows],
    [0, width - columns],
    [0, 0],
    [0, 0],
  ]);
}

function convAttrs(conv: Conv2DInfo, backend: TensorflowBackend, same?: [height: number, width: number]) {
  const { top, bottom, left, right, type } = conv.padInfo;
  const channelsLast = conv.dataFormat === "channelsLast";
  const pads = [top, bottom, left, right];
  const explicit = !same && type !== "SAME" && pads.some((n) => n > 0) && !isSame(conv);
  const spatial = (height: number, width: number) => (channelsLast ? [1, height, width, 1] : [1, 1, height, width]);
  return opAttrs(backend, {
    T: { type: "float32" },
    strides: spatial(conv.strideHeight, conv.strideWidth),
    padding: explicit ? "EXPLICIT" : pads.some((n) => n > 0) || type === "SAME" ? "SAME" : "VALID",
    explicit_paddings: explicit ? (channelsLast ? [0, 0, ...pads, 0, 0] : [0, 0, 0, 0, ...pads]) : [],
    data_format: channelsLast ? "NHWC" : "NCHW",
    dilations: spatial(conv.dilationHeight, conv.dilationWidth),
  });
}

type ConvOp = "Conv2D" | "Conv2DBackpropInput" | "Conv2DBackpropFilter";

/** One of the zoo's convolutions. */
type Ours = (
  backend: TensorflowBackend,
  op: ConvOp,
  conv: Conv2DInfo,
  first: TensorInfo,
  second: TensorInfo,
  options?: { bias?: TensorInfo; relu?: boolean },
) => Tensor;

/** Where the windows lie, and the one size that an op's inputs do not tell: (height, width) of the result. */
function windowOf(op: ConvOp, conv: Conv2DInfo) {
  const sizes = {
    Conv2D: [conv.outHeight, conv.outWidth],
    Conv2DBackpropInput: [conv.inHeight, conv.inWidth],
    Conv2DBackpropFilter: [conv.filterHeight, conv.filterWidth],
  };
  return {
    strides: [conv.strideHeight, conv.strideWidth],
    padding: [conv.padInfo.top, conv.padInfo.left],
    size: sizes[op],
  };
}

/**
 * By ops that know bf16, and in it take images of either kind and return images in bf16; filters and their gradients are
 * always in single precision.
 */
const inEither =
  (how: "" | "FewChannels"): Ours =>
  (backend, op, conv, first, second, { bias, relu = false } = {}) => {
    const bf16 = isBf16();
    const numbers = (tensor: TensorInfo) => (bf16 ? numbersOf(tensor, backend) : "float32");
    const ofFilter = op === "Conv2DBackpropFilter";
    const [x, y]: [Numbers, Numbers] = ofFilter
      ? [numbers(first), numbers(second)]
      : [numbers(first), bf16 ? "bfloat16" : "float32"];
    const N = bias === undefined ? 0 : 1;
    const attrs = { ...windowOf(op, conv), bf16, X: { type: x }, Y: { type: y }, ...(!ofFilter && { N, relu }) };
    const taken: [TensorInfo, Numbers] = [second, ofFilter ? y : "float32"];
    const biases = bias === undefined ? [] : [[bias, "float32"] as const];
    return executeTyped(backend, `Zoo${how}${op}`, attrs, [[first, x], taken, ...biases], 1)[0];
  };
const onTiles = inEither("");
const toFewChannels = inEither("FewChannels");

const byWinograd: Ours = (backend, op, conv, first, second, { bias, relu = false } = {}) => {
  const biases = bias === undefined ? [] : [bias];
  const attrs = { ...windowOf(op, conv), ...(op !== "Conv2DBackpropFilter" && { N: biases.length, relu }) };
  return executeTyped(backend, `ZooWinograd${op}`, attrs, single(first, second, ...biases), 1)[0];
};

/** Whether the taps of all channels are few enough for a product. */
const hasFewChannels = ({ filterHeight, filterWidth, inChannels }: Conv2DInfo) =>
  filterHeight * filterWidth > 1 && filterHeight * filterWidth * inChannels <= FEW;

function isForWinograd(conv: Conv2DInfo): boolean {
  const { strideHeight: stride, strideWidth, filterHeight, filterWidth, inChannels, outChannels } = conv;
  if (strideWidth !== stride || filterHeight !== filterWidth) return false;
  if (!(filterHeight === 3 && stride <= 2) && !(filterHeight === 4 && stride === 2)) return false;
  const pixels = conv.batchSize * conv.outHeight * conv.outWidth;
  const filters = inChannels * outChannels;
  if (Math.min(inChannels, outChannels) < MANY.channels || filters < MANY.filters) return false;
  return pixels >= manyPixels(filters);
}

/** Whether explicit zeros are what 'same' would add: with stride 1, half of the window on either side. */
function isSame({ padInfo, strideHeight, strideWidth, effectiveFilterHeight, effectiveFilterWidth }: Conv2DInfo) {
  return (
    strideHeight === 1 &&
    strideWidth === 1 &&
    padInfo.top === padInfo.bottom &&
    padInfo.left === padInfo.right &&
    2 * padInfo.top === effectiveFilterHeight - 1 &&
    2 * padInfo.left === effectiveFilterWidth - 1
  );
}
