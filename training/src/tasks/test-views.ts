import * as tf from "@tensorflow/tfjs-core";

/** What a network is shown of a test image: itself; with its mirror image; with both of them one pixel aside, too. */
export const testViews = ["plain", "mirror", "shifts"] as const;
export type TestViews = (typeof testViews)[number];

/**
 * A network's logits for test images, averaged over several views of them (test-time augmentation, Krizhevsky et al.
 * 2012, sec. 4.1). `shifts` is Jordan's (2024, sec. 3.7): half of it from an image and its mirror image, half from both
 * of them moved by one pixel up and left, and down and right.
 *
 * @param images [batch, height, width, channels]
 * @param network [batch, height, width, channels] -> [batch, classes]
 * @returns [batch, classes]
 */
export function averagedLogits(
  network: (images: tf.Tensor4D) => tf.Tensor2D,
  images: tf.Tensor4D,
  views: TestViews,
): tf.Tensor2D {
  if (views === "plain") return network(images);
  return tf.tidy(() => {
    const mirrored = (x: tf.Tensor4D): tf.Tensor2D => tf.div(tf.add(network(x), network(tf.reverse(x, 2))), 2);
    const centred = mirrored(images); // [batch, classes]
    if (views === "mirror") return centred;
    const moved = [-1, 1].map((step) => mirrored(shifted(shifted(images, 1, step), 2, step)));
    return tf.add(tf.div(centred, 2), tf.div(tf.add(moved[0], moved[1]), 4));
  });
}

/** Images moved by one pixel along an axis; at the edge they are mirrored. */
function shifted(images: tf.Tensor4D, axis: 1 | 2, step: number): tf.Tensor4D {
  const size = images.shape[axis];
  const part = (from: number, count: number) => {
    const begin: [number, number, number, number] = [0, 0, 0, 0];
    const extent: [number, number, number, number] = [...images.shape];
    begin[axis] = from;
    extent[axis] = count;
    return tf.slice(images, begin, extent);
  };
  const beyond = Math.min(1, size - 1);
  return step > 0
    ? tf.concat([part(beyond, 1), part(0, size - 1)], axis)
    : tf.concat([part(1, size - 1), part(size - 1 - beyond, 1)], axis);
}
