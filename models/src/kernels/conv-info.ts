import { backend_util } from "@tensorflow/tfjs-core";

export type Pad = "same" | "valid" | number | [number, number][];

/** The attributes that tfjs's convolutions share. */
export interface ConvAttrs {
  strides: number | [number, number];
  pad: Pad;
  dilations?: number | [number, number];
  dataFormat?: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
}

type Shape4D = [number, number, number, number];

/** One number of zeros for all sides, side by side: as a number tfjs takes it for square filters and strides only. */
export function spellOut(pad: Pad): Pad {
  if (typeof pad !== "number") return pad;
  return [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
}

/** Sizes, strides and padding of a convolution of `xShape` with a filter. @throws Error unless the layout is NHWC */
export function convInfo(xShape: number[], filterShape: number[], attrs: ConvAttrs, depthwise = false) {
  if (attrs.dataFormat === "NCHW") {
    throw new Error("the zoo's kernels of convolutions take channels last: set dataFormat to NHWC");
  }
  return backend_util.computeConv2DInfo(
    xShape as Shape4D,
    filterShape as Shape4D,
    attrs.strides,
    attrs.dilations ?? 1,
    spellOut(attrs.pad) as Parameters<typeof backend_util.computeConv2DInfo>[4],
    attrs.dimRoundingMode,
    depthwise,
  );
}
