/**
 * GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners"): the decoder of a transformer alone
 * (Radford et al. 2018, "Improving language understanding by generative pre-training"), with layer norm before each
 * part of a block and one more at the end (sec. 2.3). Its input table is its output layer too. `gpt2` is the published
 * one, and `gpt` as small as a first lesson: it learns to write letter by letter. Layer names are Hugging Face's
 * (`h.0.attn.c_attn` …).
 */
import * as tfl from "@tensorflow/tfjs-layers";
import { initialize, normal } from "../initialize.ts";
import { chain } from "../layers/chain.ts";
import {
  Add,
  CachedSelfAttention,
  Conv1D,
  Dense,
  Dropout,
  Embedding,
  Gelu,
  LayerNorm,
  LearnedPositions,
  SelfAttention,
} from "../layers/index.ts";
import { type LanguageModelOptions, languageModel } from "../model-entry.ts";
import { borrowing, countUses } from "./shared-layers.ts";

export interface GptOptions extends LanguageModelOptions {
  /** channels of a token */
  dim?: number;
  /** blocks */
  depth?: number;
  heads?: number;
  /** Whether the input table is the output layer too; else that is a dense layer of its own, with a bias. */
  tied?: boolean;
  /** of GELU: the normal distribution itself, or GPT-2's approximation */
  approximation?: "none" | "tanh";
}

const variants = {
  gpt: { vocabulary: 65, context: 64, dim: 128, depth: 4, heads: 4, params: 809_856, macs: 55_058_432 },
  gpt2: {
    ...{ vocabulary: 50_257, context: 1024, dim: 768, depth: 12, heads: 12 },
    ...{ params: 124_439_808, macs: 145_824_153_600 },
  },
} as const;

type Layer = tfl.layers.Layer;
type Symbolic = tfl.SymbolicTensor;

/** Where the graph's layers come from: a new network makes them, its decoder takes those of the network. */
type LayerOf = (name: string, make: () => Layer) => Layer;

interface Graph {
  layer: LayerOf;
  depth: number;
  tied: boolean;
  /** [batch, time, 3 dim] -> [batch, time, dim] */
  attend(qkv: Symbolic, path: string): Symbolic;
  /** what stands at the end of every branch */
  dropped?(x: Symbolic, name: string): Symbolic;
}

type Sizes = Required<Pick<GptOptions, "vocabulary" | "context" | "dim" | "approximation">>;

/**
 * @param ids [batch, time]
 * @param past keys of what came before [batch, past, dim]
 * @returns logits [batch, time, vocabulary]
 */
function connect(ids: Symbolic, past: Symbolic | undefined, graph: Graph, sizes: Partial<Sizes> = {}): Symbolic {
  const { layer, depth, tied, attend, dropped = (x) => x } = graph;
  const { vocabulary = 0, context = 0, dim = 0, approximation } = sizes;
  const norm = (name: string) => layer(name, () => new LayerNorm({ name }));
  const conv1d = (name: string, units: number) => layer(name, () => new Conv1D({ name, units }));
  const plus = (x: Symbolic, branch: Symbolic, name: string) => new Add({ name }).apply([branch, x]) as Symbolic;

  const wte = layer("wte", () => new Embedding({ name: "wte", vocabulary, units: dim }));
  const wpe = layer("wpe", () => new LearnedPositions({ name: "wpe", context }));
  const tokens = wte.apply(ids) as Symbolic; // [batch, time, dim]
  let x = dropped(wpe.apply(past ? [tokens, past] : tokens) as Symbolic, "drop");
  for (let block = 0; block < depth; block++) {
    const path = `h.${block}`;
    const qkv = chain(x, norm(`${path}.ln_1`), conv1d(`${path}.attn.c_attn`, 3 * dim)); // [batch, time, 3 dim]
    const attended = chain(attend(qkv, path), conv1d(`${path}.attn.c_proj`, dim)); // [batch, time, dim]
    x = plus(x, dropped(attended, `${path}.attn.resid_dropout`), `${path}.add_1`);
    const mapped = chain(
      x,
      norm(`${path}.ln_2`),
      conv1d(`${path}.mlp.c_fc`, 4 * dim), // [batch, time, 4 dim]
      new Gelu({ name: `${path}.mlp.act`, approximation }),
      conv1d(`${path}.mlp.c_proj`, dim), // [batch, time, dim]
    );
    x = plus(x, dropped(mapped, `${path}.mlp.dropout`), `${path}.add_2`);
  }
  const head = tied ? wte : layer("lm_head", () => new Dense({ name: "lm_head", units: vocabulary }));
  return chain(x, norm("ln_f"), head); // [batch, time, vocabulary]
}

