/** Makes images out of noise beside the page, so that the page stays smooth. To stop it, the page ends this worker. */
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { noiseSchedule, randomStream, type SampleStep, samplers, unetDenoiser } from "@tfjs-zoo/models";
import { type DiffusionInfo, diffusionFrom, parseDiffusion } from "@tfjs-zoo/training";
import { type Backend, startBackend } from "../shared/backend.ts";
import { messageOf } from "../shared/message-of.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { fetchWeights } from "./fetch-weights.ts";
import type { Frame, Sampling, SamplingOrder, SamplingReport } from "./protocol.ts";

interface Network {
  name: string;
  backend: Backend;
  info: DiffusionInfo;
  model: tfl.LayersModel;
}

const report = (message: SamplingReport, moved: Transferable[] = []): void =>
  self.postMessage(message, { transfer: moved });
const say = (text: string) => report({ kind: "state", text });

let opened: Network | undefined;

/** The network that an order is for, on the backend that it asks for. */
async function open({ entry, backend }: SamplingOrder): Promise<Network> {
  if (opened?.name === entry.name && opened.backend === backend) return opened;
  say("Starting …");
  opened?.model.dispose(); // before the backend that it lies on goes
  opened = undefined;
  await startBackend(backend);
  opened = { ...networkOf(await fetchWeights(entry, say), entry), backend };
  return opened;
}

function networkOf(bytes: Uint8Array, { name }: Pretrained): Omit<Network, "backend"> {
  const file = parseDiffusion(bytes, name);
  return { name, info: file.info, model: diffusionFrom(file, name) };
}

/** Samples as `npm run sample` does: equal seeds make equal images. */
async function sample({ info, model }: Network, sampling: Sampling): Promise<void> {
  const { sampler, steps, images, seed, labels, guidance: strength } = sampling;
  const { inputShape: shape, classes } = info;
  report({ kind: "begun", shape });
  const began = performance.now();
  const made: tf.Tensor = await samplers[sampler]({
    ...{
      denoise: unetDenoiser(model),
      schedule: noiseSchedule(info.noise, info.times),
      shape: [images, ...shape],
      steps,
    },
    prediction: info.prediction,
    guidance: labels && classes && { labels, classes: classes.length, strength },
    random: (...where) => randomStream(seed, "sample", ...where),
    onStep: async (step) => {
      const frame = await frameOf(step);
      const secondsLeft = ((performance.now() - began) / 1000 / step.step) * (step.steps - step.step);
      report({ kind: "frame", frame, secondsLeft }, [frame.now.buffer, frame.seen.buffer]);
    },
  });
  made.dispose();
  report({ kind: "finished", seconds: (performance.now() - began) / 1000 });
}

async function frameOf({ step, t, x, x0 }: SampleStep): Promise<Frame> {
  const [now, seen] = await Promise.all([x.data(), x0.data()]);
  return { step, t, now: bytesOf(now), seen: bytesOf(seen) };
}

/** −1 to 1 as 0 to 255. */
const bytesOf = (values: ArrayLike<number>) => Uint8ClampedArray.from(values, (value) => 127.5 * (value + 1));

self.addEventListener("message", async ({ data }: MessageEvent<SamplingOrder>) => {
  try {
    await sample(await open(data), data.sampling);
  } catch (error) {
    report({ kind: "problem", text: messageOf(error) });
  }
});
