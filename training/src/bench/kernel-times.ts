import {
  getKernelsForBackend,
  type KernelConfig,
  profile,
  registerKernel,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

/** What the calls of one kernel took, without those that it made itself. */
export interface KernelTime {
  op: string;
  calls: number;
  ms: number;
}

/** What one op costs in a step, on average. */
export interface OpCost extends KernelTime {
  /** of the step */
  share: number;
}

/**
 * The costs of a step's ops. What is no op's is JavaScript: the tape, dispatch, the loop.
 *
 * @param times of `steps` steps
 * @param stepMs what a step took from its beginning to its end
 */
export function opCosts(times: readonly KernelTime[], steps: number, stepMs: number): OpCost[] {
  const each = times.map(({ op, calls, ms }) => ({ op, calls: calls / steps, ms: ms / steps }));
  const rest = stepMs - each.reduce((sum, { ms }) => sum + ms, 0);
  return [...each, { op: "(JavaScript)", calls: 0, ms: rest }].map((cost) => ({ ...cost, share: cost.ms / stepMs }));
}

/** Times the kernels of what it is put around. */
export interface KernelTimer {
  around(step: () => Promise<unknown>): Promise<void>;
  /** @returns the times of each kernel, the longest first */
  stop(): KernelTime[];
}

/** Times by kernel, the longest first. */
class KernelTimes {
  private readonly times = new Map<string, KernelTime>();

  add(op: string, ms: number): void {
    const before = this.times.get(op) ?? { op, calls: 0, ms: 0 };
    this.times.set(op, { op, calls: before.calls + 1, ms: before.ms + ms });
  }

  sorted(): KernelTime[] {
    return [...this.times.values()].sort((a, b) => b.ms - a.ms);
  }
}

/** What the profiler calls an op with a gradient of its own, around the kernels that it is made of. */
const OUTER = "unnamed scope";

/**
 * Asks the backend itself how long every kernel took, as TensorFlow.js's profiler does: on a GPU, by its timestamps.
 */
export function askKernels(): KernelTimer {
  const times = new KernelTimes();
  return {
    async around(step) {
      const { kernels } = await profile(step as () => Promise<never>);
      for (const { name, kernelTimeMs } of kernels) {
        if (name !== OUTER) times.add(name, Number(kernelTimeMs) || 0);
      }
    },
    stop: () => times.sorted(),
  };
}

/**
 * Times every kernel of a backend by the clock until `stop`. That measures the work itself only where a kernel has done
 * it when it returns: on `tensorflow`, `wasm` and `cpu`, not on a GPU.
 */
export function timeKernels(backend: string): KernelTimer {
  const stock = getKernelsForBackend(backend);
  const times = new KernelTimes();
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
        times.add(config.kernelName, own);
      }
    });
  }
  return {
    around: async (step) => void (await step()),
    stop() {
      for (const config of stock) replace(config, config.kernelFunc);
      return times.sorted();
    },
  };
}
