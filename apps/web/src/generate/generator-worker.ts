/** Makes images of z beside the page, so that the page stays smooth. Orders are obeyed one after the other. */
import * as tf from "@tensorflow/tfjs-core";
import { type Backend, startBackend } from "../shared/backend.ts";
import { messageOf } from "../shared/message-of.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { fetchWeights } from "./fetch-weights.ts";
import { type Generator, openGenerator } from "./generator.ts";
import type { GeneratorFacts, GeneratorOrder, GeneratorReport } from "./protocol.ts";

const report = (message: GeneratorReport, moved: Transferable[] = []): void =>
  self.postMessage(message, { transfer: moved });
const say = (text: string) => report({ kind: "state", text });

const opened = new Map<string, Generator>();
let inUse: Backend | undefined;

/** A network's weights lie on the backend that was in use when it was built. */
async function start(backend: Backend): Promise<void> {
  if (inUse === backend) return;
  say("Starting …");
  for (const generator of opened.values()) generator.dispose();
  opened.clear();
  inUse = undefined;
  await startBackend(backend);
  inUse = backend;
}

async function open(entry: Pretrained): Promise<Generator> {
  const known = opened.get(entry.name);
  if (known) return known;
  const generator = openGenerator(entry.card.task, await fetchWeights(entry, say), entry.name);
  opened.set(entry.name, generator);
  say("");
  return generator;
}

const factsOf = ({ latent, shape, classes, encode }: Generator): GeneratorFacts => ({
  ...{ latent, shape, classes },
  encodes: encode !== undefined,
});

function makeOf({ latent, classes, make }: Generator, z: Float32Array, label = 0): tf.Tensor {
  const n = z.length / latent;
  return make(tf.tensor2d(z, [n, latent]), classes && tf.fill([n], label, "int32"));
}

function encodeOf({ shape, encode }: Generator, images: Float32Array): tf.Tensor {
  if (encode === undefined) throw new Error("this network can't tell where an image lies");
  const n = images.length / (shape[0] * shape[1] * shape[2]);
  return encode(tf.tensor4d(images, [n, ...shape]));
}

async function obey(order: GeneratorOrder): Promise<void> {
  const { id } = order;
  try {
    await start(order.backend);
    const generator = await open(order.entry);
    if (order.kind === "open") return report({ kind: "opened", id, facts: factsOf(generator) });
    const answer = tf.tidy(() =>
      order.kind === "make" ? makeOf(generator, order.z, order.label) : encodeOf(generator, order.images),
    );
    const values = Float32Array.from(await answer.data());
    answer.dispose();
    report({ kind: "values", id, values }, [values.buffer]);
  } catch (error) {
    report({ kind: "problem", id, text: messageOf(error) });
  }
}

let last = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<GeneratorOrder>) => {
  last = last.then(() => obey(data));
});
