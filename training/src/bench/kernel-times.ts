import { getKernelsForBackend, type KernelConfig, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";

/** What the calls of one kernel took, without those that it made itself. */
export interface KernelTime {
  op: string;
  calls: number;
  ms: number;
}

/**
 * Times every kernel of a backend by the clock until `stop`. That measures the work itself only where a kernel has done
 * it when it returns: on `tensorflow`, `wasm` and `cpu`, not on a GPU.
 */
export function timeKernels(backend: string): { stop(): KernelTime[] } {
  const stock = getKernelsForBackend(backend);
  const times = new Map<string, KernelTime>();
  const inner: number[] = [];
  const replace = (config: KernelConfig, kernelFunc: KernelConfig["kernelFunc"]) => {
    unregisterKernel(config.kernelName, backend);
    registerKernel({ ...config, kernelFunc });
  };
  for (const config of stock) {
    replace(config, (call) => {
      const start = performance.now();
      inner.push(0);
      try {
        return config.kernelFunc(call);
      } finally {
        const total = performance.now() - start;
        const own = total - (inner.pop() ?? 0);
        if (inner.length > 0) inner[inner.length - 1] += total;
        const before = times.get(config.kernelName) ?? { op: config.kernelName, calls: 0, ms: 0 };
        times.set(config.kernelName, { ...before, calls: before.calls + 1, ms: before.ms + own });
      }
    });
  }
  return {
    stop() {
      for (const config of stock) replace(config, config.kernelFunc);
      return [...times.values()].sort((a, b) => b.ms - a.ms);
    },
  };
}
