/**
 * How much images differ from one another, beside how much real ones do: the variance of a pixel over a set, all pixels
 * together, which is half the mean squared distance between two images. Near 1 for a generator that does not collapse;
 * 0 where all images are one.
 *
 * @param made [count, pixels]  @param real [count, pixels], in the same scale
 * @param pixels of an image
 */
export const variety = (made: Float32Array, real: Float32Array, pixels: number): number =>
  totalVariance(made, pixels) / totalVariance(real, pixels);

function totalVariance(images: Float32Array, pixels: number): number {
  const count = images.length / pixels;
  let total = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let [sum, squares] = [0, 0];
    for (let i = pixel; i < images.length; i += pixels) {
      sum += images[i];
      squares += images[i] ** 2;
    }
    total += squares / count - (sum / count) ** 2;
  }
  return total;
}

/** Below this, images are so alike that most kinds of the real ones are missing. */
export const COLLAPSED = 0.4;
