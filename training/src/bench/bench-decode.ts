import * as tf from "@tensorflow/tfjs-core";
import {
  findModel,
  GptReader,
  greedy,
  InputError,
  type LanguageModelEntry,
  type Random,
  randomStream,
  type TranslatorEntry,
} from "@tfjs-zoo/models";
import { type BackendName, type Progress, startBackend } from "../node/backends/index.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { median } from "./statistics.ts";

export interface BenchDecodeOptions {
  model: string;
  /** Default "auto": the best that works. */
  backend?: string;
  /** Tokens that are written. Default: 40 to translate, 48 by a language model; at most its context. */
  tokens?: number;
  /** Times that the text is written, each way. Default 5. */
  rounds?: number;
  progress?: Progress;
}

export interface BenchDecodeResult {
  decode: true;
  model: string;
  backend: string;
  /** written, one by one, for one text */
  tokens: number;
  /** tokens a second, median of the rounds: states of earlier tokens kept, and everything computed again for each */
  cached_per_s: number;
  uncached_per_s: number;
  ratio: number;
  environment: BenchEnvironment;
}

/** The likeliest tokens of a text, written in two ways that must agree. */
interface Writer {
  cached(tokens: number): Promise<number[]>;
  uncached(tokens: number): Promise<number[]>;
  /** the most tokens that can be written */
  most: number;
}

/**
 * Writes a text token by token by a fresh network, with what was computed for earlier tokens kept and without, in turns.
 *
 * @throws InputError for a model that writes nothing, an unknown backend, and a number out of range
 */
export async function benchDecode(options: BenchDecodeOptions): Promise<BenchDecodeResult> {
  const { model, backend: asked = "auto", rounds = 5, progress } = options;
  const entry = findModel(model);
  if (entry.task !== "translation" && entry.task !== "language-modelling") {
    throw new InputError(`bench decode is for networks that write, and ${model} writes nothing`);
  }
  const { name: backend, device } = await startBackend(asked as BackendName | "auto", { progress });
  const writer = entry.task === "translation" ? translatorWriter(entry) : languageWriter(entry);
  const tokens = options.tokens ?? Math.min(writer.most, entry.task === "translation" ? 40 : 48);
  for (const [flag, value, most] of [
    ["tokens", tokens, writer.most],
    ["rounds", rounds, 1000],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new InputError(`--${flag} ${value}: give a whole number from 1 to ${most}`);
    }
  }
  const ways = { cached: [] as number[], uncached: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const written: number[][] = [];
    for (const way of ["cached", "uncached"] as const) {
      const began = performance.now();
      written.push(await writer[way](tokens));
      if (round > 0) ways[way].push(performance.now() - began); // the first only warms up
    }
    if (written[0].join() !== written[1].join()) {
      throw new Error(`${model} writes ${written[0].join()} with a cache and ${written[1].join()} without`);
    }
    progress?.({ label: "Writing", done: round, total: rounds, unit: "items" });
  }
  const perSecond = (ms: readonly number[]) => Number(((1000 * tokens) / median(ms)).toFixed(1));
  return {
    ...{ decode: true, model, backend, tokens },
    cached_per_s: perSecond(ways.cached),
    uncached_per_s: perSecond(ways.uncached),
    ratio: Number((median(ways.uncached) / median(ways.cached)).toFixed(2)),
    environment: benchEnvironment(device),
  };
}

/** Tokens of the source that a translator reads. */
const SOURCE = 20;

function translatorWriter(entry: TranslatorEntry): Writer {
  const translator = entry.build({ seed: 0 });
  const source = tf.tensor2d(randomIds(randomStream(0, "bench"), entry.vocabulary, SOURCE), [1, SOURCE], "int32");
  const lengths = tf.tensor1d([SOURCE], "int32");
  return {
    most: 500,
    async cached(maxLength) {
      const decoder = translator.decoder(source, lengths);
      const [{ tokens }] = await greedy(decoder, { begin: 1, maxLength });
      tf.dispose([...decoder.start]);
      return tokens;
    },
    uncached: (tokens) =>
      rewritten([1], tokens, (target) => translator.train.apply([source, lengths, target]) as tf.Tensor3D),
  };
}

function languageWriter(entry: LanguageModelEntry): Writer {
  const network = entry.build({ seed: 0 });
  return {
    most: entry.context - 1,
    async cached(tokens) {
      const reader = new GptReader(network);
      const written: number[] = [];
      let logits = await reader.read([1]);
      while (written.length < tokens) {
        written.push(logits.reduce((best, z, id) => (z > logits[best] ? id : best), 0));
        if (written.length < tokens) logits = await reader.read([written[written.length - 1]]);
      }
      reader.dispose();
      return written;
    },
    uncached: (tokens) => rewritten([1], tokens, (ids) => network.apply(ids) as tf.Tensor3D),
  };
}

/** Writes the likeliest token after all so far, computing all of them again each time. */
async function rewritten(
  first: readonly number[],
  tokens: number,
  logitsOf: (ids: tf.Tensor2D) => tf.Tensor3D,
): Promise<number[]> {
  const ids = [...first];
  while (ids.length < first.length + tokens) {
    const last = tf.tidy(() => {
      const logits = logitsOf(tf.tensor2d(ids, [1, ids.length], "int32")); // [1, time, vocabulary]
      return tf.argMax(tf.slice(logits, [0, ids.length - 1, 0], [1, 1, logits.shape[2]]), -1);
    });
    ids.push((await last.data())[0]);
    last.dispose();
  }
  return ids.slice(first.length);
}

const randomIds = (random: Random, vocabulary: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.integer(vocabulary));
