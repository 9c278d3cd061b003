import * as tf from "@tensorflow/tfjs-core";
import type { Translator } from "../model-entry.ts";

/** Where a finished translation looked in its source. */
export interface TranslationAttention {
  readonly layers: number;
  readonly heads: number;
  /** tokens that are written, with the end where there is one */
  readonly written: number;
  /** tokens of the source */
  readonly source: number;
  /** [layers, heads, written, source]: rows sum to 1 */
  readonly weights: Float32Array;
}

/**
 * Where a network looked when it wrote a translation: all of it is given to the network at once, which is one forward pass
 * for a Transformer, and as many steps as there are tokens for a recurrent decoder.
 *
 * @param source ids of the sentence, with what the network was given behind it
 * @param result what was found: its tokens, without the first and without the end, and whether there was an end
 * @param begin the token that every translation begins with
 */
export async function translationAttention(
  translator: Translator,
  source: ArrayLike<number>,
  { tokens, ended }: { readonly tokens: readonly number[]; readonly ended: boolean },
  begin: number,
): Promise<TranslationAttention> {
  const given = [begin, ...tokens]; // the last of them is followed by the end
  if (!ended) given.pop();
  const all = tf.tidy(() => {
    const ids = (list: ArrayLike<number>) => tf.tensor2d(Int32Array.from(list), [1, list.length], "int32");
    const lengths = tf.tensor1d([source.length], "int32");
    return translator.attention(ids(source), lengths, ids(given)); // [1, layers, heads, t, s]
  });
  const weights = (await all.data()) as Float32Array;
  const [, layers, heads, written] = all.shape;
  all.dispose();
  return { layers, heads, written, source: source.length, weights };
}

/**
 * One matrix of it.
 *
 * @param layer the last unless given, from 0
 * @param head from 0; unless given it is the mean of all heads
 * @returns [written, source]
 */
export function attentionMatrix(
  { layers, heads, written, source, weights }: TranslationAttention,
  { layer = layers - 1, head }: { layer?: number; head?: number } = {},
): Float32Array[] {
  const shown = head === undefined ? Array.from({ length: heads }, (_, h) => h) : [head];
  return Array.from({ length: written }, (_, row) =>
    Float32Array.from({ length: source }, (_, column) => {
      const of = (h: number) => weights[((layer * heads + h) * written + row) * source + column];
      return shown.reduce((sum, h) => sum + of(h), 0) / shown.length;
    }),
  );
}
