import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import {
  type AdapterInfo,
  adapterText,
  deviceText,
  isSoftwareAdapter,
  registerWebgpuKernels,
  suitAdapter,
} from "@tfjs-zoo/models/kernels/webgpu";
import { askChild } from "./ask-child.ts";
import { oneLine } from "./one-line.ts";
import type { BackendOptions, StartedBackend } from "./types.ts";

const require = createRequire(import.meta.url);

export interface WebgpuAdapter {
  info: AdapterInfo;
}

interface GPU {
  requestAdapter(options?: { powerPreference?: string }): Promise<WebgpuAdapter | null>;
}

let gpu: GPU | undefined;

/** Puts Dawn's WebGPU where a page would have it: the global classes, and navigator.gpu. */
async function provideWebgpu(): Promise<GPU> {
  if (gpu) return gpu;
  let dawn: { create(options: string[]): GPU; globals: object };
  try {
    dawn = await import("webgpu");
  } catch (error) {
    throw new Error(`the npm package webgpu does not load here: ${oneLine(error)}`);
  }
  Object.assign(globalThis, dawn.globals);
  gpu = dawn.create([]);
  // Node 20 has no navigator; later ones have a read-only one.
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}

/**
 * Looks for a WebGPU adapter; the graphics driver decides (on Linux a Vulkan one; VK_ICD_FILENAMES names others).
 *
 * @throws Error with one line when there is none
 */
export async function findAdapter(): Promise<WebgpuAdapter> {
  const adapter = await (await provideWebgpu()).requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    const driver = process.platform === "linux" ? "a Vulkan driver" : "a graphics driver";
    throw new Error(`no GPU adapter: WebGPU needs ${driver} that this system does not have`);
  }
  return adapter;
}

/**
 * The name of this machine's graphics card.
 *
 * @throws InputError with one line: no adapter, or only one that computes on the processor
 */
export async function graphicsCard(): Promise<string> {
  try {
    return adapterText(await askAdapter({ software: false }));
  } catch (error) {
    throw new InputError(`no graphics card: ${oneLine(error)}`);
  }
}

/** Looks for an adapter in another process: a driver that is missing or broken may print or crash. */
async function askAdapter({ software }: { software: boolean }): Promise<AdapterInfo> {
  const { info, reason } = await askChild<{ info?: AdapterInfo; reason?: string }>("webgpu-child", []);
  if (!info) throw new Error(reason);
  if (!software && isSoftwareAdapter(info)) {
    throw new Error(`the only adapter is a software one (${adapterText(info)}), slower than wasm`);
  }
  return info;
}

/**
 * Starts tfjs's WebGPU kernels on Dawn. A process in which it has started does not end by itself: leave with
 * process.exit.
 *
 * @param software whether an adapter that computes on the processor will do. Default true.
 * @throws Error with one line: no adapter, or only a software one
 */
export async function startWebgpu(
  { kernels = true }: BackendOptions = {},
  { software = true }: { software?: boolean } = {},
): Promise<StartedBackend> {
  const info = await askAdapter({ software });
  await provideWebgpu();
  // Imported only now: the package looks for navigator.gpu when it is loaded.
  await import("@tensorflow/tfjs-backend-webgpu");
  const { version }: { version: string } = require("@tensorflow/tfjs-backend-webgpu/package.json");
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs could not start its webgpu backend");
  if (kernels) registerWebgpuKernels();
  suitAdapter(info);
  const device = deviceText(info);
  return { version, about: device, device };
}
