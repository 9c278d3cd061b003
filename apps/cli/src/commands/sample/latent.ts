/** What networks have in common that make images out of a z. */
import * as tf from "@tensorflow/tfjs-core";
import { drawLatents, randomStream } from "@tfjs-zoo/models";
import { expectFinite } from "../../expect-finite.ts";
import type { ImageSource, LatentSpace, Order } from "./maker.ts";

/** Images that are made at a time. */
const BATCH = 256;

/** Images of z's that are drawn from the prior. */
export async function* drawn(
  latent: LatentSpace,
  { count, seed, labels, progress }: Order,
): AsyncGenerator<Float32Array> {
  const random = randomStream(seed, "sample");
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    yield await latent.images(drawLatents(size, latent.size, random), labels?.slice(first, first + size));
    progress({ label: "making images", done: first + size, total: count, unit: "items" });
  }
}

/** @throws InputError where they are not finite: the weights are damaged */
export async function valuesOf(info: ImageSource["info"], images: () => tf.Tensor): Promise<Float32Array> {
  const made = tf.tidy(images);
  const values = (await made.data()) as Float32Array;
  made.dispose();
  expectFinite(values, info);
  return values;
}
