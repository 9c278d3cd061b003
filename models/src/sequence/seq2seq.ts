/**
 * Sequence to sequence with attention (Bahdanau, Cho & Bengio 2015, "Neural machine translation by jointly learning to
 * align and translate"): a recurrent encoder reads the source in both directions, and a recurrent decoder looks back at
 * its states in every step. Luong, Pham & Manning (2015, "Effective approaches to attention-based neural machine
 * translation") look with the state behind a step, score it otherwise, and feed what was made of both into the next: these
 * are options.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { type Initializer, initialize, lecunUniform, normal } from "../initialize.ts";
import { AttentionDecoder, Concat, Dense, Dropout, Embedding, Gru, Lstm } from "../layers/index.ts";
import { type Translator, type TranslatorOptions, translator } from "../model-entry.ts";
import { countUses } from "./shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

export interface Seq2SeqOptions extends TranslatorOptions {
  /** channels of an embedded token */
  embedding?: number;
  /** numbers in the decoder's state, and in those of the encoder's two directions together */
  units?: number;
  cell?: "lstm" | "gru";
  /** layers of the encoder */
  encoderLayers?: number;
  /** whether the decoder looks with the state before a step (Bahdanau) or behind it (Luong) */
  style?: "bahdanau" | "luong";
  score?: "additive" | "general" | "dot";
  inputFeeding?: boolean;
  /** what the output layer sees: the state; or tanh of a layer over state, context and token (Bahdanau's deep output, A.2.2) */
  readout?: "state" | "deep";
  /** Whether the decoder begins with what the encoder ended with. */
  bridge?: boolean;
}

const variants = {
  seq2seq: { vocabulary: 8000, embedding: 256, units: 256, params: 7_795_776, macs: 71_442_432 },
} as const;