/**
 * @returns ids [batch, time] -> logits of the token after each [batch, time, vocabulary]; time is at most the context
 */
export function gpt(options: GptOptions = {}): tfl.LayersModel {
  const { vocabulary = 50_257, context = 1024, dim = 768, depth = 12, heads = 12, dropout = 0 } = options;
  const { tied = true, approximation = "tanh", seed = 0, name = "gpt" } = options;

  const ids = tfl.input({ shape: [null], dtype: "int32", name: "input" });
  const graph: Graph = {
    layer: (_, make) => make(),
    depth,
    tied,
    attend: (qkv, path) => chain(qkv, new SelfAttention({ name: `${path}.attn`, heads, causal: true, dropout })),
    dropped: (x, path) => (dropout > 0 ? chain(x, new Dropout({ name: path, rate: dropout })) : x),
  };
  const logits = connect(ids, undefined, graph, { vocabulary, context, dim, approximation });
  const model = tfl.model({ inputs: ids, outputs: logits, name });
  countUses([model]);
  // What is added to the sum of 2 · depth branches begins smaller (sec. 2.3).
  const branch = normal(0.02 / Math.sqrt(2 * depth));
  return initialize(model, seed, {
    conv: normal(0.02),
    dense: normal(0.02),
    named: (weight) => (weight.includes(".c_proj/") ? branch : undefined),
  });
}

/**
 * The same network one step at a time: it gets the keys and values of the tokens before, so that each is computed once.
 * It borrows the weights of the network that is given, and is not to be disposed.
 *
 * @returns [ids [batch, time], and for each block keys and values of what came before [batch, past, dim]] ->
 *   [logits [batch, time, vocabulary], and for each block keys and values with the new ones [batch, past + time, dim]]
 */
export const gptStep = (network: tfl.LayersModel): tfl.LayersModel => borrowing(network, () => stepOf(network));

function stepOf(network: tfl.LayersModel): tfl.LayersModel {
  const names = new Set(network.layers.map(({ name }) => name));
  const depth = [...names].filter((name) => /^h\.\d+\.ln_1$/.test(name)).length;
  const { heads } = network.getLayer("h.0.attn") as SelfAttention;
  const { units: dim } = network.getLayer("wte") as Embedding;

  const ids = tfl.input({ shape: [null], dtype: "int32", name: "input" });
  const past = Array.from({ length: depth }, (_, block) =>
    ["keys", "values"].map((what) => tfl.input({ shape: [null, dim], name: `h.${block}.${what}` })),
  ); // [batch, past, dim] each
  const present: Symbolic[] = [];
  const graph: Graph = {
    layer: (name) => network.getLayer(name),
    depth,
    tied: !names.has("lm_head"),
    attend(qkv, path) {
      const kept = past[present.length / 2];
      const attention = new CachedSelfAttention({ name: `${path}.attn`, heads });
      const [y, keys, values] = attention.apply([qkv, ...kept]) as Symbolic[];
      present.push(keys, values);
      return y;
    },
  };
  const { approximation } = network.getLayer("h.0.mlp.act") as Gelu;
  const logits = connect(ids, past[0][0], graph, { approximation });
  return tfl.model({ inputs: [ids, ...past.flat()], outputs: [logits, ...present], name: `${network.name}-step` });
}

const narrow: GptOptions = { vocabulary: 11, context: 8, dim: 8, depth: 2, heads: 2 };

const { gpt: small, gpt2 } = variants;

export const gpts = [
  languageModel({
    name: "gpt",
    family: "gpt",
    summary: "GPT-2 of 4 blocks, 128 channels and 64 tokens",
    vocabulary: small.vocabulary,
    context: small.context,
    params: small.params,
    macs: small.macs,
    benchmark: {
      ...{ vocabulary: 65, context: 128 },
      options: { dim: 256, depth: 4, heads: 4, tied: false, approximation: "none" } satisfies GptOptions,
    },
    build: (options) => gpt({ ...small, name: "gpt", ...options }),
    narrow: (options) => gpt({ ...narrow, name: "gpt", ...options }),
  }),
  languageModel({
    name: "gpt2",
    family: "gpt",
    summary: "GPT-2 as published, the smallest of the four",
    vocabulary: gpt2.vocabulary,
    context: gpt2.context,
    params: gpt2.params,
    macs: gpt2.macs,
    benchmark: { vocabulary: gpt2.vocabulary, context: gpt2.context, options: {} },
    build: (options) => gpt({ ...gpt2, name: "gpt2", ...options }),
    narrow: (options) => gpt({ ...narrow, tied: false, approximation: "none", name: "gpt2", ...options }),
  }),
];
