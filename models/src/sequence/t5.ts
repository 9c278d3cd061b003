/**
 * T5 (Raffel et al. 2020, "Exploring the limits of transfer learning with a unified text-to-text transformer"): a
 * Transformer of encoder and decoder for which every task is to read a text and to write one. It differs from the
 * original (sec. 2.1): layer norms stand before each part and only scale, no dense layer has a bias, scores of attention
 * are not divided by √dₕ, and places are told by a bias on these scores that all layers of a stack share. Layer names are
 * Hugging Face's (`encoder.block.0.layer.0.SelfAttention.q` …).
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { fans, type Initializer, initialize, normal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  AppendTokens,
  BiasedAttention,
  Dense,
  Dropout,
  Embedding,
  Gelu,
  ReLU,
  RelativePositions,
  RmsNorm,
  Scale,
} from "../layers/index.ts";
import { type Translator, type TranslatorOptions, translator } from "../model-entry.ts";
import { attentionWeights } from "../ops/attention.ts";
import { cachedDecoder } from "./cached-decoder.ts";
import type { Decoder } from "./decoding/index.ts";
import { countUses, sharedLayers } from "./shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

export interface T5Options extends TranslatorOptions {
  /** d: channels of a token */
  units?: number;
  heads?: number;
  /** channels of a head; together they may be more or fewer than d */
  headUnits?: number;
  encoderLayers?: number;
  decoderLayers?: number;
  /** units of a layer's hidden layer */
  hidden?: number;
  /**
   * A layer's last part: max(0, x W) Wₒ, or since version 1.1 (gelu(x W₀) ∘ x W₁) Wₒ (Shazeer 2020, "GLU variants improve
   * transformer", eq. 6)
   */
  feedForward?: "relu" | "gated-gelu";
  /** Whether the table of embeddings is the output layer too, with logits by √d smaller; since version 1.1 it is not. */
  tied?: boolean;
  /** kinds of distances between tokens, and the distance from which on they share one */
  buckets?: number;
  maxDistance?: number;
}

/** Graphs over the same layers: weights that one of them learns, all have. `train` has all of them. */
export type T5 = {
  /**
   * [source ids int32 [batch, s], source lengths int32 [batch], target ids int32 [batch, t]] -> logits [batch, t,
   * vocabulary], those of the token after each of the target
   */
  train: tfl.LayersModel;
  /** [source ids, source lengths] -> each decoder layer's keys and values of the memory [batch, s, heads · dₕ] */
  encode: tfl.LayersModel;
  /**
   * [target ids int32 [batch, t], source lengths, each layer's keys and values of the memory [batch, s, heads · dₕ], each
   * layer's keys and values of past tokens [batch, p, heads · dₕ]] -> [logits [batch, t, vocabulary], each layer's keys
   * and values [batch, p + t, heads · dₕ]]; p is 0 for the first tokens
   */
  step: tfl.LayersModel;
  /** Inputs as those of `train` -> of each decoder layer its queries of the memory [batch, t, heads · dₕ], and the keys */
  looks: tfl.LayersModel;
};

type Sizes = Required<Omit<T5Options, "name" | "seed" | "sourceVocabulary" | "targetVocabulary">>;

/** What the parts of a graph need to know. */
interface Graph {
  options: Sizes & { vocabulary: number };
  shared: ReturnType<typeof sharedLayers>;
  /** whether it has dropout */
  training: boolean;
}

