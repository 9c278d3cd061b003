import {
  type DataType,
  engine,
  getKernel,
  type KernelFunc,
  registerKernel,
  Tensor,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

/**
 * A compute shader as tfjs's WebGPU backend runs it; results are written by `setOutputAtIndex` or into `result`. Each run
 * takes a new one, since the backend writes into it: one that ran twice would be compiled twice.
 */
export interface Program {
  /** names of the inputs in the shader, arrays of f32 or i32 */
  variableNames: string[];
  outputShape: number[];
  workgroupSize: [number, number, number];
  /** workgroups */
  dispatch: [number, number, number];
  /** which of the output's axes run along which of the dispatch's */
  dispatchLayout: { x: number[]; y?: number[]; z?: number[] };
  /** what the shader knows of besides: "rows : i32, epsilon : f32," */
  uniforms?: string;
  /** whether it knows the output's size as `uniforms.size` */
  size?: boolean;
  /** the same for programs of the same code */
  shaderKey: string;
  getUserCode(): string;
}

export type Uniforms = { type: "int32" | "float32"; data: number[] }[];

/** The part of tfjs's WebGPU backend that kernels use. Kernels receive it; nothing of tfjs-backend-webgpu is imported. */
export interface WebgpuBackend {
  readonly device: { createShaderModule(descriptor: { code: string }): unknown };
  /** @param output what the result is written into, instead of a tensor of the program's output shape */
  runWebGPUProgram(
    program: Program,
    inputs: TensorInfo[],
    dtype: DataType,
    uniforms?: Uniforms,
    output?: TensorInfo,
  ): TensorInfo;
  /** A tensor whose memory holds anything. */
  makeTensorInfo(shape: number[], dtype: DataType): TensorInfo;
  disposeData(dataId: object): void;
}

export type Inputs = { [name: string]: TensorInfo };

/** What a kernel is handed. */
export interface Call<Attrs> {
  inputs: Inputs;
  attrs: Attrs;
  backend: WebgpuBackend;
}

export const backendName = "webgpu";

/** The kernel that tfjs-backend-webgpu brings under this name. */
export function stockKernel(kernelName: string): KernelFunc {
  const stock = getKernel(kernelName, backendName);
  if (!stock) throw new Error(`no webgpu kernel ${kernelName}: import @tensorflow/tfjs-backend-webgpu first`);
  return stock.kernelFunc;
}

/** Registers a WebGPU kernel in place of any that has its name. */
export function registerWebgpu<Attrs extends object>(
  kernelName: string,
  kernel: (call: Call<Attrs>) => TensorInfo | TensorInfo[],
): void {
  if (getKernel(kernelName, backendName)) unregisterKernel(kernelName, backendName);
  const kernelFunc = (call: Call<Attrs>) => {
    const results = kernel(call);
    return Array.isArray(results) ? asTensors(results) : results;
  };
  registerKernel({ kernelName, backendName, kernelFunc: kernelFunc as unknown as KernelFunc });
}

/** Results as tensors: one that is among them twice, as an output and as saved, is one tensor. */
export function asTensors(infos: readonly TensorInfo[]): Tensor[] {
  const tensors = new Map(infos.map((info) => [info, info instanceof Tensor ? info : undefined]));
  return infos.map((info) => {
    const tensor = tensors.get(info) ?? engine().makeTensorFromTensorInfo(info);
    tensors.set(info, tensor);
    return tensor;
  });
}

/** What a program writes beside its result. */
export type Written = { [name: string]: number[] | TensorInfo };

/**
 * Runs a program that writes more tensors than one, which tfjs's own never do. The further ones are bound as inputs, and
 * when the shader is compiled it is told that it may write them. With all that it reads, and the output, they may be
 * eight: no device need have more buffers for a shader.
 *
 * @param written the further tensors by their names in the shader, or their shapes, of which they are made
 * @param output what the program's own result is written into, if it exists already
 * @returns the program's own result, then the others
 */
export function runWriting(
  program: Program,
  inputs: TensorInfo[],
  written: Written,
  uniforms: Uniforms,
  backend: WebgpuBackend,
  output?: TensorInfo,
): TensorInfo[] {
  const names = Object.keys(written);
  const others = Object.values(written).map((given) =>
    Array.isArray(given) ? backend.makeTensorInfo(given, "float32") : given,
  );
  const whole = { ...program, variableNames: [...program.variableNames, ...names] };
  const { device } = backend;
  const { createShaderModule } = device;
  device.createShaderModule = ({ code, ...rest }) =>
    createShaderModule.call(device, {
      code: names.reduce(
        (text, name) => text.replace(`<storage, read> ${name}:`, `<storage, read_write> ${name}:`),
        code,
      ),
      ...rest,
    });
  try {
    const own = backend.runWebGPUProgram(whole, [...inputs, ...others], "float32", uniforms, output);
    return [own, ...others];
  } finally {
    device.createShaderModule = createShaderModule;
  }
}

/** Threads in a workgroup: what every device has. */
export const THREADS = 256;

/** A program of one thread for each element of its output, whose code has the element's number as `index`. */
export function elementwise(
  about: Pick<Program, "variableNames" | "outputShape" | "uniforms" | "shaderKey">,
  body: string,
): Program {
  const size = about.outputShape.reduce((a, b) => a * b, 1);
  return {
    ...about,
    size: true,
    workgroupSize: [THREADS, 1, 1],
    dispatch: [Math.ceil(size / THREADS), 1, 1],
    dispatchLayout: { x: about.outputShape.map((_, axis) => axis) },
    getUserCode: () => `fn main(index : i32) {
      if (index < uniforms.size) {
        ${body}
      }
    }`,
  };
}
