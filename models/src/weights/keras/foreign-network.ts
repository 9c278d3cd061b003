import type { SafeTensor } from "../safetensors.ts";

/** What a layer of Keras calls its weights. */
export type Role = "kernel" | "bias" | "gamma" | "beta" | "moving_mean" | "moving_variance";

/** A layer with weights, of a network that Keras or TensorFlow.js saved. */
export interface ForeignLayer {
  readonly name: string;
  /** by role; what we have no role for, by its name in the file */
  readonly weights: ReadonlyMap<string, SafeTensor>;
}

/** A layer of the file's graph, with or without weights. */
export interface GraphNode {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** names of the layers that it reads */
  readonly inputs: readonly string[];
}

/** All that a file says of a network. */
export interface ForeignNetwork {
  /** those with weights; `kinds`: in order among those of their kind only */
  readonly layers: readonly ForeignLayer[];
  readonly order: "all" | "kinds";
  /** each after what it reads; absent in a file of weights alone */
  readonly graph?: readonly GraphNode[];
}

/** kernel: convolutions and dense layers; norm: batch norms; scale: layer norms */
export type Kind = "kernel" | "norm" | "scale" | "other";

/** A weight's role: the last part of a name such as `block1/conv1/depthwise_kernel:0`. */
export function roleOf(weightName: string): string {
  const last = weightName.slice(weightName.lastIndexOf("/") + 1).replace(/:\d+$/, "");
  return last === "depthwise_kernel" ? "kernel" : last;
}
