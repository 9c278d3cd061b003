/**
 * BERT (Devlin, Chang, Lee & Toutanova 2019, "BERT: pre-training of deep bidirectional transformers for language
 * understanding"): the encoder of a Transformer, which learns from text alone to tell words that were hidden and whether one
 * sentence followed another (sec. 3.1), and then, with one more layer, whatever else there are labels for (sec. 3.2).
 * Layer names are Hugging Face's (`bert.encoder.layer.0.attention.self.query` …).
 *
 * A text is `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]`; token types are 0 up to the first `[SEP]`, and 1 behind it.
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { initialize, truncatedNormal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  Bias,
  Dense,
  Dropout,
  Embedding,
  Gelu,
  LayerNorm,
  LearnedPositions,
  PickTokens,
  ProjectedSelfAttention,
  TokenPool,
} from "../layers/index.ts";
import { type TextEncoderEntry, textEncoder } from "../model-entry.ts";
import { countUses, sharedLayers } from "./shared-layers.ts";

type Symbolic = tfl.SymbolicTensor;

export interface BertOptions {
  /** name of the model */
  name?: string;
  /** tokens that there are */
  vocabulary?: number;
  /** the most tokens of a text */
  context?: number;
  /** L: layers */
  depth?: number;
  /** H: channels of a token */
  dim?: number;
  /** A */
  heads?: number;
  /** units of a layer's hidden layer; 4 H unless given */
  hidden?: number;
  /** token types */
  types?: number;
  /** share of units, and of weights of attention, that training drops */
  dropout?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

const variants = {
  /** the published one that is called BASE, uncased (sec. 3) */
  "bert-base-uncased": {
    ...{ vocabulary: 30_522, context: 512, depth: 12, dim: 768, heads: 12 },
    ...{ params: 110_106_428, macs: 48_318_971_904 },
  },
  "bert-4x128": {
    ...{ vocabulary: 8000, context: 128, depth: 4, dim: 128, heads: 4 },
    ...{ params: 1_875_522, macs: 117_456_896 },
  },
} as const;

/** Graphs over the same layers: weights that one of them learns, both have. `pretrain` has all of them. */
export type Bert = {
  /**
   * [ids int32 [batch, tokens], token types int32 [batch, tokens], lengths int32 [batch]] ->
   * [states [batch, tokens, H], that of `[CLS]` through the pooling layer [batch, H]]
   */
  encode: tfl.LayersModel;
  /**
   * [ids, token types, lengths, places of hidden words int32 [batch, hidden]] -> [logits of the words there [batch,
   * hidden, vocabulary], logits of whether B followed A (0) or not (1) [batch, 2]]. Words that nobody asks for cost
   * nothing: the vocabulary is large, and few are hidden.
   */
  pretrain: tfl.LayersModel;
};

/** The network of a task with labels. */
export interface BertClassifierOptions extends BertOptions {
  classes: number;
}

/** What the parts of a graph need to know. */
interface Graph {
  options: Required<Omit<BertOptions, "name" | "seed">>;
  shared: ReturnType<typeof sharedLayers>;
}

/** of layer norms */
const EPSILON = 1e-12;

/** The paper's BASE unless options say otherwise. @throws InputError when they do not fit each other */
export function bert(given: BertOptions = {}): Bert {
  const graph = graphOf(given);
  const { name = "bert", seed = 0 } = given;
  const { inputs, states, pooled } = encoded(graph);
  const encode = tfl.model({ inputs, outputs: [states, pooled], name: `${name}_encode` });

  const places = tfl.input({ shape: [null], dtype: "int32", name: "places" }); // [batch, hidden]
  const hidden = new PickTokens({ name: "cls.predictions.places" }).apply([states, places]) as Symbolic;
  const words = chain(
    hidden, // [batch, hidden, H]
    new Dense({ name: "cls.predictions.transform.dense", units: graph.options.dim }),
    new Gelu({ name: "cls.predictions.transform.activation" }),
    new LayerNorm({ name: "cls.predictions.transform.LayerNorm", epsilon: EPSILON }),
    wordEmbeddings(graph), // [batch, hidden, vocabulary]: the table of the input is the output layer too
    new Bias({ name: "cls.predictions.bias" }),
  );
  const next = new Dense({ name: "cls.seq_relationship", units: 2 }).apply(pooled) as Symbolic; // [batch, 2]
  const pretrain = tfl.model({ inputs: [...inputs, places], outputs: [words, next], name });

  countUses([encode, pretrain]);
  begin(pretrain, seed);
  return { encode, pretrain };
}

/** Frees the weights of all graphs. */
export function disposeBert({ encode, pretrain }: Bert): void {
  for (const graph of [encode, pretrain]) graph.dispose();
}

/**
 * BERT with a layer for the classes of a task (sec. 4.1), under Hugging Face's names for it: `classifier`. All else has the
 * names that it has in `bert`, so that `loadWeights` without `strict` takes what was learned from text.
 *
 * @returns [ids int32 [batch, tokens], token types int32 [batch, tokens], lengths int32 [batch]] -> logits [batch, classes]
 * @throws InputError when options do not fit each other
 */
export function bertClassifier({ classes, ...given }: BertClassifierOptions): tfl.LayersModel {
  const graph = graphOf(given);
  const { name = "bert-classifier", seed = 0 } = given;
  const { inputs, pooled } = encoded(graph);
  const logits = new Dense({ name: "classifier", units: classes }).apply(dropped(pooled, "dropout", graph)) as Symbolic;
  const model = tfl.model({ inputs, outputs: logits, name });
  countUses([model]);
  return begin(model, seed);
}

