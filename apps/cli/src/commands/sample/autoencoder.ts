import * as tf from "@tensorflow/tfjs-core";
import type { Vae } from "@tfjs-zoo/models";
import { type AutoencoderInfo, autoencoderFrom, drawnImages, readAutoencoder } from "@tfjs-zoo/training/node";
import { drawn, valuesOf } from "./latent.ts";
import type { ImageMaker, ImageSource, LatentSpace } from "./maker.ts";

/** Reads an autoencoder, which makes images out of a z. */
export async function autoencoderSource(path: string): Promise<ImageSource> {
  const file = await readAutoencoder(path);
  return {
    info: file.info,
    readsImages: true,
    facts: {},
    build: () => autoencoderMaker(autoencoderFrom(file, path), file.info),
  };
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
