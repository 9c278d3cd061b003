import type { ImageSet } from "./types.ts";

/**
 * A set whose decoded pixels all lie in memory.
 *
 * @param pixels [count, height, width, channels], 0..255; kept, not copied
 * @param labels [count]
 * @param shape [height, width, channels]
 * @throws RangeError where the lengths disagree, or `read` is asked for an image that is not there
 */
export function inMemoryImages(pixels: Uint8Array, labels: Uint16Array, shape: ImageSet["shape"]): ImageSet {
  const imageSize = shape[0] * shape[1] * shape[2];
  const count = labels.length;
  if (pixels.length !== count * imageSize) {
    throw new RangeError(`${pixels.length} pixel values for ${count} images of ${shape.join("x")}`);
  }
  return {
    count,
    shape,
    labels,
    read(indices, into) {
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i];
        // subarray() would clamp silently, and leave an older image in the buffer.
        if (!(index >= 0 && index < count)) throw new RangeError(`image ${index} of ${count}`);
        into.set(pixels.subarray(index * imageSize, (index + 1) * imageSize), i * imageSize);
      }
    },
  };
}
