import { backend_util, pad, slice, type Tensor, type TensorInfo, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Conv2DAttrs } from "../../ops/conv2d.ts";
import { opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";
import { executeTyped, isBf16, isTiled, type Numbers, numbersOf, type TiledNumbers, withBias } from "./bf16.ts";

type Conv2DInfo = backend_util.Conv2DInfo;

interface StockConvAttrs {
  strides: number | [number, number];
  pad: Parameters<typeof backend_util.computeConv2DInfo>[4];
  dataFormat: "NHWC" | "NCHW";
  dilations?: number | [number, number];
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/**
 * The three convolutions straight on TensorFlow's ops, under their stock names: tfjs-node's own refuse explicit padding
 * and dilation in the backward pass, and every padding but 'same' and 'valid'.
 *
 * @param tiles in which numbers TensorFlow knows the zoo's convolutions (training/native/conv2d.h), which serve all but
 *   dilated ones and channels first
 */
export function registerConv2D(tiles: TiledNumbers): void {
  const served = (conv: Conv2DInfo) =>
    isTiled(tiles) && conv.dataFormat === "channelsLast" && conv.dilationHeight === 1 && conv.dilationWidth === 1;

  registerTensorflow<StockConvAttrs>("Conv2D", ({ x, filter }, attrs, backend) => {
    const conv = info(x.shape, filter.shape, attrs);
    return served(conv)
      ? onTiles(backend, "ZooConv2D", conv, [conv.outHeight, conv.outWidth], x, filter)
      : stockConv2D(backend, conv, x, filter);
  });

  if (tiles.f32 || tiles.bf16) {
    // With its bias: models/src/ops/conv2d.ts looks for both.
    registerTensorflow<StockConvAttrs & Pick<Conv2DAttrs, "activation">>(
      "ZooBiasedConv2D",
      ({ x, filter, bias }, attrs, backend) => {
        const conv = info(x.shape, filter.shape, attrs);
        const relu = attrs.activation === "relu";
        if (!served(conv)) return withBias(backend, stockConv2D(backend, conv, x, filter), bias, relu);
        return onTiles(backend, "ZooConv2D", conv, [conv.outHeight, conv.outWidth], x, filter, { bias, relu });
      },
    );
    // A transposed convolution with its bias: models/src/ops/conv-transpose2d.ts looks for it.
    registerTensorflow<StockConvAttrs & { inputShape: number[] }>(
      "ZooBiasedConvTranspose2D",
      ({ x, filter, bias }, attrs, backend) => {
        const conv = info(attrs.inputShape, filter.shape, attrs);
        if (!served(conv)) return withBias(backend, stockBackpropInput(backend, conv, x, filter), bias);
        return onTiles(backend, "ZooConv2DBackpropInput", conv, [conv.inHeight, conv.inWidth], x, filter, { bias });
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
      return served(conv)
        ? onTiles(backend, "ZooConv2DBackpropInput", conv, [conv.inHeight, conv.inWidth], dy, filter)
        : stockBackpropInput(backend, conv, dy, filter);
    },
  );

  registerTensorflow<StockConvAttrs & { filterShape: number[] }>(
    "Conv2DBackpropFilter",
    ({ x, dy }, attrs, backend) => {
      const conv = info(x.shape, attrs.filterShape, attrs);
      if (served(conv)) {
        return onTiles(backend, "ZooConv2DBackpropFilter", conv, [conv.filterHeight, conv.filterWidth], x, dy);
      }
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

/**
 * One of the zoo's convolutions. In bf16 they take images of either kind, and return images in bf16; filters and their
 * gradients are always in single precision.
 *
 * @param size height and width of the result
 */
function onTiles(
  backend: TensorflowBackend,
  op: "ZooConv2D" | "ZooConv2DBackpropInput" | "ZooConv2DBackpropFilter",
  conv: Conv2DInfo,
  size: number[],
  first: TensorInfo,
  second: TensorInfo,
  { bias, relu = false }: { bias?: TensorInfo; relu?: boolean } = {},
): Tensor {
  const bf16 = isBf16();
  const numbers = (tensor: TensorInfo) => (bf16 ? numbersOf(tensor, backend) : "float32");
  const [x, y]: [Numbers, Numbers] =
    op === "ZooConv2DBackpropFilter"
      ? [numbers(first), numbers(second)]
      : [numbers(first), bf16 ? "bfloat16" : "float32"];
  const strides = [conv.strideHeight, conv.strideWidth];
  const padding = [conv.padInfo.top, conv.padInfo.left];
  const N = bias === undefined ? 0 : 1;
  const attrs = {
    strides,
    padding,
    size,
    bf16,
    X: { type: x },
    Y: { type: y },
    ...(op !== "ZooConv2DBackpropFilter" && { N, relu }),
  };
  const taken: [TensorInfo, Numbers] = [second, op === "ZooConv2DBackpropFilter" ? y : "float32"];
  const biases = bias === undefined ? [] : [[bias, "float32"] as const];
  return executeTyped(backend, op, attrs, [[first, x], taken, ...biases], 1)[0];
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
