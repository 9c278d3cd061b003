import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import {
  autoencoderFrom,
  drawnImages,
  generatedImages,
  generatorFrom,
  parseAutoencoder,
  parseGan,
} from "@tfjs-zoo/training";

/** What makes images of places in a space of z, whose prior is N(0, I). */
export interface Generator {
  /** d: numbers of a z */
  readonly latent: number;
  /** [height, width, channels] */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** what it can be asked for, by name; not there where it is told no classes */
  readonly classes?: readonly string[];
  /**
   * @param z [n, d]  @param classes int32 [n], of one that has any
   * @returns [n, height, width, channels], 0 to 1; the caller's to dispose
   */
  make(z: tf.Tensor2D, classes?: tf.Tensor1D): tf.Tensor4D;
  /**
   * The z that an image most likely comes from, of one that can tell.
   *
   * @param images [n, height, width, channels], 0 to 1
   * @returns [n, d]; the caller's to dispose
   */
  encode?(images: tf.Tensor4D): tf.Tensor2D;
  dispose(): void;
}

type Open = (bytes: Uint8Array, name: string) => Generator;

/** The decoder of a variational autoencoder; its encoder says where an image lies. */
function ofAutoencoder(bytes: Uint8Array, name: string): Generator {
  const file = parseAutoencoder(bytes, name);
  const vae = autoencoderFrom(file, name);
  return {
    latent: vae.latent,
    shape: file.info.inputShape,
    make: (z) => drawnImages(vae, z),
    encode: (images) =>
      tf.tidy(() => {
        const [mean] = vae.encode.apply(images) as tf.Tensor2D[];
        return mean;
      }),
    dispose: () => vae.dispose(),
  };
}

/** A GAN's generator. */
function ofGan(bytes: Uint8Array, name: string): Generator {
  const file = parseGan(bytes, name);
  const gan = generatorFrom(file, name);
  const { latent, inputShape: shape, classes } = file.info;
  return {
    ...{ latent, shape, classes },
    make: (z, labels) => generatedImages(gan, z, labels),
    dispose: () => gan.generator.dispose(),
  };
}

/** How the weights of a task become a generator. A new kind of network needs a line here, and one in node/site.ts. */
const openers: { readonly [task: string]: Open } = { autoencoding: ofAutoencoder, adversarial: ofGan };

/**
 * @param task of the weights' card
 * @throws InputError when a file is not the zoo's, is damaged, or makes no images of z
 */
export function openGenerator(task: string, bytes: Uint8Array, name: string): Generator {
  if (!Object.hasOwn(openers, task)) throw new InputError(`${name} is of ${task}, which makes no images of z here`);
  return openers[task](bytes, name);
}
