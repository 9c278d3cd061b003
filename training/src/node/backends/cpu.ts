import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { StartedBackend } from "./types.ts";

/** Starts tfjs's plain JavaScript kernels, which work everywhere and train a network of convolutions at a crawl. */
export async function startCpu(): Promise<StartedBackend> {
  if (!(await tf.setBackend("cpu"))) throw new Error("tfjs could not start its cpu backend");
  // Its first use would print a banner that recommends tfjs-node.
  Object.assign(tf.backend(), { firstUse: false });
  return { version: tf.version_core, threads: 1, about: "plain JavaScript" };
}