/** T5 Small of version 1.0 unless options say otherwise. @throws InputError when they do not fit each other */
export function t5(given: T5Options = {}): T5 {
  const { name = "t5", seed = 0, sourceVocabulary = 32_128, targetVocabulary = sourceVocabulary, ...sizes } = given;
  const options: Graph["options"] = {
    ...{ units: 512, heads: 8, headUnits: 64, encoderLayers: 6, decoderLayers: 6, hidden: 2048, dropout: 0.1 },
    ...{ feedForward: "relu", tied: true, buckets: 32, maxDistance: 128 },
    ...sizes,
    vocabulary: sourceVocabulary,
  };
  if (sourceVocabulary !== targetVocabulary) {
    throw new InputError(
      `T5 reads and writes with one vocabulary, and got ${sourceVocabulary} and ${targetVocabulary} tokens; expected one size`,
    );
  }
  const { units, heads, headUnits, decoderLayers } = options;
  const inner = heads * headUnits;
  const shared = sharedLayers();
  const each = <T>(make: (layer: number) => T): T[] => Array.from({ length: decoderLayers }, (_, layer) => make(layer));
  const ids = (what: string) => tfl.input({ shape: [null], dtype: "int32", name: what }); // [batch, tokens]
  const numbers = () => tfl.input({ shape: [], dtype: "int32", name: "source_lengths" }); // [batch]
  const memoryOf = (x: Symbolic, layer: number, graph: Graph) =>
    ["k", "v"].map((part) => projection(`decoder.block.${layer}.layer.1.EncDecAttention.${part}`, x, graph));

  const train = () => {
    const graph: Graph = { options, shared, training: true };
    const [source, lengths, target] = [ids("source"), numbers(), ids("target")];
    const memory = encoded(source, lengths, graph); // [batch, s, d]
    const x = embedded(target, "decoder", graph);
    const bias = positions("decoder", graph).apply(x) as Symbolic; // [heads, t, t]
    const looked: Symbolic[] = [];
    const y = decoded(x, graph, (layer) => ({
      self: (q, k, v) => attention(`decoder.block.${layer}.layer.0.SelfAttention`, [q, k, v, bias], graph, true),
      cross: (q) => {
        const path = `decoder.block.${layer}.layer.1.EncDecAttention`;
        const [k, v] = memoryOf(memory, layer, graph);
        looked.push(q, k);
        return attention(path, [q, k, v, lengths], graph, false);
      },
    }));
    const inputs = [source, lengths, target];
    return {
      train: tfl.model({ inputs, outputs: logits(y, graph), name }),
      looks: tfl.model({ inputs, outputs: looked, name: `${name}_looks` }),
    };
  };

  const encode = () => {
    const graph: Graph = { options, shared, training: false };
    const [source, lengths] = [ids("source"), numbers()];
    const memory = encoded(source, lengths, graph);
    const outputs = each((layer) => memoryOf(memory, layer, graph)).flat();
    return tfl.model({ inputs: [source, lengths], outputs, name: `${name}_encode` });
  };

  const step = () => {
    const graph: Graph = { options, shared, training: false };
    const [target, lengths] = [ids("target"), numbers()];
    const pairs = (what: string) =>
      each((layer) =>
        ["keys", "values"].map((of) => tfl.input({ shape: [null, inner], name: `${what}_${of}${layer}` })),
      );
    const [memory, past] = [pairs("memory"), pairs("past")];
    const filled: Symbolic[] = [];
    const x = embedded(target, "decoder", graph);
    const bias = positions("decoder", graph).apply([x, past[0][0]]) as Symbolic; // [heads, t, p + t]
    const y = decoded(x, graph, (layer) => ({
      self: (q, k, v) => {
        const path = `decoder.block.${layer}.layer.0.SelfAttention`;
        const all = [k, v].map((tokens, i) => {
          const append = new AppendTokens({ name: `${path}.${["keys", "values"][i]}` });
          return append.apply([past[layer][i], tokens]) as Symbolic; // [batch, p + t, heads · dₕ]
        });
        filled.push(...all);
        return attention(path, [q, ...all, bias], graph, true);
      },
      cross: (q) =>
        attention(`decoder.block.${layer}.layer.1.EncDecAttention`, [q, ...memory[layer], lengths], graph, false),
    }));
    const inputs = [target, lengths, ...memory.flat(), ...past.flat()];
    return tfl.model({ inputs, outputs: [logits(y, graph), ...filled], name: `${name}_step` });
  };

  const models = { ...train(), encode: encode(), step: step() };
  countUses(Object.values(models));
  const [queries, biases] = [normal(1 / Math.sqrt(units * headUnits)), normal(1 / Math.sqrt(units))];
  initialize(models.train, seed, {
    ...{ conv: byFanIn, dense: byFanIn },
    // Queries make up for the scores that nothing divides.
    named: (weight) =>
      weight.startsWith("shared/")
        ? normal(1)
        : weight.endsWith(".q/weight")
          ? queries
          : weight.includes(".relative_attention_bias/")
            ? biases
            : undefined,
  });
  return models;
}

/** N(0, 1 / fan in), as the authors' code has it for all but queries, biases and embeddings. */
const byFanIn: Initializer = (shape, random) => normal(1 / Math.sqrt(fans(shape).fanIn))(shape, random);

function encoded(source: Symbolic, lengths: Symbolic, graph: Graph): Symbolic {
  let x = embedded(source, "encoder", graph); // [batch, s, d]
  const bias = positions("encoder", graph).apply(x) as Symbolic; // [heads, s, s]
  for (let layer = 0; layer < graph.options.encoderLayers; layer++) {
    const path = `encoder.block.${layer}.layer`;
    x = part(x, `${path}.0`, graph, (z) => {
      const name = `${path}.0.SelfAttention`;
      const qkv = ["q", "k", "v"].map((of) => projection(`${name}.${of}`, z, graph)); // [batch, s, heads · dₕ] each
      return attention(name, [...qkv, bias, lengths], graph, false);
    });
    x = part(x, `${path}.1`, graph, (z) => feedForward(z, `${path}.1.DenseReluDense`, graph));
  }
  return ended(x, "encoder", graph);
}

