/** Contestant: stock TensorFlow.js, without any kernel of ours. Arguments: model, backend, batch. */
import * as tf from "@tensorflow/tfjs-core";
import { type BackendName, startBackend } from "../../node/backends/index.ts";
import { serve } from "../serve.ts";
import { stockStep } from "../stock-step.ts";

const [model, backend, size] = process.argv.slice(2);

await serve(async () => {
  const { name, statuses } = await startBackend(backend as BackendName, { setup: false, kernels: false });
  const { version = "", threads } = statuses.find(({ ok }) => ok) ?? {};
  const { params, step } = stockStep(model, Number(size));
  const versions = { "tfjs-core": tf.version_core, [name]: version };
  return { ready: { params, batch: Number(size), threads, versions, backend: name }, step };
});
