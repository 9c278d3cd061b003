import { backend_util, dispose, type TensorInfo, tensor1d } from "@tensorflow/tfjs-core";
import { opAttrs, registerTensorflow, type TensorflowBackend } from "./backend.ts";

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
 */
export function registerConv2D(): void {
  registerTensorflow<StockConvAttrs>("Conv2D", ({ x, filter }, attrs, backend) =>
    backend.executeSingleOutput("Conv2D", convAttrs(info(x.shape, filter.shape, attrs), backend), [x, filter]),
  );

  registerTensorflow<StockConvAttrs & { inputShape: number[] }>(
    "Conv2DBackpropInput",
    ({ dy, filter }, attrs, backend) => {
      const conv = info(attrs.inputShape, filter.shape, attrs);
      const sizes = tensor1d(attrs.inputShape, "int32");
      const dx = backend.executeSingleOutput("Conv2DBackpropInput", convAttrs(conv, backend), [sizes, filter, dy]);
      dispose(sizes);
      return dx;
    },
  );

  registerTensorflow<StockConvAttrs & { filterShape: number[] }>(
    "Conv2DBackpropFilter",
    ({ x, dy }, attrs, backend) => {
      const conv = info(x.shape, attrs.filterShape, attrs);
      const sizes = tensor1d(attrs.filterShape, "int32");
      const dw = backend.executeSingleOutput("Conv2DBackpropFilter", convAttrs(conv, backend), [x, sizes, dy]);
      dispose(sizes);
      return dw;
    },
  );
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

function convAttrs(conv: Conv2DInfo, backend: TensorflowBackend) {
  const { top, bottom, left, right, type } = conv.padInfo;
  const channelsLast = conv.dataFormat === "channelsLast";
  const pads = [top, bottom, left, right];
  const explicit = type !== "SAME" && pads.some((n) => n > 0) && !isSame(conv);
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
