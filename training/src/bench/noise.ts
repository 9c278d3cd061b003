import type { Batch } from "@tfjs-zoo/datasets";
import { randomStream } from "@tfjs-zoo/models";

/** A batch of noise in a shape, the same at every call; labels count through the classes. */
export function noise(shape: readonly number[], classes: number, size: number): Batch {
  const stream = randomStream(0, "bench");
  const images = new Float32Array(size * shape.reduce((a, b) => a * b));
  for (let i = 0; i < images.length; i++) images[i] = stream.normal();
  return {
    images,
    labels: Int32Array.from({ length: size }, (_, i) => i % classes),
    size,
    indices: Int32Array.from({ length: size }, (_, i) => i),
  };
}
