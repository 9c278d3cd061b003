import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { setThreadsCount, setWasmPaths, version_wasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import type { BackendOptions, StartedBackend } from "./types.ts";

const require = createRequire(import.meta.url);
let prepared = false;

/** Starts tfjs's WebAssembly kernels on one thread, with the gradient kernels it lacks. */
export async function startWasm({ kernels = true }: BackendOptions = {}): Promise<StartedBackend> {
  if (!prepared) {
    const folder = dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
    setWasmPaths(join(folder, "dist") + sep);
    // Threads want a Worker that Node does not have, and gave nothing on two cores.
    setThreadsCount(1);
    if (kernels) registerWasmKernels();
    prepared = true;
  }
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs could not start its wasm backend");
  return { version: version_wasm, threads: 1, about: `WebAssembly ${simdText()}` };
}

function simdText(): string {
  return tf.env().get("WASM_HAS_SIMD_SUPPORT") ? "with SIMD" : "without SIMD";
}
