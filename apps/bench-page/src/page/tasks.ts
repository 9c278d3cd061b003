import "@tensorflow/tfjs-backend-cpu";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { InputError } from "@tfjs-zoo/models";
import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
import { registerWebgpuKernels } from "@tfjs-zoo/models/kernels/webgpu";
import { checkGradients, type GradientCheck } from "@tfjs-zoo/models/testing";
import { ourWorkload, type Workload } from "@tfjs-zoo/training/bench";

let prepared = false;

/** Makes a backend the one in use. @throws InputError where this browser has not got it */
export async function start(backend: string): Promise<void> {
  if (!prepared) {
    setWasmPaths("./");
    setThreadsCount(1);
    registerWasmKernels();
    registerWebgpuKernels();
    prepared = true;
  }
  const works = await tf.setBackend(backend).catch(() => false);
  if (!works) throw new InputError(`this browser has no ${backend}`);
  await tf.ready();
}

let workload: Workload | undefined;

/** What the page can do, by name; arguments and results are plain data. */
export const tasks = {
  /** Builds a network and takes its first steps, which compile what is compiled. */
  async prepare({ model, backend, batch }: { model: string; backend: string; batch: number }) {
    await start(backend);
    workload = ourWorkload(model, batch);
    await workload.step();
    await workload.step();
    return { params: workload.params, backend: tf.getBackend(), version: tf.version_core };
  },

  /** One training step; its loss. */
  async step(): Promise<number> {
    if (workload === undefined) throw new InputError("prepare a network first");
    return workload.step();
  },

  /** Checks one op on a backend. */
  async gradcheck({ backend, op }: { backend: string; op: string }): Promise<GradientCheck[]> {
    await start(backend);
    const checks: GradientCheck[] = [];
    for await (const check of checkGradients({ backend, ops: [op] })) {
      // JSON has no infinity.
      checks.push({ ...check, maxError: Math.min(check.maxError, Number.MAX_VALUE) });
    }
    return checks;
  },
};

export type Tasks = typeof tasks;
