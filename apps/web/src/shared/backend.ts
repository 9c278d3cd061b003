import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import { type Backend, backendTitle } from "./backend-name.ts";

export { type Backend, backendTitle };

/** What this browser has of WebGPU. */
export interface Webgpu {
  /** Why it can't be used, for people. */
  missing?: string;
  /** Whether the processor computes it, which is slower than WebAssembly. */
  software: boolean;
}

/** Asks the browser for WebGPU; nothing is loaded or started. */
export async function askForWebgpu(): Promise<Webgpu> {
  if (!("gpu" in navigator)) return { missing: "This browser has no WebGPU", software: false };
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (adapter === null) return { missing: "This browser's WebGPU finds no graphics card", software: false };
  const info: Partial<GPUAdapterInfo> = adapter.info ?? {}; // older browsers have none
  return { software: info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(info.architecture ?? "") };
}

/**
 * Makes a backend the one in use; its code is fetched at the first call.
 *
 * @throws InputError where this browser has not got it
 */
export async function startBackend(name: Backend): Promise<void> {
  await (name === "wasm" ? prepareWasm() : import("@tensorflow/tfjs-backend-webgpu"));
  if (!(await tf.setBackend(name).catch(() => false))) {
    throw new InputError(`${backendTitle[name]} does not start in this browser`);
  }
}

let wasm: Promise<void> | undefined;

function prepareWasm(): Promise<void> {
  wasm ??= (async () => {
    const [{ setWasmPaths }, { registerWasmKernels }] = await Promise.all([
      import("@tensorflow/tfjs-backend-wasm"),
      import("@tfjs-zoo/models/kernels/wasm"),
    ]);
    // Threads need a site that is isolated from all others, and gave nothing on two cores.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setWasmPaths({
      "tfjs-backend-wasm.wasm": plain,
      "tfjs-backend-wasm-simd.wasm": simd,
      "tfjs-backend-wasm-threaded-simd.wasm": simd,
    });
    registerWasmKernels();
  })();
  return wasm;
}
