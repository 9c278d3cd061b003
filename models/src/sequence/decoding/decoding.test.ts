import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { type BeamSearchOptions, beamSearch, type Decoder, greedy, sample } from "./index.ts";

beforeAll(() => tf.setBackend("cpu"));

/** The token that ends a row of the tiny decoder, and that which begins it. */
const END = 0;
const BEGIN = 3;

/** Log-probabilities of what follows these tokens in a row of this number, by chance: for the tests' truth. */
function tinyLogProbabilities(row: number, tokens: readonly number[], vocabulary = 4): number[] {
  const random = randomStream("tiny decoder", row, tokens.join());
  const logits = Array.from({ length: vocabulary }, () => 1.5 * random.normal());
  const logSum = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
  return logits.map((z) => z - logSum);
}

/**
 * A decoder whose state says all that was written, so that rows in the wrong order give other results: the row's number
 * [rows, 1], which no step changes, and its tokens [rows, 1, length].
 */
function tinyDecoder(rows: number, vocabulary = 4): Decoder {
  return {
    start: [tf.tensor2d(Array.from({ length: rows }, (_, row) => [row])), tf.zeros([rows, 1, 1])],
    step(tokens, [numbers, written]) {
      const added = tf.tensor3d([...tokens], [tokens.length, 1, 1]);
      const all = tf.concat([written, added], 2); // [rows, 1, 1 + length]
      const rowsNow = numbers.dataSync();
      const histories = tf.squeeze(all, [1]).arraySync() as number[][];
      // Behind the 0 that it begins with, and the first token.
      const logits = histories.map((history, i) => tinyLogProbabilities(rowsNow[i], history.slice(2), vocabulary));
      return { logits: tf.tensor2d(logits), state: [numbers, all] };
    },
  };
}

const options = { begin: BEGIN, end: END, maxLength: 5 };

