/**
 * Contestant: this package. Arguments: model, backend, batch ("" for the backend's default), precision, and what it does:
 * "train", or "folded" or "unfolded" inference.
 */
import * as tf from "@tensorflow/tfjs-core";
import { findModel, InputError } from "@tfjs-zoo/models";
import { type BackendName, startBackend } from "../../node/backends/index.ts";
import { serve } from "../serve.ts";
import { defaultBatch, inferenceStep, ourWorkload, withinPrecision } from "../workload.ts";

const [model, backend, size, precision, what] = process.argv.slice(2);

await serve(async () => {
  const { name, statuses, inBf16, device } = await startBackend(backend as BackendName | "auto", { setup: false });
  const { version = "", threads } = statuses.find(({ ok }) => ok) ?? {};
  const within = withinPrecision(precision, name, inBf16);
  const batch = Number(size) || defaultBatch(name);
  const versions = { "tfjs-core": tf.version_core, [name]: version };
  const about = { batch, threads, versions, backend: name, device };
  if (what === "train") {
    const { params, items, step } = ourWorkload(model, batch, within);
    return { ready: { params, items, ...about }, step };
  }
  const { task, params } = findModel(model);
  if (task !== "classification") throw new InputError(`bench infer is for image classifiers, and ${model} is none`);
  return { ready: { params, ...about }, step: inferenceStep(model, batch, { folded: what === "folded", within }) };
});
