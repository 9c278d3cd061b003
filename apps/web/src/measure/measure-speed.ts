import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // the gradients of stock ops
import { askKernels, type OpCost, opCosts, ourWorkload, rateOf, timeKernels, unitOf } from "@tfjs-zoo/training/bench";
import { startBackend } from "../shared/backend.ts";
import type { Settings, Speed } from "./protocol.ts";

/** Steps before those that count: the first ones compile what is compiled. */
const WARM = 2;
/** Steps of which the time of each op is taken. */
const PROFILED = 3;

/**
 * Measures training steps on a batch of noise, as `npm run bench -- train` does.
 *
 * @param say is told what is being done
 * @throws InputError where this browser has not got the backend
 */
export async function measureSpeed(settings: Settings, say: (text: string) => void): Promise<Speed> {
  const { model, backend, batch, steps } = settings;
  await startBackend(backend);
  say(`Building ${model} …`);
  const { items, step } = ourWorkload(model, batch);
  for (let i = 1; i <= WARM; i++) {
    say(`Step ${i} of ${WARM} that do not count`);
    await step();
  }
  const before = tf.memory().numTensors;
  const times: number[] = [];
  for (let i = 1; i <= steps; i++) {
    say(`Step ${i} of ${steps}`);
    const began = performance.now();
    await step();
    times.push(performance.now() - began);
  }
  const tensors: Speed["tensors"] = [before, tf.memory().numTensors];
  say("Taking the time of each op …");
  const ops = await costsOf(step, backend);
  const about = { task: "train", model, backend, precision: "f32", batch, steps, unit: unitOf(model) } as const;
  return { ...about, ours: rateOf(times, items), tensors, ...(ops && { ops }) };
}

/** What each op costs: by the clock, and on a graphics card by its timestamps, where the browser has them. */
async function costsOf(step: () => Promise<number>, backend: Settings["backend"]): Promise<OpCost[] | undefined> {
  if (backend === "webgpu" && !tf.engine().backend.timerAvailable()) return undefined;
  const timer = backend === "webgpu" ? askKernels() : timeKernels(backend);
  const began = performance.now();
  for (let i = 0; i < PROFILED; i++) await timer.around(step);
  const stepMs = (performance.now() - began) / PROFILED;
  return opCosts(timer.stop(), PROFILED, stepMs);
}