/** Runs it with a decoder of so many rows, without leaving tensors behind. */
async function withRows<T>(rows: number, run: (decoder: Decoder) => Promise<T>): Promise<T> {
  const before = tf.memory().numTensors;
  const decoder = tinyDecoder(rows);
  const start = decoder.start.map((tensor) => [...tensor.dataSync()]);
  const result = await run(decoder);
  expect(decoder.start.map((tensor) => [...tensor.dataSync()])).toEqual(start);
  tf.dispose([...decoder.start]);
  expect(tf.memory().numTensors).toBe(before);
  return result;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Every sequence that a row may become, and its log-probability. */
function everything(
  row: number,
  written: number[] = [],
  total = 0,
): { tokens: number[]; total: number; length: number }[] {
  if (written.length === options.maxLength) return [{ tokens: written, total, length: written.length }];
  return tinyLogProbabilities(row, written).flatMap((logProbability, token) =>
    token === END
      ? [{ tokens: written, total: total + logProbability, length: written.length + 1 }]
      : everything(row, [...written, token], total + logProbability),
  );
}

describe("beam search", () => {
  it.each([0, 0.6, 2])(
    "of enough beams finds what exhaustive search finds, with a length penalty of %d",
    async (lengthPenalty) => {
      const given: BeamSearchOptions = { ...options, beams: 400, best: 5, lengthPenalty };
      const rows = await withRows(3, (decoder) => beamSearch(decoder, given));
      for (const [row, { results }] of rows.entries()) {
        const truth = everything(row)
          .map(({ tokens, total, length }) => ({ tokens, score: total / ((5 + length) / 6) ** lengthPenalty }))
          .sort((a, b) => b.score - a.score);
        expect(results.map(({ tokens }) => tokens)).toEqual(truth.slice(0, 5).map(({ tokens }) => tokens));
        for (const [i, { score }] of results.entries()) expect(score).toBeCloseTo(truth[i].score, 4);
      }
    },
  );

  it("finds the same whatever rows beside it may write", async () => {
    const given = { ...options, end: undefined, beams: 3, lengthPenalty: 0.6 };
    const rows = await withRows(3, (decoder) => beamSearch(decoder, { ...given, maxLengths: [2, 5, 4] }));
    expect(rows.map(({ results }) => results[0].tokens.length)).toEqual([2, 5, 4]);
    const [first] = await withRows(3, (decoder) => beamSearch(decoder, { ...given, maxLength: 2 }));
    expect(rows[0]).toEqual(first);
  });

  it("of one beam and no length penalty is greedy", async () => {
    const [beam, plain] = [
      await withRows(6, (decoder) => beamSearch(decoder, { ...options, beams: 1 })),
      await withRows(6, (decoder) => greedy(decoder, options)),
    ];
    for (const [row, { results }] of beam.entries()) {
      expect(results[0].tokens).toEqual(plain[row].tokens);
      expect(results[0].ended).toBe(plain[row].ended);
      expect(sum(results[0].logProbabilities)).toBeCloseTo(sum(plain[row].logProbabilities), 4);
    }
  });

  it("gives rows side by side what it gives them alone, and scores and a tree that say how", async () => {
    const given = { ...options, beams: 3, best: 3, lengthPenalty: 0.6 };
    const together = await withRows(4, (decoder) => beamSearch(decoder, given));
    for (const [row, { results, tree }] of together.entries()) {
      const alone = await withRows(row + 1, (decoder) => beamSearch(decoder, given));
      expect(alone[row]).toEqual(together[row]);
      for (const { tokens, logProbabilities, score, ended, node } of results) {
        const written = ended ? [...tokens, END] : tokens;
        expect(logProbabilities).toHaveLength(written.length);
        for (const [i, value] of logProbabilities.entries()) {
          expect(value).toBeCloseTo(tinyLogProbabilities(row, tokens.slice(0, i))[written[i]], 5);
        }
        expect(score).toBeCloseTo(sum(logProbabilities) / ((5 + written.length) / 6) ** 0.6, 5);
        expect(tree[node].total).toBeCloseTo(sum(logProbabilities), 5);
        expect(tree[node].ended).toBe(ended);
      }
      for (const [place, { parent }] of tree.entries()) expect(parent).toBeLessThan(place);
      const atFirst = tree.filter(({ parent, ended }) => parent === -1 && !ended);
      expect(atFirst.length).toBeLessThanOrEqual(3);
    }
  });

  it.each<[string, Partial<BeamSearchOptions>, RegExp]>([
    ["beams", { beams: 0 }, /^beam search got 0 beams; expected a whole number above 0$/],
    ["results", { best: 3 }, /the 3 best of 2 beams; expected 1 to 2$/],
    ["penalty", { lengthPenalty: -1 }, /length penalty of -1/],
    ["length", { maxLength: 0 }, /maximum length of 0/],
    ["first tokens", { begin: [1, 2, 3] }, /got 3 first tokens for 2 row/],
  ])("refuses wrong %s in one line", async (_, wrong, message) => {
    await withRows(2, (decoder) =>
      expect(beamSearch(decoder, { ...options, beams: 2, ...wrong })).rejects.toThrow(message),
    );
  });
});

describe("greedy", () => {
  it("takes the likeliest token of each row until its end", async () => {
    const rows = await withRows(6, (decoder) => greedy(decoder, options));
    for (const [row, { tokens, logProbabilities, ended }] of rows.entries()) {
      const written: number[] = [];
      while (written.length < options.maxLength && written.at(-1) !== END) {
        const next = tinyLogProbabilities(row, written);
        written.push(next.indexOf(Math.max(...next)));
      }
      expect(ended ? [...tokens, END] : tokens).toEqual(written);
      expect(logProbabilities).toHaveLength(written.length);
    }
    expect(new Set(rows.map(({ ended }) => ended)).size).toBe(2);
  });

  it("goes on to the longest without an end, each row from a first token of its own", async () => {
    const rows = await withRows(2, (decoder) => greedy(decoder, { begin: [1, 2], maxLength: 3 }));
    for (const { tokens, ended } of rows) expect([tokens.length, ended]).toEqual([3, false]);
  });

  it("says that logits are not numbers, and frees what it holds", async () => {
    await withRows(2, async ({ start, step }) => {
      const broken: Decoder = {
        start,
        step: (tokens, state) => {
          const { logits, ...rest } = step(tokens, state);
          return { ...rest, logits: tf.mul(logits, Number.NaN) };
        },
      };
      await expect(greedy(broken, options)).rejects.toThrow(/logits that are not finite/);
    });
  });

  it("refuses a decoder whose tensors differ in rows", async () => {
    const decoder: Decoder = {
      start: [tf.zeros([2]), tf.zeros([3])],
      step: () => ({ logits: tf.zeros([2, 2]), state: [] }),
    };
    await expect(greedy(decoder, options)).rejects.toThrow(/tensors of 2 and 3 rows/);
    tf.dispose([...decoder.start]);
  });
});

describe("sampling", () => {
  const draws = 2000;
  /** How often each token comes first, of rows that all know the same. */
  async function shares(limits: object): Promise<number[]> {
    const same: Decoder = {
      start: [tf.zeros([draws, 1])],
      step: (tokens, state) => ({
        logits: tf.tile(tf.tensor2d([tinyLogProbabilities(0, [])]), [tokens.length, 1]),
        state: [...state],
      }),
    };
    const rows = await sample(same, { begin: BEGIN, maxLength: 1, seed: 5, ...limits });
    tf.dispose([...same.start]);
    const counts = [0, 0, 0, 0];
    for (const { tokens } of rows) counts[tokens[0]]++;
    return counts.map((count) => count / draws);
  }
  const probabilities = tinyLogProbabilities(0, []).map(Math.exp);
  const order = [0, 1, 2, 3].sort((a, b) => probabilities[b] - probabilities[a]);

  it("draws tokens as often as they are likely", async () => {
    for (const [token, share] of (await shares({})).entries()) expect(share).toBeCloseTo(probabilities[token], 1);
  });

  it("sharpens by temperature", async () => {
    const powers = probabilities.map((p) => p ** 2);
    for (const [token, share] of (await shares({ temperature: 0.5 })).entries()) {
      expect(share).toBeCloseTo(powers[token] / sum(powers), 1);
    }
    expect((await shares({ temperature: 0 }))[order[0]]).toBe(1);
  });

  it("keeps to the likeliest by topK and topP", async () => {
    const two = await shares({ topK: 2 });
    expect([...order.slice(2)].map((token) => two[token])).toEqual([0, 0]);
    expect(two[order[1]]).toBeGreaterThan(0);
    const few = await shares({ topP: probabilities[order[0]] + 1e-3 });
    expect(few[order[1]]).toBeGreaterThan(0);
    expect(few[order[2]]).toBe(0);
    expect((await shares({ topP: 1e-6 }))[order[0]]).toBe(1);
  });

  it("draws the same from the same seed, and other rows from another", async () => {
    const rows = (seed: number) => withRows(8, (decoder) => sample(decoder, { ...options, seed }));
    expect(await rows(1)).toEqual(await rows(1));
    expect(await rows(1)).not.toEqual(await rows(2));
  });

  it.each([
    [{ temperature: -1 }, /temperature of -1; expected 0 or more/],
    [{ topK: -1 }, /topK of -1/],
    [{ topP: 0 }, /topP of 0; expected above 0 and at most 1/],
  ])("refuses %j in one line", async (wrong, message) => {
    await withRows(1, (decoder) => expect(sample(decoder, { ...options, seed: 1, ...wrong })).rejects.toThrow(message));
  });
});
