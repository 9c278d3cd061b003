import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { inBf16, registerTensorflowKernels } from "@tfjs-zoo/models/kernels/tensorflow";
import { quietLoad } from "./native/quiet-load.ts";
import { startZooKernels } from "./native/zoo-kernels.ts";
import { installedNative, setupNative } from "./native-setup.ts";
import { oneLine } from "./one-line.ts";
import type { BackendOptions, Progress, StartedBackend } from "./types.ts";

const require = createRequire(import.meta.url);

/** The part of tfjs-node's binding that is used here. */
interface Binding {
  TF_Version: string;
}

interface NodeBackendModule {
  NodeJSKernelBackend: new (binding: Binding, packageName: string) => tf.KernelBackend;
}

/** tfjs-node 4.22 calls functions that Node 23 no longer has, and that Node 22 warns about. */
function restoreNodeUtil(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

let started: StartedBackend | undefined;

/** Sets a variable of the environment that TensorFlow reads once, unless the user has. */
function setDefault(name: string, value: string): void {
  process.env[name] ??= value;
}

function threadCount(asked: number | undefined): number {
  if (asked !== undefined) return asked;
  const fromEnvironment = Number(process.env.TF_NUM_INTRAOP_THREADS);
  return fromEnvironment > 0 ? fromEnvironment : availableParallelism();
}

/** Starts the zoo's own kernels too, where they can be had; says in a few words what that means for speed. */
async function registerKernels(
  folder: string,
  threads: number,
  progress?: Progress,
): Promise<{ remark: string; bf16: boolean }> {
  try {
    const tiles = await startZooKernels(folder, threads, progress);
    registerTensorflowKernels({ zoo: true, tiles });
    return { remark: tiles.f32 ? "; convolutions and products on the matrix unit" : "", bf16: tiles.bf16 };
  } catch (error) {
    registerTensorflowKernels();
    return { remark: `; without the zoo's own kernels, which would be faster: ${oneLine(error)}`, bf16: false };
  }
}

/**
 * Starts TensorFlow's own kernels as tfjs's `tensorflow` backend: tfjs-node's JavaScript from the npm package, its
 * binding and the library from the user's cache, where they are set up first when they are missing. TensorFlow reads
 * the number of threads when it is loaded, so only the first start in a process can choose it.
 *
 * @throws Error with one line that says what is missing and how to get it
 */
export async function startTensorflow(
  { progress, threads, setup = true, kernels = true }: BackendOptions = {},
  { again = true }: { again?: boolean } = {},
): Promise<StartedBackend> {
  if (!started) {
    const folder = setup ? await setupNative({ progress, again }) : installedNative();
    if (!folder) throw new Error("not set up yet: zoo doctor --setup downloads and compiles it");
    const count = threadCount(threads);
    process.env.TF_NUM_INTRAOP_THREADS = String(count);
    setDefault("TF_CPP_MIN_LOG_LEVEL", "2");
    restoreNodeUtil();
    let binding: Binding;
    try {
      binding = quietLoad(folder);
    } catch (error) {
      throw new Error(`${oneLine(error)}; remove ${folder} to have it set up afresh`);
    }
    require("@tensorflow/tfjs-node/dist/register_all_kernels");
    const { NodeJSKernelBackend }: NodeBackendModule = require("@tensorflow/tfjs-node/dist/nodejs_kernel_backend");
    tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node"), 3);
    const { source } = JSON.parse(readFileSync(join(folder, "setup.json"), "utf8")) as { source: string };
    const { remark, bf16 } = kernels ? await registerKernels(folder, count, progress) : { remark: "", bf16: false };
    started = {
      version: binding.TF_Version,
      threads: count,
      about: `TensorFlow ${binding.TF_Version} (${source === "wheel" ? "pip's wheel" : "tfjs-node's own download"}${remark})`,
      ...(bf16 && { inBf16 }),
    };
  }
  if (!(await tf.setBackend("tensorflow"))) throw new Error("tfjs could not start its tensorflow backend");
  return started;
}
