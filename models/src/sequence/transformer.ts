/**
 * Transformer (Vaswani et al. 2017, "Attention is all you need"): an encoder reads the source, a decoder writes the target
 * token by token, and all that they know of order are waves added to the embeddings. Layer names are those of PyTorch's
 * `nn.Transformer` (`encoder.layers.0.self_attn.in_proj_weight` …), and so are the layer norms at the end of encoder and
 * decoder, which the paper's post-norm form does without.
 */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { glorotUniform, initialize, normal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  CachedSelfAttention,
  Dense,
  Dropout,
  Embedding,
  InProjection,
  LayerNorm,
  MemoryAttention,
  ReLU,
  SelfAttention,
  SinusoidalPositions,
} from "../layers/index.ts";
import { type Translator, translator } from "../model-entry.ts";
import { cachedDecoder } from "./cached-decoder.ts";
import type { Decoder } from "./decoding/index.ts";
import { countUses, sharedLayers } from "./shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

export interface TransformerOptions {
  name?: string;
  sourceVocabulary: number;
  targetVocabulary: number;
  /** d: channels of a token */
  units?: number;
  heads?: number;
  /** N of the encoder, and of the decoder */
  encoderLayers?: number;
  decoderLayers?: number;
  /** units of a layer's hidden layer */
  hidden?: number;
  /** of what each sublayer adds, and of embeddings with their positions (sec. 5.4) */
  dropout?: number;
  /** of the weights of attention, and of hidden units */
  attentionDropout?: number;
  hiddenDropout?: number;
  /** where layer norms stand: behind each residual sum as in the paper, or before each sublayer (Xiong et al. 2020) */
  norm?: "post" | "pre";
  /** source, target and output layer share one embedding (sec. 3.4): for a joint vocabulary */
  tied?: boolean;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** Graphs over the same layers: weights that one of them learns, all have. `train` has all of them. */
export type Transformer = {
  /**
   * [source ids int32 [batch, s], source lengths int32 [batch], target ids int32 [batch, t]] -> logits [batch, t, target
   * vocabulary], those of the token after each of the target
   */
  train: tfl.LayersModel;
  /** [source ids, source lengths] -> [memory [batch, s, d], and of each decoder layer its keys and values [batch, s, 2 d]] */
  encode: tfl.LayersModel;
  /**
   * [target ids int32 [batch, t], source lengths, each layer's keys and values of the memory [batch, s, 2 d], each layer's
   * keys and values of past tokens [batch, p, d]] -> [logits [batch, t, target vocabulary], each layer's keys and values
   * [batch, p + t, d]]; p is 0 for the first tokens
   */
  step: tfl.LayersModel;
  /**
   * Inputs as those of `train` -> of each decoder layer what its queries of the memory are made of [batch, t, d], and its
   * keys and values of the memory [batch, s, 2 d]
   */
  looks: tfl.LayersModel;
};

/** What the parts of a graph need to know. */
interface Graph {
  options: Required<Omit<TransformerOptions, "name" | "seed">>;
  shared: ReturnType<typeof sharedLayers>;
  /** whether it has dropout */
  training: boolean;
}

/** The paper's base model (table 3) unless options say otherwise. @throws InputError when they do not fit each other */
export function transformer(given: TransformerOptions): Transformer {
  const options: Graph["options"] = {
    ...{ units: 512, heads: 8, encoderLayers: 6, decoderLayers: 6, hidden: 2048 },
    ...{ dropout: 0.1, attentionDropout: 0, hiddenDropout: 0, norm: "post", tied: false },
    ...given,
  };
  const { units, heads, sourceVocabulary, targetVocabulary, tied, decoderLayers } = options;
  const { name = "transformer", seed = 0 } = given;
  if (units % heads !== 0) {
    throw new InputError(`a Transformer got ${units} units and ${heads} heads; expected a multiple of the heads`);
  }
  if (tied && sourceVocabulary !== targetVocabulary) {
    throw new InputError(
      `a Transformer was asked to tie vocabularies of ${sourceVocabulary} and ${targetVocabulary}; expected one size, of a joint vocabulary`,
    );
  }
  const shared = sharedLayers();
  const each = <T>(make: (layer: number) => T): T[] => Array.from({ length: decoderLayers }, (_, layer) => make(layer));
  const ids = (what: string) => tfl.input({ shape: [null], dtype: "int32", name: what }); // [batch, tokens]
  const numbers = () => tfl.input({ shape: [], dtype: "int32", name: "source_lengths" }); // [batch]

  const train = () => {
    const graph: Graph = { options, shared, training: true };
    const [source, lengths, target] = [ids("source"), numbers(), ids("target")];
    const memory = encoded(source, lengths, graph); // [batch, s, d]
    const looked: Symbolic[] = [];
    const y = decoded(embedded(target, "target", graph), graph, (path) => ({
      self: (qkv) => attention(`${path}.self_attn`, graph, true).apply(qkv) as Symbolic,
      cross: (x, layer) => {
        const keysAndValues = layer.apply(memory) as Symbolic; // [batch, s, 2 d]
        looked.push(x, keysAndValues);
        return layer.apply([x, keysAndValues, lengths]) as Symbolic;
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
    const keysAndValues = each((layer) => memoryAttention(`decoder.layers.${layer}`, graph).apply(memory) as Symbolic);
    return tfl.model({ inputs: [source, lengths], outputs: [memory, ...keysAndValues], name: `${name}_encode` });
  };

  const step = () => {
    const graph: Graph = { options, shared, training: false };
    const [target, lengths] = [ids("target"), numbers()];
    const rows = (what: string, width: number) =>
      each((layer) => tfl.input({ shape: [null, width], name: `${what}${layer}` }));
    const [keysAndValues, keys, values] = [rows("memory", 2 * units), rows("keys", units), rows("values", units)];
    const filled: Symbolic[] = [];
    const y = decoded(embedded(target, "target", graph, keys[0]), graph, (path, layer) => ({
      self: (qkv) => {
        const cached = new CachedSelfAttention({ name: `${path}.self_attn.attention`, heads });
        const [o, ...all] = cached.apply([qkv, keys[layer], values[layer]]) as Symbolic[];
        filled.push(...all); // [batch, p + t, d] each
        return o;
      },
      cross: (x, memory) => memory.apply([x, keysAndValues[layer], lengths]) as Symbolic,
    }));
    const past = each((layer) => [keys[layer], values[layer]]).flat();
    const inputs = [target, lengths, ...keysAndValues, ...past];
    return tfl.model({ inputs, outputs: [logits(y, graph), ...filled], name: `${name}_step` });
  };

  const models = { ...train(), encode: encode(), step: step() };
  countUses(Object.values(models));
  // N(0, 1 / d): after the factor √d, embeddings are as large as the waves.
  const small = normal(1 / Math.sqrt(units));
  const named = (weight: string) => (weight.includes("embedding/") ? small : undefined);
  initialize(models.train, seed, { conv: glorotUniform, dense: glorotUniform, named });
  return models;
}

/** √d x + positions of the tokens (sec. 3.4 and 3.5), after those of a cache, if any. */
function embedded(ids: Symbolic, what: "source" | "target", graph: Graph, past?: Symbolic): Symbolic {
  const { units } = graph.options;
  const x = embedding(what, graph).apply(ids) as Symbolic; // [batch, tokens, d]
  const positions = new SinusoidalPositions({ name: `${what}_positions`, scale: Math.sqrt(units) });
  return dropped(positions.apply(past ? [x, past] : x) as Symbolic, `${what}_dropout`, graph);
}

function embedding(what: "source" | "target", { options, shared }: Graph): Embedding {
  const { units, tied, sourceVocabulary, targetVocabulary } = options;
  const vocabulary = what === "source" ? sourceVocabulary : targetVocabulary;
  return shared(new Embedding({ name: tied ? "embedding" : `${what}_embedding`, vocabulary, units }));
}

/** [batch, t, d] -> [batch, t, target vocabulary] */
function logits(y: Symbolic, graph: Graph): Symbolic {
  const { tied, targetVocabulary } = graph.options;
  const layer = tied
    ? embedding("target", graph)
    : graph.shared(new Dense({ name: "output", units: targetVocabulary }));
  return layer.apply(y) as Symbolic;
}

function encoded(source: Symbolic, lengths: Symbolic, graph: Graph): Symbolic {
  const { encoderLayers, units } = graph.options;
  let x = embedded(source, "source", graph); // [batch, s, d]
  for (let layer = 0; layer < encoderLayers; layer++) {
    const path = `encoder.layers.${layer}`;
    x = sublayer(x, path, 1, graph, (z) => {
      const qkv = projection(`${path}.self_attn`, graph).apply(z) as Symbolic; // [batch, s, 3 d]
      const o = attention(`${path}.self_attn`, graph, false).apply([qkv, lengths]) as Symbolic;
      return graph.shared(new Dense({ name: `${path}.self_attn.out_proj`, units })).apply(o) as Symbolic;
    });
    x = sublayer(x, path, 2, graph, (z) => feedForward(z, path, graph));
  }
  return graph.shared(new LayerNorm({ name: "encoder.norm" })).apply(x) as Symbolic;
}

/** How a decoder layer attends to the tokens before, given qkv, and to the memory, given its layer for that. */
interface Attended {
  self(qkv: Symbolic): Symbolic;
  cross(x: Symbolic, layer: MemoryAttention): Symbolic;
}

function decoded(x: Symbolic, graph: Graph, attended: (path: string, layer: number) => Attended): Symbolic {
  const { decoderLayers, units } = graph.options;
  let y = x; // [batch, t, d]
  for (let layer = 0; layer < decoderLayers; layer++) {
    const path = `decoder.layers.${layer}`;
    const { self, cross } = attended(path, layer);
    y = sublayer(y, path, 1, graph, (z) => {
      const o = self(projection(`${path}.self_attn`, graph).apply(z) as Symbolic);
      return graph.shared(new Dense({ name: `${path}.self_attn.out_proj`, units })).apply(o) as Symbolic;
    });
    y = sublayer(y, path, 2, graph, (z) => {
      const o = cross(z, memoryAttention(path, graph));
      return graph.shared(new Dense({ name: `${path}.multihead_attn.out_proj`, units })).apply(o) as Symbolic;
    });
    y = sublayer(y, path, 3, graph, (z) => feedForward(z, path, graph));
  }
  return graph.shared(new LayerNorm({ name: "decoder.norm" })).apply(y) as Symbolic;
}

/** LN(x + f(x)), or with `pre` x + f(LN(x)). */
function sublayer(x: Symbolic, path: string, number: number, graph: Graph, f: (x: Symbolic) => Symbolic): Symbolic {
  const norm = graph.shared(new LayerNorm({ name: `${path}.norm${number}` }));
  const pre = graph.options.norm === "pre";
  const branch = dropped(f(pre ? (norm.apply(x) as Symbolic) : x), `${path}.dropout${number}`, graph);
  const sum = new Add({ name: `${path}.add${number}` }).apply([branch, x]) as Symbolic;
  return pre ? sum : (norm.apply(sum) as Symbolic);
}

/** max(0, x W₁ + b₁) W₂ + b₂ (eq. 2) */
function feedForward(x: Symbolic, path: string, graph: Graph): Symbolic {
  const { hidden, hiddenDropout, units } = graph.options;
  const active = chain(
    x,
    graph.shared(new Dense({ name: `${path}.linear1`, units: hidden })), // [batch, tokens, hidden]
    new ReLU({ name: `${path}.activation` }),
  );
  const kept = dropped(active, `${path}.dropout`, graph, hiddenDropout);
  return graph.shared(new Dense({ name: `${path}.linear2`, units })).apply(kept) as Symbolic;
}

const projection = (name: string, { options, shared }: Graph): InProjection =>
  shared(new InProjection({ name, units: 3 * options.units }));

const attention = (path: string, { options, training }: Graph, causal: boolean): SelfAttention =>
  new SelfAttention({
    name: `${path}.attention`,
    heads: options.heads,
    causal,
    dropout: training ? options.attentionDropout : 0,
  });

const memoryAttention = (path: string, { options, shared }: Graph): MemoryAttention =>
  shared(
    new MemoryAttention({ name: `${path}.multihead_attn`, heads: options.heads, dropout: options.attentionDropout }),
  );

function dropped(x: Symbolic, name: string, { options, training }: Graph, rate = options.dropout): Symbolic {
  return training && rate > 0 ? (new Dropout({ name, rate }).apply(x) as Symbolic) : x;
}

/**
 * A decoder that has read these sources; its `start` is the caller's to dispose.
 *
 * @param source ids int32 [rows, s]  @param lengths int32 [rows]
 */
export function transformerDecoder({ encode, step }: Transformer, source: tf.Tensor, lengths: tf.Tensor): Decoder {
  return cachedDecoder(step, lengths, () => {
    const [, ...memory] = encode.apply([source, lengths]) as tf.Tensor[]; // [rows, s, 2 d] for each layer
    return { memory, width: (memory[0].shape[2] as number) / 2, caches: 2 * memory.length };
  });
}

/**
 * Where it looks in the source (see `Translator`).
 *
 * @returns [batch, decoder layers, heads, t, s]
 */
export function transformerAttention(
  { looks }: Transformer,
  source: tf.Tensor,
  lengths: tf.Tensor,
  target: tf.Tensor,
): tf.Tensor5D {
  return tf.tidy(() => {
    const looked = looks.apply([source, lengths, target], { training: false }) as tf.Tensor[];
    const weights = Array.from({ length: looked.length / 2 }, (_, i) => {
      const layer = looks.getLayer(`decoder.layers.${i}.multihead_attn`) as MemoryAttention;
      return layer.weightsOf(looked[2 * i], looked[2 * i + 1], lengths); // [batch, heads, t, s]
    });
    return tf.stack(weights, 1) as tf.Tensor5D;
  });
}

const variants = {
  /** table 3, base; 37,000 tokens of both languages together (sec. 5.1) */
  transformer: {
    ...{ vocabulary: 37_000, units: 512, heads: 8, encoderLayers: 6, decoderLayers: 6, hidden: 2048 },
    ...{ params: 63_084_544, macs: 1_267_056_640 },
  },
  "transformer-small": {
    ...{ vocabulary: 8000, units: 128, heads: 4, encoderLayers: 4, decoderLayers: 4, hidden: 256 },
    ...{ params: 2_349_568, macs: 47_923_200 },
  },
} as const;

/** Of a source, and of a target: what multiply-adds are counted for. */
const TOKENS = 20;

/** The graphs, and a decoder over them. */
export function translatorOf(models: Transformer): Translator {
  return {
    train: models.train,
    decoder: (source, lengths) => transformerDecoder(models, source, lengths),
    attention: (source, lengths, target) => transformerAttention(models, source, lengths, target),
    dispose: () => {
      for (const model of Object.values(models)) model.dispose();
    },
  };
}

/** The registry's networks have one vocabulary for both languages. */
const joint = (
  sizes: Omit<TransformerOptions, "sourceVocabulary" | "targetVocabulary">,
  vocabulary: number,
  given: { sourceVocabulary?: number; targetVocabulary?: number } = {},
): Translator => {
  const { sourceVocabulary = vocabulary, targetVocabulary = sourceVocabulary, ...options } = given;
  return translatorOf(transformer({ ...sizes, tied: true, ...options, sourceVocabulary, targetVocabulary }));
};

const narrow = { units: 8, heads: 2, encoderLayers: 2, decoderLayers: 2, hidden: 12 };

/** nn.Transformer with embeddings of its own for each language, and dropout everywhere. */
const peer = {
  ...{ units: 256, heads: 8, encoderLayers: 3, decoderLayers: 3, hidden: 512, tied: false },
  ...{ dropout: 0.1, attentionDropout: 0.1, hiddenDropout: 0.1 },
};

const { transformer: base, "transformer-small": small } = variants;

export const transformers = [
  translator({
    name: "transformer",
    family: "transformer",
    summary: "the Transformer as published, base",
    vocabulary: base.vocabulary,
    tokens: TOKENS,
    joint: true,
    params: base.params,
    macs: base.macs,
    benchmark: { vocabulary: 8000, tokens: TOKENS, options: peer },
    build: (options) => {
      const { vocabulary, params, macs, ...sizes } = base;
      return joint({ ...sizes, name: "transformer" }, vocabulary, options);
    },
    narrow: (options) => joint({ ...narrow, name: "transformer" }, 11, options),
  }),
  translator({
    name: "transformer-small",
    family: "transformer",
    summary: "a Transformer for some ten thousand sentences",
    vocabulary: small.vocabulary,
    tokens: TOKENS,
    joint: true,
    params: small.params,
    macs: small.macs,
    benchmark: { vocabulary: 8000, tokens: TOKENS, options: {} },
    build: (options) => {
      const { vocabulary, params, macs, ...sizes } = small;
      return joint({ ...sizes, name: "transformer-small", norm: "pre" }, vocabulary, options);
    },
    narrow: (options) => joint({ ...narrow, name: "transformer-small", norm: "pre" }, 11, options),
  }),
];
