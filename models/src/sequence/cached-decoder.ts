import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Decoder } from "./decoding/index.ts";

/** What was read: what every step looks at, and of which width and number the caches are that steps fill. */
interface Read {
  memory: tf.Tensor[];
  width: number;
  caches: number;
}

/**
 * A decoder that keeps the keys and values of what it has written.
 *
 * @param step [ids int32 [rows, 1], lengths, memory …, caches [rows, p, width] …] -> [logits [rows, 1, vocabulary], caches
 *   [rows, p + 1, width] …]
 * @param lengths of the sources, int32 [rows]
 */
export function cachedDecoder(step: tfl.LayersModel, lengths: tf.Tensor, read: () => Read): Decoder {
  let fixed = 0; // the lengths and the memory
  const start = tf.tidy(() => {
    const { memory, width, caches } = read();
    fixed = 1 + memory.length;
    const empty = Array.from({ length: caches }, () => tf.zeros([lengths.shape[0], 0, width])); // no token yet
    return [tf.clone(lengths), ...memory, ...empty];
  });
  return {
    start,
    step(tokens, state) {
      const ids = tf.tensor2d(tokens, [tokens.length, 1], "int32");
      const [logits, ...caches] = step.apply([ids, ...state]) as tf.Tensor[];
      return { logits: tf.squeeze(logits, [1]), state: [...state.slice(0, fixed), ...caches] };
    },
  };
}
