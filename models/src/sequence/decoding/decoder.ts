import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../../errors.ts";

/**
 * A network that writes sequences token by token, several rows at once. Its state (what it read, caches, hidden units) is
 * a list of tensors whose first axis is the rows, so that rows can be repeated, reordered and dropped.
 */
export interface Decoder {
  /** What every row begins with. It stays the caller's: it is read, never disposed. */
  readonly start: readonly tf.Tensor[];
  /**
   * Takes one more token of each row.
   *
   * @param tokens int32 [rows]
   * @param state as `start` or as returned before; it stays as it is
   * @returns logits [rows, vocabulary] of the token after it, and the state behind it, of which tensors may be those given
   */
  step(tokens: Int32Array, state: readonly tf.Tensor[]): { logits: tf.Tensor; state: tf.Tensor[] };
}

/** What all ways of decoding need to know. */
export interface DecodingOptions {
  /** the token that every row begins with, or one for each row */
  begin: number | ArrayLike<number>;
  /** the token that ends a row; none where rows go on to `maxLength` */
  end?: number;
  /** tokens after the first, the end counted, in [1, …) */
  maxLength: number;
}

/**
 * The rows that are being written, their state and what they cost: it disposes each state when the next is there.
 */
export class DecodingRows {
  private state: readonly tf.Tensor[];

  /** @throws InputError when the decoder has no state, its tensors differ in rows, or `maxLength` is below 1 */
  constructor(
    private readonly decoder: Decoder,
    { maxLength }: DecodingOptions,
  ) {
    this.state = decoder.start;
    const rows = new Set(decoder.start.map(({ shape: [first] }) => first));
    if (rows.size !== 1) {
      throw new InputError(
        `a decoder began with tensors of ${[...rows].join(" and ") || "no"} rows; expected as many in each`,
      );
    }
    if (!(Number.isInteger(maxLength) && maxLength >= 1)) {
      throw new InputError(`decoding got a maximum length of ${maxLength}; expected a whole number above 0`);
    }
  }

  get count(): number {
    return this.state[0].shape[0] as number;
  }

  /**
   * Takes a token of each row.
   *
   * @returns log-probabilities of the next, one row after the other [rows · vocabulary], and the vocabulary's size
   * @throws InputError when a logit is NaN
   */
  async step(tokens: ArrayLike<number>): Promise<{ logProbabilities: Float32Array; vocabulary: number }> {
    const { logits, state } = tf.tidy(() => this.decoder.step(Int32Array.from(tokens), this.state));
    this.become(state);
    const vocabulary = logits.shape[logits.rank - 1] as number;
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    const logProbabilities = new Float32Array(values.length);
    for (let from = 0; from < values.length; from += vocabulary) {
      logSoftmax(values.subarray(from, from + vocabulary), logProbabilities.subarray(from, from + vocabulary));
    }
    return { logProbabilities, vocabulary };
  }

  /** Goes on with these rows, in this order; one may come several times. */
  keep(rows: readonly number[]): void {
    if (rows.length === this.count && rows.every((row, i) => row === i)) return;
    const indices = tf.tensor1d(rows as number[], "int32");
    this.become(this.state.map((tensor) => tf.gather(tensor, indices)));
    indices.dispose();
  }

  dispose(): void {
    this.become([]);
  }

  private become(state: readonly tf.Tensor[]): void {
    const kept = new Set([...state, ...this.decoder.start]);
    for (const tensor of this.state) if (!kept.has(tensor)) tensor.dispose();
    this.state = state;
  }
}

/** log softmax of one row's logits, in doubles. @throws InputError for a NaN */
function logSoftmax(logits: Float32Array, result: Float32Array): void {
  const largest = logits.reduce((most, z) => Math.max(most, z), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, z) => total + Math.exp(z - largest), 0);
  if (!Number.isFinite(sum)) {
    throw new InputError("decoding got logits that are not finite: the weights are damaged, or of another network");
  }
  const logSum = largest + Math.log(sum);
  for (let k = 0; k < logits.length; k++) result[k] = logits[k] - logSum;
}

/** The first token of each row. @throws InputError when there is another number of them */
export function firstTokens({ begin }: DecodingOptions, rows: number): number[] {
  if (typeof begin === "number") return Array<number>(rows).fill(begin);
  if (begin.length === rows) return Array.from(begin);
  throw new InputError(`decoding got ${begin.length} first tokens for ${rows} row(s); expected one each`);
}
