/** Contestant: this package's trainer. Arguments: model, backend, batch ("" for the backend's default), precision. */
import * as tf from "@tensorflow/tfjs-core";
import { findModel } from "@tfjs-zoo/models";
import { type BackendName, startBackend } from "../../node/backends/index.ts";
import { serve } from "../serve.ts";
import { defaultBatch, ourStep, withinPrecision } from "../workload.ts";

const [model, backend, size, precision] = process.argv.slice(2);

await serve(async () => {
  const { name, statuses, inBf16 } = await startBackend(backend as BackendName | "auto", { setup: false });
  const { version = "", threads } = statuses.find(({ ok }) => ok) ?? {};
  const within = withinPrecision(precision, name, inBf16);
  const batch = Number(size) || defaultBatch(name);
  const { params } = findModel(model);
  const versions = { "tfjs-core": tf.version_core, [name]: version };
  return { ready: { params, batch, threads, versions, backend: name }, step: ourStep(model, batch, within) };
});
