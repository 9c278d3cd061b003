/**
 * Contestant: this package. Arguments: model, backend, batch ("" for the backend's default), precision, and what it does:
 * "train", or "folded" or "unfolded" inference.
 */
import * as tf from "@tensorflow/tfjs-core";
import { findModel } from "@tfjs-zoo/models";
import { type BackendName, startBackend } from "../../node/backends/index.ts";
import { serve } from "../serve.ts";
import { defaultBatch, inferenceStep, ourStep, withinPrecision } from "../workload.ts";

const [model, backend, size, precision, what] = process.argv.slice(2);

await serve(async () => {
  const { name, statuses, inBf16 } = await startBackend(backend as BackendName | "auto", { setup: false });
  const { version = "", threads } = statuses.find(({ ok }) => ok) ?? {};
  const within = withinPrecision(precision, name, inBf16);
  const batch = Number(size) || defaultBatch(name);
  const { params } = findModel(model);
  const versions = { "tfjs-core": tf.version_core, [name]: version };
  const step =
    what === "train"
      ? ourStep(model, batch, within)
      : inferenceStep(model, batch, { folded: what === "folded", within });
  return { ready: { params, batch, threads, versions, backend: name }, step };
});
