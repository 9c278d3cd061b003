import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import { deviceText, isSoftwareAdapter, registerWebgpuKernels, suitAdapter } from "@tfjs-zoo/models/kernels/webgpu";
import { type Backend, backendTitle } from "./backend-name.ts";

export { type Backend, backendTitle };

/** What this browser has of WebGPU. */
export interface Webgpu {
  /** Why it can't be used, for people. */
  missing?: string;
  /** Whether the processor computes it, which is slower than WebAssembly. */
  software: boolean;
  /** the graphics card, or what stands in for one, as far as the browser says */
  device?: string;
}

/** Asks the browser for WebGPU; nothing is loaded or started. */
export async function askForWebgpu(): Promise<Webgpu> {
  if (!("gpu" in navigator)) return { missing: "This browser has no WebGPU", software: false };
  const info = await adapterInfo();
  if (info === undefined) return { missing: "This browser's WebGPU finds no graphics card", software: false };
  return { software: isSoftwareAdapter(info), device: deviceText(info) };
}

/** Of the adapter that TensorFlow.js would take; undefined where there is none. */
async function adapterInfo(): Promise<Partial<GPUAdapterInfo> | undefined> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  return adapter === null ? undefined : (adapter.info ?? {}); // older browsers say nothing of it
}

/**
 * Makes a backend the one in use; its code is fetched at the first call.
 *
 * @throws InputError where this browser has not got it
 */
export async function startBackend(name: Backend): Promise<void> {
  await (name === "wasm" ? prepareWasm() : prepareWebgpu());
  if (!(await tf.setBackend(name).catch(() => false))) {
    throw new InputError(`${backendTitle[name]} does not start in this browser`);
  }
}

async function prepareWebgpu(): Promise<void> {
  await import("@tensorflow/tfjs-backend-webgpu");
  registerWebgpuKernels();
  suitAdapter((await adapterInfo()) ?? {});
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
