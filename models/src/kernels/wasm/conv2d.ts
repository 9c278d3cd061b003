import {
  Conv2D,
  DepthwiseConv2dNative,
  FusedConv2D,
  FusedDepthwiseConv2D,
  type NamedAttrMap,
} from "@tensorflow/tfjs-core";
import { type ConvAttrs, convInfo, spellOut } from "../conv-info.ts";
import { registerWasm, stockKernel } from "./backend.ts";

/**
 * The stock convolutions, put right where they are wrong: with padding 'same' and a stride larger than the filter,
 *
 *   y[i, j] = Σ_{u,v} x[s i + u, s j + v] w[u, v]
 *
 * needs no padding at the start, but XNNPACK shifts the window. The same padding spelled out gives the right values.
 * So it does for a number of zeros with a filter or strides that are not square, which tfjs gives a wrong output shape.
 */
export function registerConv2D(): void {
  for (const name of [Conv2D, FusedConv2D]) replace(name, false);
  for (const name of [DepthwiseConv2dNative, FusedDepthwiseConv2D]) replace(name, true);
}

function replace(kernelName: string, depthwise: boolean): void {
  const stock = stockKernel(kernelName);
  registerWasm<ConvAttrs>(kernelName, ({ inputs, attrs, backend }) =>
    stock.kernelFunc({ inputs, backend, attrs: explicit(inputs.x.shape, inputs.filter.shape, attrs, depthwise) }),
  );
}

function explicit(xShape: number[], filterShape: number[], attrs: ConvAttrs, depthwise: boolean): NamedAttrMap {
  const asGiven = attrs as unknown as NamedAttrMap;
  if (typeof attrs.pad === "number") return { ...asGiven, pad: spellOut(attrs.pad) } as unknown as NamedAttrMap;
  if (attrs.pad !== "same") return asGiven;
  const info = convInfo(xShape, filterShape, attrs, depthwise);
  if (info.strideHeight <= info.effectiveFilterHeight && info.strideWidth <= info.effectiveFilterWidth) return asGiven;
  const { top, bottom, left, right } = info.padInfo;
  const pad = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  return { ...asGiven, pad } as unknown as NamedAttrMap;
}
