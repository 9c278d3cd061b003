import { InputError } from "./errors.ts";
import type { ImageSet, Random } from "./types.ts";

/** A uniformly random order of 0..count-1 (Fisher & Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  return order;
}

/**
 * A view of some images of a set, in the order given; pixels are not copied.
 *
 * @throws RangeError where an index is not in the set
 */
export function subset(set: ImageSet, indices: ArrayLike<number>): ImageSet {
  const chosen = Int32Array.from(indices);
  const labels = new Uint16Array(chosen.length);
  for (let i = 0; i < chosen.length; i++) {
    if (!(chosen[i] >= 0 && chosen[i] < set.count)) throw new RangeError(`image ${chosen[i]} of ${set.count}`);
    labels[i] = set.labels[chosen[i]];
  }
  return {
    count: chosen.length,
    shape: set.shape,
    labels,
    read(positions, into) {
      const inner = new Int32Array(positions.length);
      for (let i = 0; i < positions.length; i++) {
        if (!(positions[i] >= 0 && positions[i] < chosen.length)) {
          throw new RangeError(`image ${positions[i]} of ${chosen.length}`);
        }
        inner[i] = chosen[positions[i]];
      }
      return set.read(inner, into);
    },
  };
}

/**
 * Splits off `count` random images for validation; what is left keeps its order.
 *
 * @param random decides which; the same stream gives the same split
 * @throws InputError unless 0 < count < set.count
 */
export function holdOut(set: ImageSet, count: number, random: Random): { train: ImageSet; validation: ImageSet } {
  if (!Number.isInteger(count) || count <= 0 || count >= set.count) {
    throw new InputError(
      `cannot hold out ${count} of ${set.count} training images: give a whole number from 1 to ${set.count - 1}`,
    );
  }
  const order = permutation(set.count, random);
  // Sorted, so that reading a view walks through the underlying pixels in their order.
  return { validation: subset(set, order.slice(0, count).sort()), train: subset(set, order.slice(count).sort()) };
}
