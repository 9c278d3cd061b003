import { env } from "@tensorflow/tfjs-core";
import { type AdapterInfo, isSoftwareAdapter } from "./adapter.ts";

/**
 * tfjs's program for any product of matrices. On a processor, the one that it has for small results takes thirty times
 * as long (11 ms for 3x4 by 4x5), since the threads that share a sum wait for each other at every step.
 */
const PACKED = 3;

/** Sets tfjs's WebGPU backend to what suits an adapter. Call it after the package is loaded, before the first product. */
export function suitAdapter(info: AdapterInfo): void {
  if (isSoftwareAdapter(info)) env().set("WEBGPU_MATMUL_PROGRAM_TYPE", PACKED);
}
