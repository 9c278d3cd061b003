import { InputError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { chooseToken, type TokenChoice } from "../choose-token.ts";
import { type Decoder, type DecodingOptions, DecodingRows, firstTokens } from "./decoder.ts";

/** What a row became. */
export interface DecodedRow {
  /** without the first and without the end */
  readonly tokens: number[];
  /** of each token, and of the end where there is one, in nats */
  readonly logProbabilities: number[];
  /** whether it came to its end before `maxLength` */
  readonly ended: boolean;
}

/**
 * Writes the likeliest token, step after step.
 *
 * @returns one row for each of the decoder's
 */
export function greedy(decoder: Decoder, options: DecodingOptions): Promise<DecodedRow[]> {
  return rowByRow(decoder, options, (logProbabilities) => likeliest(logProbabilities));
}

export interface SamplingOptions extends DecodingOptions, TokenChoice {
  /** rows of equal seeds and numbers draw the same */
  seed: number;
}

/**
 * Draws each token at random by its probability.
 *
 * @returns one row for each of the decoder's; log-probabilities are those of the network, before temperature and limits
 * @throws InputError for a temperature, `topK` or `topP` out of range
 */
export async function sample(decoder: Decoder, options: SamplingOptions): Promise<DecodedRow[]> {
  const { seed, temperature = 1, topK = 0, topP = 1 } = options;
  const inRange: [string, number, boolean, string][] = [
    ["temperature", temperature, temperature >= 0 && Number.isFinite(temperature), "0 or more"],
    ["topK", topK, topK >= 0, "0 or more"],
    ["topP", topP, topP > 0 && topP <= 1, "above 0 and at most 1"],
  ];
  for (const [name, value, fits, expected] of inRange) {
    if (!fits) throw new InputError(`sampling got a ${name} of ${value}; expected ${expected}`);
  }
  const pick = (logProbabilities: Float32Array, row: number, step: number) =>
    chooseToken(logProbabilities, { temperature, topK, topP }, randomStream(seed, "sample", row, step));
  return rowByRow(decoder, options, pick);
}

/** Writes all rows, each until its end: `pick` chooses from log-probabilities [vocabulary]. */
async function rowByRow(
  decoder: Decoder,
  options: DecodingOptions,
  pick: (logProbabilities: Float32Array, row: number, step: number) => number,
): Promise<DecodedRow[]> {
  const rows = new DecodingRows(decoder, options);
  const written = firstTokens(options, rows.count).map((last, number) => ({
    ...{ number, last, ended: false },
    ...{ tokens: [] as number[], logProbabilities: [] as number[] },
  }));
  try {
    let live = written;
    for (let step = 0; step < options.maxLength && live.length > 0; step++) {
      const { logProbabilities, vocabulary } = await rows.step(live.map(({ last }) => last));
      for (const [i, row] of live.entries()) {
        const ofRow = logProbabilities.subarray(i * vocabulary, (i + 1) * vocabulary);
        row.last = pick(ofRow, row.number, step);
        row.logProbabilities.push(ofRow[row.last]);
        row.ended = row.last === options.end;
        if (!row.ended) row.tokens.push(row.last);
      }
      const going = [...live.keys()].filter((i) => !live[i].ended);
      if (going.length > 0) rows.keep(going);
      live = going.map((i) => live[i]);
    }
  } finally {
    rows.dispose();
  }
  return written.map(({ tokens, logProbabilities, ended }) => ({ tokens, logProbabilities, ended }));
}

function likeliest(logProbabilities: Float32Array): number {
  return logProbabilities.reduce((best, value, k) => (value > logProbabilities[best] ? k : best), 0);
}
