import type { Progress } from "@tfjs-zoo/datasets";

export type { Progress, ProgressEvent } from "@tfjs-zoo/datasets";

/** The backends in order of preference. */
export const backendNames = ["tensorflow", "webgpu", "wasm", "cpu"] as const;

export type BackendName = (typeof backendNames)[number];

/** What became of one backend: whether it works (or, in a start, whether it is the one in use), and in one line why. */
export interface BackendStatus {
  name: BackendName;
  ok: boolean;
  reason: string;
  version?: string;
  threads?: number;
  /** the graphics card, or what stands in for one */
  device?: string;
}

export interface BackendOptions {
  /** Hears of everything that takes more than a moment. */
  progress?: Progress;
  /** Threads of the native backend; all cores unless given. The others here run on one. */
  threads?: number;
  /** Whether the native backend may be downloaded and compiled when it is not there yet. Default true. */
  setup?: boolean;
  /** Whether the zoo's own kernels are registered; without them the backend is stock TensorFlow.js. Default true. */
  kernels?: boolean;
}

/** What a started backend says about itself. */
export interface StartedBackend {
  version: string;
  threads?: number;
  /** One line for people: the library behind it, or the adapter. */
  about: string;
  /** What computes, where that is not the processor: the graphics card, or what stands in for one. */
  device?: string;
  /** Runs a step in bf16, where the processor is made for it. */
  inBf16?: <T>(body: () => T) => T;
}

/** Starts one backend and makes it tfjs's current one; throws an error whose message says in one line why it can't. */
export type BackendStarter = (options: BackendOptions) => Promise<StartedBackend>;