/** How a decoder layer attends to the tokens before and to the memory, given queries, and keys and values of the former. */
interface Attended {
  self(q: Symbolic, k: Symbolic, v: Symbolic): Symbolic;
  cross(q: Symbolic): Symbolic;
}

function decoded(x: Symbolic, graph: Graph, attended: (layer: number) => Attended): Symbolic {
  let y = x; // [batch, t, d]
  for (let layer = 0; layer < graph.options.decoderLayers; layer++) {
    const path = `decoder.block.${layer}.layer`;
    const { self, cross } = attended(layer);
    const of = (name: string, z: Symbolic) => projection(`${path}.${name}`, z, graph); // [batch, t, heads · dₕ]
    y = part(y, `${path}.0`, graph, (z) => {
      const [q, k, v] = ["q", "k", "v"].map((which) => of(`0.SelfAttention.${which}`, z));
      return self(q, k, v);
    });
    y = part(y, `${path}.1`, graph, (z) => cross(of("1.EncDecAttention.q", z)));
    y = part(y, `${path}.2`, graph, (z) => feedForward(z, `${path}.2.DenseReluDense`, graph));
  }
  return ended(y, "decoder", graph);
}

/** x + f(norm(x)) */
function part(x: Symbolic, path: string, graph: Graph, f: (z: Symbolic) => Symbolic): Symbolic {
  const branch = f(norm(`${path}.layer_norm`, x, graph));
  return new Add({ name: `${path}.add` }).apply([dropped(branch, `${path}.dropout`, graph), x]) as Symbolic;
}

function feedForward(x: Symbolic, path: string, graph: Graph): Symbolic {
  const { units, hidden, feedForward } = graph.options;
  const wide = (name: string) => projection(`${path}.${name}`, x, graph, hidden); // [batch, tokens, hidden]
  const active =
    feedForward === "relu"
      ? chain(wide("wi"), new ReLU({ name: `${path}.act` }))
      : (tfl.layers
          .multiply({ name: `${path}.gated` })
          .apply([
            chain(wide("wi_0"), new Gelu({ name: `${path}.act`, approximation: "tanh" })),
            wide("wi_1"),
          ]) as Symbolic);
  return projection(`${path}.wo`, dropped(active, `${path}.dropout`, graph), graph, units);
}

/** Σ over the heads of what queries find, by the output projection: [batch, queries, d] */
function attention(path: string, inputs: Symbolic[], graph: Graph, causal: boolean): Symbolic {
  const { heads, units, dropout } = graph.options;
  const core = new BiasedAttention({
    ...{ name: `${path}.attention`, heads, causal, scale: 1 },
    dropout: graph.training ? dropout : 0,
  });
  return projection(`${path}.o`, core.apply(inputs) as Symbolic, graph, units);
}

/** A dense layer without a bias; all heads wide unless given. */
function projection(name: string, x: Symbolic, { options, shared }: Graph, width?: number): Symbolic {
  const { heads, headUnits } = options;
  return shared(new Dense({ name, units: width ?? heads * headUnits, useBias: false })).apply(x) as Symbolic;
}

const norm = (name: string, x: Symbolic, { shared }: Graph): Symbolic =>
  shared(new RmsNorm({ name })).apply(x) as Symbolic;

const table = ({ options, shared }: Graph): Embedding =>
  shared(new Embedding({ name: "shared", vocabulary: options.vocabulary, units: options.units }));

const embedded = (ids: Symbolic, stack: "encoder" | "decoder", graph: Graph): Symbolic =>
  dropped(table(graph).apply(ids) as Symbolic, `${stack}.embed_dropout`, graph); // [batch, tokens, d]

const ended = (x: Symbolic, stack: "encoder" | "decoder", graph: Graph): Symbolic =>
  dropped(norm(`${stack}.final_layer_norm`, x, graph), `${stack}.dropout`, graph);

/** The first layer's name, and for all layers. */
function positions(stack: "encoder" | "decoder", { options, shared }: Graph): RelativePositions {
  const name = `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias`;
  const { heads, buckets, maxDistance } = options;
  return shared(new RelativePositions({ name, heads, buckets, maxDistance, causal: stack === "decoder" }));
}