/** The network of these options. @throws InputError when they do not fit each other */
export function seq2seq(options: Seq2SeqOptions = {}): Translator {
  const { sourceVocabulary = 8000, targetVocabulary = sourceVocabulary, name = "seq2seq", seed = 0 } = options;
  const { embedding = 256, units = 256, cell = "lstm", encoderLayers = 1, dropout = 0 } = options;
  const { style = "bahdanau", score = style === "luong" ? "general" : "additive", inputFeeding = true } = options;
  const { readout = "deep", bridge = true } = options;
  if (units % 2 !== 0) {
    throw new InputError(`seq2seq got ${units} units; expected an even number, half of it for each direction`);
  }

  const sourceTable = new Embedding({ name: "source_embedding", vocabulary: sourceVocabulary, units: embedding });
  const targetTable = new Embedding({ name: "target_embedding", vocabulary: targetVocabulary, units: embedding });
  const Cell = cell === "lstm" ? Lstm : Gru;
  const encoder = new Cell({
    ...{ name: "encoder", units: units / 2, bidirectional: true, numLayers: encoderLayers },
    ...{ dropout, returnState: true },
  });
  const key = score === "additive" ? new Dense({ name: "key", units, useBias: false }) : undefined;
  const decoder = new AttentionDecoder({
    ...{ name: "decoder", units, cell, style, score, inputFeeding, bridge },
    showsContext: readout === "deep",
  });
  const deep = readout === "deep" ? new Dense({ name: "readout", units: embedding }) : undefined;
  const output = new Dense({ name: "output", units: targetVocabulary });
  const dropped = (x: Symbolic, what: string) =>
    dropout > 0 ? (new Dropout({ name: `${what}_dropout`, rate: dropout }).apply(x) as Symbolic) : x;

  const ids = (what: string) => tfl.input({ shape: [null], dtype: "int32", name: what }); // [batch, tokens]
  const [source, target] = [ids("source"), ids("target")];
  const lengths = tfl.input({ shape: [], dtype: "int32", name: "source_lengths" }); // [batch]
  const read = dropped(sourceTable.apply(source) as Symbolic, "source"); // [batch, s, embedding]
  const [memory, ...last] = encoder.apply([read, lengths]) as Symbolic[]; // [batch, s, units], [batch, 2 layers, units / 2]
  const keys = key ? (key.apply(memory) as Symbolic) : memory; // [batch, s, units]
  const written = dropped(targetTable.apply(target) as Symbolic, "target"); // [batch, t, embedding]
  let y = decoder.apply([written, memory, keys, lengths, ...(bridge ? last : [])]) as Symbolic;
  if (deep) {
    y = deep.apply(new Concat({ name: "seen" }).apply([y, written])) as Symbolic; // [batch, t, embedding]
    y = tfl.layers.activation({ name: "readout_tanh", activation: "tanh" }).apply(y) as Symbolic;
  }
  const logits = output.apply(dropped(y, "readout")) as Symbolic; // [batch, t, target vocabulary]
  const train = tfl.model({ inputs: [source, lengths, target], outputs: logits, name });
  countUses([train]);
  const embeddings: Initializer = normal(1 / Math.sqrt(embedding));
  const scores: Initializer = normal(1 / Math.sqrt(units));
  initialize(train, seed, {
    ...{ conv: lecunUniform, dense: lecunUniform },
    named: (weight) => (weight.includes("_embedding/") ? embeddings : weight === "decoder/v" ? scores : undefined),
  });

  /** Reads sources: the encoder's states, their keys, and what the decoder begins with. */
  const encoded = (sources: tf.Tensor, lengthsOf: tf.Tensor) => {
    const [values, ...after] = encoder.apply([sourceTable.apply(sources) as tf.Tensor, lengthsOf]) as tf.Tensor[];
    const keys = key ? (key.apply(values) as tf.Tensor) : tf.clone(values);
    return { values, keys, state: decoder.firstState(sources.shape[0] as number, after) };
  };

  return {
    train,

    decoder(sources, lengthsOf) {
      const start = tf.tidy(() => {
        const { values, keys, state } = encoded(sources, lengthsOf);
        return [tf.clone(lengthsOf), values, keys, ...state];
      });
      return {
        start,
        step(tokens, [lengths, values, keys, ...state]) {
          const looked = targetTable.apply(tf.tensor2d(tokens, [tokens.length, 1], "int32")) as tf.Tensor;
          const x = tf.squeeze(looked, [1]); // [rows, embedding]
          const next = decoder.step(x, { values, keys, lengths }, state);
          const seen = deep ? tf.tanh(deep.apply(tf.concat([next.output, x], -1)) as tf.Tensor) : next.output;
          return { logits: output.apply(seen) as tf.Tensor, state: [lengths, values, keys, ...next.state] };
        },
      };
    },

    attention(sources, lengthsOf, given) {
      return tf.tidy(() => {
        const { state, ...memory } = encoded(sources, lengthsOf);
        const x = targetTable.apply(given) as tf.Tensor; // [batch, t, embedding]
        const weights = decoder.weightsOf(x, { ...memory, lengths: lengthsOf }, state); // [batch, t, s]
        return tf.expandDims(tf.expandDims(weights, 1), 1) as tf.Tensor5D; // one layer, one head
      });
    },

    dispose() {
      train.dispose();
    },
  };
}

/** Of a source, and of a target: what multiply-adds are counted for. */
const TOKENS = 20;

const narrow: Seq2SeqOptions = { sourceVocabulary: 11, embedding: 6, units: 8 };

const { vocabulary, params, macs, ...sizes } = variants.seq2seq;

export const seq2seqs = [
  translator({
    name: "seq2seq",
    family: "seq2seq",
    summary: "an LSTM that looks back at another with additive attention",
    joint: true,
    vocabulary,
    tokens: TOKENS,
    params,
    macs,
    benchmark: {
      vocabulary: 8000,
      tokens: TOKENS,
      options: { readout: "state", bridge: false } satisfies Seq2SeqOptions,
    },
    build: (options) => seq2seq({ ...sizes, sourceVocabulary: vocabulary, name: "seq2seq", ...options }),
    narrow: (options) => seq2seq({ ...narrow, name: "seq2seq", ...options }),
  }),
];
