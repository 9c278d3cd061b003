import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { LearnedPositions } from "../layers/index.ts";
import { gptStep } from "./gpt.ts";

/**
 * Reads a text with a GPT and says what may come next. It keeps the keys and values of what it has read, so that each
 * token is computed once. When the text outgrows the context it goes on with the second half of what it remembers.
 */
export class GptReader {
  private readonly step: tfl.LayersModel;
  private readonly context: number;
  /** ids that the kept keys and values are of */
  private seen: number[] = [];
  /** for each block keys and values [1, seen, dim] */
  private kept: tf.Tensor[];

  constructor(network: tfl.LayersModel) {
    this.step = gptStep(network);
    this.context = (network.getLayer("wpe") as LearnedPositions).context;
    this.kept = this.nothing();
  }

  /**
   * Reads on.
   *
   * @param ids one token or more
   * @returns logits of the token after them [vocabulary]
   */
  async read(ids: readonly number[]): Promise<Float32Array> {
    let unread = [...ids];
    if (this.seen.length + unread.length > this.context) {
      const most = Math.max(1, Math.floor(this.context / 2));
      unread = [...this.seen, ...unread].slice(-most);
      this.forget();
    }
    const before = this.kept;
    const [logits, ...kept] = tf.tidy(() => {
      const tokens = tf.tensor2d(unread, [1, unread.length], "int32");
      const [all, ...present] = this.step.apply([tokens, ...before], { training: false }) as tf.Tensor[];
      const [, time, vocabulary] = all.shape as [number, number, number];
      return [tf.slice(all, [0, time - 1, 0], [1, 1, vocabulary]), ...present];
    });
    tf.dispose(before);
    this.kept = kept;
    this.seen.push(...unread);
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    return values;
  }

  /** Begins a new text. */
  forget(): void {
    tf.dispose(this.kept);
    this.kept = this.nothing();
    this.seen = [];
  }

  /** Frees what it keeps; the network stays. */
  dispose(): void {
    tf.dispose(this.kept);
    this.kept = [];
  }

  private nothing(): tf.Tensor[] {
    return this.step.inputs.slice(1).map(({ shape }) => tf.zeros([1, 0, shape[2] as number]));
  }
}
