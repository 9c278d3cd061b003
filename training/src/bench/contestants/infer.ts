/** Contestant: this package's inference. Arguments: model, backend, batch ("" for the default), precision, folded or unfolded. */
import * as tf from "@tensorflow/tfjs-core";
import { findModel } from "@tfjs-zoo/models";
import { type BackendName, startBackend } from "../../node/backends/index.ts";
import { serve } from "../serve.ts";
import { defaultBatch, inferenceStep, withinPrecision } from "../workload.ts";

const [model, backend, size, precision, form] = process.argv.slice(2);

await serve(async () => {
  const { name, statuses, inBf16 } = await startBackend(backend as BackendName | "auto", { setup: false });
  const { version = "", threads } = statuses.find(({ ok }) => ok) ?? {};
  const within = withinPrecision(precision, name, inBf16);
  const batch = Number(size) || defaultBatch(name);
  const { params } = findModel(model);
  const versions = { "tfjs-core": tf.version_core, [name]: version };
  const step = inferenceStep(model, batch, { folded: form === "folded", within });
  return { ready: { params, batch, threads, versions, backend: name }, step };
});
