import * as tf from "@tensorflow/tfjs-core";
import { generatedImages, generatorFrom, readGan } from "@tfjs-zoo/training/node";
import { drawn, valuesOf } from "./latent.ts";
import type { ImageSource, LatentSpace } from "./maker.ts";

/** Reads a GAN's generator, which makes images out of a z. */
export async function ganSource(path: string): Promise<ImageSource> {
  const file = await readGan(path);
  const { info } = file;
  return {
    ...{ info, classes: info.classes, facts: {} },
    build() {
      const gan = generatorFrom(file, path);
      const latent: LatentSpace = {
        size: gan.latent,
        images: (z, labels) =>
          valuesOf(info, () =>
            generatedImages(
              gan,
              tf.tensor2d(z as number[][], [z.length, gan.latent]),
              labels && tf.tensor1d(labels as number[], "int32"),
            ),
          ),
      };
      return { latent, make: (order) => drawn(latent, order), dispose: () => void gan.generator.dispose() };
    },
  };
}