function graphOf(given: BertOptions): Graph {
  const base = variants["bert-base-uncased"];
  const options = { ...base, types: 2, dropout: 0.1, hidden: 4 * (given.dim ?? base.dim), ...given };
  const { dim, heads } = options;
  if (dim % heads !== 0) {
    throw new InputError(`a BERT got ${dim} channels and ${heads} heads; expected a multiple of the heads`);
  }
  return { options, shared: sharedLayers() };
}

/** N(0, 0.02²) within 2 σ, as the paper's code has it. */
function begin(model: tfl.LayersModel, seed: number | null): tfl.LayersModel {
  const first = truncatedNormal(0.02);
  return initialize(model, seed, { conv: first, dense: first });
}

/** states [batch, tokens, H], pooled [batch, H] */
function encoded(graph: Graph): { inputs: Symbolic[]; states: Symbolic; pooled: Symbolic } {
  const { dim, depth } = graph.options;
  const ids = tfl.input({ shape: [null], dtype: "int32", name: "ids" }); // [batch, tokens]
  const types = tfl.input({ shape: [null], dtype: "int32", name: "token_types" }); // [batch, tokens]
  const lengths = tfl.input({ shape: [], dtype: "int32", name: "lengths" }); // [batch]
  let x = embedded(ids, types, graph); // [batch, tokens, H]
  for (let layer = 0; layer < depth; layer++) x = encoderLayer(x, lengths, `bert.encoder.layer.${layer}`, graph);
  const pooled = chain(
    x,
    new TokenPool({ name: "bert.pooler.first", pool: "first" }), // [batch, H]: [CLS]
    new Dense({ name: "bert.pooler.dense", units: dim }),
    tfl.layers.activation({ name: "bert.pooler.activation", activation: "tanh" }),
  );
  return { inputs: [ids, types, lengths], states: x, pooled };
}

/** LN(word + type + position) (sec. 3, figure 2) */
function embedded(ids: Symbolic, types: Symbolic, graph: Graph): Symbolic {
  const { types: kinds, dim, context } = graph.options;
  const path = "bert.embeddings";
  const kind = new Embedding({ name: `${path}.token_type_embeddings`, vocabulary: kinds, units: dim });
  const add = new Add({ name: `${path}.add` });
  const words = wordEmbeddings(graph).apply(ids) as Symbolic; // [batch, tokens, H]
  const x = chain(
    add.apply([words, kind.apply(types) as Symbolic]) as Symbolic,
    new LearnedPositions({ name: `${path}.position_embeddings`, context }),
    new LayerNorm({ name: `${path}.LayerNorm`, epsilon: EPSILON }),
  );
  return dropped(x, `${path}.dropout`, graph);
}

function wordEmbeddings({ options, shared }: Graph): Embedding {
  const { vocabulary, dim } = options;
  return shared(new Embedding({ name: "bert.embeddings.word_embeddings", vocabulary, units: dim }));
}

/** y = LN(x + attention(x)), then LN(y + W₂ GELU(W₁ y)) */
function encoderLayer(x: Symbolic, lengths: Symbolic, path: string, graph: Graph): Symbolic {
  const { heads, hidden, dropout } = graph.options;
  const attention = new ProjectedSelfAttention({ name: `${path}.attention.self`, heads, dropout });
  const attended = attention.apply([x, lengths]) as Symbolic; // [batch, tokens, H]
  const y = output(attended, x, `${path}.attention.output`, graph);
  const active = chain(
    y,
    new Dense({ name: `${path}.intermediate.dense`, units: hidden }), // [batch, tokens, hidden]
    new Gelu({ name: `${path}.intermediate.activation` }),
  );
  return output(active, y, `${path}.output`, graph);
}

/** LN(x + W branch): what ends each half of a layer */
function output(branch: Symbolic, x: Symbolic, path: string, graph: Graph): Symbolic {
  const mapped = chain(branch, new Dense({ name: `${path}.dense`, units: graph.options.dim })); // [batch, tokens, H]
  const sum = new Add({ name: `${path}.add` }).apply([dropped(mapped, `${path}.dropout`, graph), x]) as Symbolic;
  return chain(sum, new LayerNorm({ name: `${path}.LayerNorm`, epsilon: EPSILON }));
}

function dropped(x: Symbolic, name: string, { options: { dropout: rate } }: Graph): Symbolic {
  return rate > 0 ? chain(x, new Dropout({ name, rate })) : x;
}

const narrow = { vocabulary: 11, context: 9, dim: 8, depth: 2, heads: 2, hidden: 12 } satisfies BertOptions;

const entryOf = (name: keyof typeof variants, summary: string): TextEncoderEntry => {
  const { params, macs, ...sizes } = variants[name];
  return textEncoder({
    ...{ name, family: "bert", summary, params, macs, vocabulary: sizes.vocabulary, context: sizes.context },
    build: (options) => bert({ ...sizes, name, ...options }),
    narrow: (options) => bert({ ...narrow, name, ...options }),
    classifier: (options) => bertClassifier({ ...sizes, name, ...options }),
  });
};

export const berts = [
  entryOf("bert-base-uncased", "BERT as published, BASE, for text in lower case"),
  entryOf("bert-4x128", "a BERT of 4 layers, 128 channels and 128 tokens"),
];
