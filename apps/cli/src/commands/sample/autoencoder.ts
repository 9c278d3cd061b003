import * as tf from "@tensorflow/tfjs-core";
import { drawLatents, randomStream, type Vae } from "@tfjs-zoo/models";
import { type AutoencoderInfo, autoencoderFrom, drawnImages, readAutoencoder } from "@tfjs-zoo/training/node";
import { expectFinite } from "../../expect-finite.ts";
import type { ImageMaker, ImageSource, LatentSpace, Order } from "./maker.ts";

/** Images that are made at a time. */
const BATCH = 256;

/** Reads an autoencoder, which makes images out of a z. */
export async function autoencoderSource(path: string): Promise<ImageSource> {
  const file = await readAutoencoder(path);
  return { info: file.info, facts: {}, build: () => autoencoderMaker(autoencoderFrom(file, path), file.info) };
}

function autoencoderMaker(vae: Vae, info: AutoencoderInfo): ImageMaker {
  const latent: LatentSpace = {
    size: vae.latent,
    images: (z) => valuesOf(info, () => drawnImages(vae, tf.tensor2d(z as number[][], [z.length, vae.latent]))),
  };
  return {
    latent,
    make: (order) => drawn(latent, order),
    reconstruct: (images, count) =>
      valuesOf(info, () => {
        const [mean] = vae.encode.apply(tf.tensor4d(images, [count, ...info.inputShape])) as tf.Tensor[];
        return drawnImages(vae, mean);
      }),
    dispose: vae.dispose,
  };
}

/** Images of z's that are drawn from the prior. */
async function* drawn(latent: LatentSpace, { count, seed, labels, progress }: Order): AsyncGenerator<Float32Array> {
  const random = randomStream(seed, "sample");
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    yield await latent.images(drawLatents(size, latent.size, random), labels?.slice(first, first + size));
    progress({ label: "making images", done: first + size, total: count, unit: "items" });
  }
}

/** @throws InputError where they are not finite: the weights are damaged */
async function valuesOf(info: AutoencoderInfo, images: () => tf.Tensor): Promise<Float32Array> {
  const made = tf.tidy(images);
  const values = (await made.data()) as Float32Array;
  made.dispose();
  expectFinite(values, info);
  return values;
}
