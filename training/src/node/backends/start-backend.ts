import { InputError } from "@tfjs-zoo/models";
import { oneLine } from "./one-line.ts";
import {
  type BackendName,
  type BackendOptions,
  type BackendStarter,
  type BackendStatus,
  backendNames,
  type StartedBackend,
} from "./types.ts";

/** A native set-up that failed has a reason for each of its sources. */
const longestReason = 700;

type Starters = Record<BackendName, BackendStarter>;

/** How each backend is started when the user names it. Each is loaded only when it is tried. */
export const namedStarters: Starters = {
  tensorflow: async (options) => (await import("./tensorflow.ts")).startTensorflow(options),
  webgpu: async (options) => (await import("./webgpu.ts")).startWebgpu(options),
  wasm: async (options) => (await import("./wasm.ts")).startWasm(options),
  cpu: async () => (await import("./cpu.ts")).startCpu(),
};

/** How each is tried when any will do: no second native set-up soon after one that failed, no software adapter. */
export const autoStarters: Starters = {
  ...namedStarters,
  tensorflow: async (options) => (await import("./tensorflow.ts")).startTensorflow(options, { again: false }),
  webgpu: async (options) => (await import("./webgpu.ts")).startWebgpu(options, { software: false }),
};

export interface StartResult {
  name: BackendName;
  /** One for each backend, in order of preference. Only the one in use is `ok`. */
  statuses: BackendStatus[];
  /** Runs a step in bf16, where backend and processor are made for it. */
  inBf16?: StartedBackend["inBf16"];
  /** On webgpu: the graphics card, or what stands in for one. */
  device?: string;
}

/**
 * Starts the backend that was asked for, or with "auto" the best that works here: tensorflow (set up at first use),
 * webgpu when the adapter is a real GPU, wasm, cpu. The statuses say in a line each why not the others.
 *
 * @throws InputError when the name is unknown, or the named backend does not start
 */
export async function startBackend(
  request: BackendName | "auto",
  options: BackendOptions = {},
  starters: Starters = request === "auto" ? autoStarters : namedStarters,
): Promise<StartResult> {
  if (request !== "auto" && !backendNames.includes(request)) {
    throw new InputError(`unknown backend "${request}": give one of auto, ${backendNames.join(", ")}`);
  }
  // In Node, tfjs-core alone registers no gradients; tfjs-layers brings those of all stock kernels.
  await import("@tensorflow/tfjs-layers");
  const statuses: BackendStatus[] = [];
  let used: BackendName | undefined;
  let bf16: StartedBackend["inBf16"];
  let device: string | undefined;
  for (const name of backendNames) {
    if (request !== "auto" && name !== request) {
      statuses.push({ name, ok: false, reason: `not needed: ${request} was asked for` });
      continue;
    }
    if (used) {
      statuses.push({ name, ok: false, reason: `not needed: ${used} works and is faster` });
      continue;
    }
    try {
      const { version, threads, about, device: on, inBf16 } = await starters[name](options);
      statuses.push({ name, ok: true, reason: about, version, threads, ...(on === undefined ? {} : { device: on }) });
      device = on;
      bf16 = inBf16;
      used = name;
    } catch (error) {
      if (name === request)
        throw new InputError(`the ${name} backend does not start here: ${oneLine(error, longestReason)}`);
      statuses.push({ name, ok: false, reason: oneLine(error, longestReason) });
    }
  }
  if (!used)
    throw new InputError(
      `no backend starts here: ${statuses.map(({ name, reason }) => `${name}: ${reason}`).join("; ")}`,
    );
  return { name: used, statuses, inBf16: bf16, device };
}