/** [batch, t, d] -> [batch, t, vocabulary] */
function logits(y: Symbolic, graph: Graph): Symbolic {
  const { tied, units, vocabulary } = graph.options;
  if (!tied) return projection("lm_head", y, graph, vocabulary);
  return chain(y, new Scale({ name: "lm_scale", factor: 1 / Math.sqrt(units) }), table(graph));
}

function dropped(x: Symbolic, name: string, { options: { dropout: rate }, training }: Graph): Symbolic {
  return training && rate > 0 ? (new Dropout({ name, rate }).apply(x) as Symbolic) : x;
}

/**
 * A decoder that has read these sources; its `start` is the caller's to dispose.
 *
 * @param source ids int32 [rows, s]  @param lengths int32 [rows]
 */
export function t5Decoder({ encode, step }: T5, source: tf.Tensor, lengths: tf.Tensor): Decoder {
  return cachedDecoder(step, lengths, () => {
    const memory = encode.apply([source, lengths]) as tf.Tensor[]; // [rows, s, heads · dₕ], two for each layer
    return { memory, width: memory[0].shape[2] as number, caches: memory.length };
  });
}

/**
 * Where it looks in the source (see `Translator`).
 *
 * @returns [batch, decoder layers, heads, t, s]
 */
export function t5Attention(
  { train, looks }: T5,
  source: tf.Tensor,
  lengths: tf.Tensor,
  target: tf.Tensor,
): tf.Tensor5D {
  return tf.tidy(() => {
    const looked = looks.apply([source, lengths, target], { training: false }) as tf.Tensor[];
    const weights = Array.from({ length: looked.length / 2 }, (_, layer) => {
      const { heads } = train.getLayer(`decoder.block.${layer}.layer.1.EncDecAttention.attention`) as BiasedAttention;
      const [q, k] = looked.slice(2 * layer);
      return attentionWeights({ q, k, lengths }, { heads, scale: 1 }); // [batch, heads, t, s]
    });
    return tf.stack(weights, 1) as tf.Tensor5D;
  });
}

const variants = {
  /** Version 1.0 (sec. 3.7): 32,000 pieces, 100 sentinels, and 28 for nothing. */
  "t5-small": {
    sizes: { units: 512, heads: 8, headUnits: 64, encoderLayers: 6, decoderLayers: 6, hidden: 2048 },
    ...{ vocabulary: 32_128, params: 60_506_624, macs: 1_217_167_360 },
  },
  /** Version 1.1, which FLAN-T5 was made of too. */
  "t5-v1.1-small": {
    sizes: {
      ...{ units: 512, heads: 6, headUnits: 64, encoderLayers: 8, decoderLayers: 8, hidden: 1024 },
      ...{ feedForward: "gated-gelu", tied: false },
    },
    ...{ vocabulary: 32_128, params: 76_961_152, macs: 1_217_167_360 },
  },
  "t5-pocket": {
    sizes: { units: 128, heads: 4, headUnits: 32, encoderLayers: 3, decoderLayers: 3, hidden: 256 },
    ...{ vocabulary: 8000, params: 2_009_472, macs: 41_062_400 },
  },
} as const satisfies { [name: string]: { sizes: T5Options; vocabulary: number; params: number; macs: number } };

/** Of a source, and of a target: what multiply-adds are counted for. */
const TOKENS = 20;

/** The graphs, and a decoder over them. */
export function t5Translator(options: T5Options): Translator {
  const models = t5(options);
  return {
    train: models.train,
    decoder: (source, lengths) => t5Decoder(models, source, lengths),
    attention: (source, lengths, target) => t5Attention(models, source, lengths, target),
    dispose: () => {
      for (const model of Object.values(models)) model.dispose();
    },
  };
}

const narrow: T5Options = {
  ...{ sourceVocabulary: 11, units: 8, heads: 2, headUnits: 3, encoderLayers: 2, decoderLayers: 2, hidden: 12 },
  ...{ buckets: 8, maxDistance: 6 },
};

function entry(name: keyof typeof variants, summary: string) {
  const { sizes, ...counted } = variants[name];
  const { feedForward, tied }: T5Options = sizes;
  return translator({
    ...{ name, family: "t5", summary, tokens: TOKENS, joint: true, ...counted },
    benchmark: { vocabulary: 8000, tokens: TOKENS, options: {} },
    build: (options) => t5Translator({ ...sizes, sourceVocabulary: counted.vocabulary, name, ...options }),
    narrow: (options) => t5Translator({ ...narrow, feedForward, tied, name, ...options }),
  });
}

export const t5s = [
  entry("t5-small", "T5 as published, the smallest of the five"),
  entry("t5-v1.1-small", "T5 Small in version 1.1, the form of FLAN-T5"),
  entry("t5-pocket", "a T5 for some ten thousand short texts"),
];
