import { Conv2DBackpropFilter, type KernelFunc, type TensorInfo } from "@tensorflow/tfjs-core";
import { type ConvAttrs, convInfo } from "../conv-info.ts";
import {
  elementwise,
  type Program,
  registerWebgpu,
  stockKernel,
  THREADS,
  type Uniforms,
  type WebgpuBackend,
} from "./backend.ts";

/** Rows of a workgroup's tile, and pixels that it takes at a time. */
const [TILE, PIXELS] = [64, 16];
/** Rows of the tile that a thread has. */
const OWN = 4;
/** Workgroups that fill a large card, and pixels that each takes at least. */
const [WORKGROUPS, SHORTEST] = [512, 128];

/**
 * Gradient of a convolution for its filter:
 *
 *   ∂L/∂w[u, v, c, o] = Σ_{n,i,j} x[n, s i + u − p, s j + v − p, c] ∂L/∂y[n, i, j, o]
 *
 * A product of matrices whose sum is far longer than its sides: 131,072 pixels for 144 by 16 numbers in the first
 * convolutions of a ResNet-20 for CIFAR and a batch of 128. tfjs has a thread for each number of the filter, which goes
 * through all pixels; here workgroups share the pixels, as many as fill a card, and their sums are added.
 */
export function registerConv2DBackpropFilter(): void {
  const stock = stockKernel(Conv2DBackpropFilter);
  registerWebgpu<ConvAttrs & { filterShape: number[] }>(Conv2DBackpropFilter, (call) => {
    const { inputs, attrs, backend } = call;
    if (attrs.dataFormat === "NCHW") return stock(call as unknown as Parameters<KernelFunc>[0]);
    const { x, dy } = inputs;
    const { filterShape } = attrs;
    const info = convInfo(x.shape, filterShape, attrs);
    const [rows, columns] = [filterShape[0] * filterShape[1] * filterShape[2], filterShape[3]];
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    // A narrow tile where there are few filters, so that no thread is idle.
    const wide = columns <= 16 ? 16 : columns <= 32 ? 32 : 64;
    const tiles = Math.ceil(rows / TILE) * Math.ceil(columns / wide);
    const parts = Math.max(1, Math.min(Math.ceil(WORKGROUPS / tiles), Math.ceil(pixels / SHORTEST)));
    const length = Math.ceil(pixels / parts / PIXELS) * PIXELS;
    const program: Program = {
      variableNames: ["x", "dy"],
      outputShape: [parts, rows, columns],
      workgroupSize: [THREADS, 1, 1],
      dispatch: [Math.ceil(columns / wide), Math.ceil(rows / TILE), parts],
      dispatchLayout: { x: [2], y: [1], z: [0] },
      uniforms: "filterWidth : i32, rows : i32, length : i32, strides : vec2<i32>, pads : vec2<i32>,",
      shaderKey: `zooConv2DBackpropFilter_${wide}`,
      getUserCode: () => code(wide),
    };
    const uniforms: Uniforms = [
      { type: "int32", data: [filterShape[1]] },
      { type: "int32", data: [rows] },
      { type: "int32", data: [length] },
      { type: "int32", data: [info.strideHeight, info.strideWidth] },
      { type: "int32", data: [info.padInfo.top, info.padInfo.left] },
    ];
    const sums = backend.runWebGPUProgram(program, [x, dy], "float32", uniforms);
    if (parts === 1) return { ...sums, shape: filterShape };
    const gradient = addParts(sums, filterShape, backend);
    backend.disposeData(sums.dataId);
    return gradient;
  });
}

/** The sums of a part of the pixels: rows are (u, v, c), columns o. */
const code = (wide: number): string => {
  const own = wide / 16;
  return `
    var<workgroup> heldX : array<f32, ${PIXELS * TILE}>;
    var<workgroup> heldDy : array<f32, ${PIXELS * wide}>;

    fn main() {
      let thread = i32(localIndex);
      let height = uniforms.xShape[1];
      let width = uniforms.xShape[2];
      let inChannels = uniforms.xShape[3];
      let outHeight = uniforms.dyShape[1];
      let outWidth = uniforms.dyShape[2];
      let outChannels = uniforms.dyShape[3];
      let firstRow = i32(workgroupId.y) * ${TILE};
      let firstColumn = i32(workgroupId.x) * ${wide};
      let begin = i32(workgroupId.z) * uniforms.length;
      let end = min(begin + uniforms.length, uniforms.dyShape[0] * outHeight * outWidth);

      // What this thread fetches of x is of one tap and channel, whatever the pixel.
      let row = firstRow + thread % ${TILE};
      let u = row / (inChannels * uniforms.filterWidth);
      let v = row / inChannels % uniforms.filterWidth;
      let c = row % inChannels;

      let ownRow = thread / 16 * ${OWN};
      let ownColumn = thread % 16 * ${own};
      var sums : array<f32, ${OWN * own}>;
      for (var done = 0; done < uniforms.length; done += ${PIXELS}) {
        for (var k = thread / ${TILE}; k < ${PIXELS}; k += ${THREADS / TILE}) {
          let pixel = begin + done + k;
          let n = pixel / (outHeight * outWidth);
          let i = pixel / outWidth % outHeight * uniforms.strides.x + u - uniforms.pads.x;
          let j = pixel % outWidth * uniforms.strides.y + v - uniforms.pads.y;
          var value = 0.0;
          if (pixel < end && row < uniforms.rows && i >= 0 && i < height && j >= 0 && j < width) {
            value = x[((n * height + i) * width + j) * inChannels + c];
          }
          heldX[k * ${TILE} + thread % ${TILE}] = value;
        }
        for (var place = thread; place < ${PIXELS * wide}; place += ${THREADS}) {
          let pixel = begin + done + place / ${wide};
          let o = firstColumn + place % ${wide};
          var value = 0.0;
          if (pixel < end && o < outChannels) {
            value = dy[pixel * outChannels + o];
          }
          heldDy[place] = value;
        }
        workgroupBarrier();
        for (var k = 0; k < ${PIXELS}; k++) {
          for (var a = 0; a < ${OWN}; a++) {
            let value = heldX[k * ${TILE} + ownRow + a];
            for (var b = 0; b < ${own}; b++) {
              sums[a * ${own} + b] += value * heldDy[k * ${wide} + ownColumn + b];
            }
          }
        }
        workgroupBarrier();
      }

      for (var a = 0; a < ${OWN}; a++) {
        for (var b = 0; b < ${own}; b++) {
          let m = firstRow + ownRow + a;
          let o = firstColumn + ownColumn + b;
          if (m < uniforms.rows && o < outChannels) {
            result[(i32(workgroupId.z) * uniforms.rows + m) * outChannels + o] = sums[a * ${own} + b];
          }
        }
      }
    }`;
};

/**
 * @param sums [parts, rows, columns]
 * @returns their sum over the parts, in the shape of the filter
 */
function addParts(sums: TensorInfo, filterShape: number[], backend: WebgpuBackend): TensorInfo {
  const program = elementwise(
    { variableNames: ["sums"], outputShape: filterShape, uniforms: "parts : i32,", shaderKey: "zooAddParts" },
    `var total = 0.0;
        for (var part = 0; part < uniforms.parts; part++) {
          total += sums[part * uniforms.size + index];
        }
        setOutputAtIndex(index, total);`,
  );
  return backend.runWebGPUProgram(program, [sums], "float32", [{ type: "int32", data: [sums.shape[0]] }]);
}
