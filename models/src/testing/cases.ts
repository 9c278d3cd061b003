import type {
  AddAttrs,
  AttentionAttrs,
  AttentionLeanAttrs,
  BatchNormAttrs,
  Conv2DAttrs,
  ConvTranspose2DAttrs,
  DenseAttrs,
  DepthwiseConv2DAttrs,
  DistillationLossAttrs,
  EluAttrs,
  GeluAttrs,
  GroupNormAttrs,
  GruAttrs,
  HuberLossAttrs,
  LayerNormAttrs,
  LeakyReluAttrs,
  LocalResponseNormAttrs,
  LstmAttrs,
  Pool2DAttrs,
  ReductionAttrs,
  RelativePositionsAttrs,
  RmsNormAttrs,
  RnnAttrs,
  RotaryAttrs,
  ShortcutAAttrs,
  SinusoidalPositionsAttrs,
  SoftmaxCrossEntropyAttrs,
  TokenPoolAttrs,
  UnflattenAttrs,
  Upsample2DAttrs,
} from "../ops/index.ts";
import { type Random, randomStream } from "../random.ts";
import { type Array64, type Inputs64, sizeOf } from "./array64.ts";
import { batchNormInferenceTextbook, batchNormTrainingTextbook } from "./textbook/batch-norm.ts";
import { conv2dTextbook } from "./textbook/convolution.ts";
import { rnnTextbook } from "./textbook/recurrent.ts";

/** One call of an op. */
export interface Case {
  /** shapes and attributes in words, unique among the op's cases */
  readonly name: string;
  readonly inputs: Inputs64;
  readonly attrs: object;
}

/**
 * The cases of every op, by its `opName`. All values are exact in float32, so that what a backend is given is what the
 * float64 reference is given; they keep away from kinks (ReLU) and ties (max pooling), where there is no derivative.
 */
export const cases: { readonly [opName: string]: (random: Random) => Case[] } = {
  AbsoluteError: (random) => errors(random, 0),

  Add: (random) =>
    [[3], [2, 3], [2, 3, 4, 5]].flatMap((shape) => [
      make({ a: normal(random, shape), b: normal(random, shape) }),
      make(termsAwayFromKink(random, shape), { activation: "relu" } satisfies AddAttrs),
    ]),

  AdditiveAttention: (random) =>
    [
      { query: [1, 2], places: 1, e: 1 },
      { query: [3, 4], places: 5, e: 2, masked: true },
      { query: [2, 3, 4], places: 4, e: 3 },
      { query: [3, 2, 3], places: 3, e: 2, masked: true },
    ].map(({ query, places, e, masked }) => {
      const [batch, d] = [query[0], query[query.length - 1]];
      return make({
        query: normal(random, query),
        keys: normal(random, [batch, places, d]),
        v: normal(random, [d]),
        values: normal(random, [batch, places, e]),
        ...(masked && { lengths: lengthsUpTo(places, batch) }),
      });
    }),

  Attention: (random) => [
    ...attentions(random),
    ...[
      [3, 2, 3, 5],
      [1, 2, 3, 1],
      [3, 1, 1, 5],
    ].map((shape, i) => {
      const dropout = filled(shape, () => (random.uniform() < 0.3 ? 0 : 1 / 0.7));
      const [given] = attentions(random, [{ queries: 3, keys: 5, d: 4, heads: 2, masked: i === 0, bias: i }]);
      return make({ ...given.inputs, dropout }, { ...given.attrs, causal: i === 1 } satisfies AttentionAttrs);
    }),
  ],

  AttentionLean: (random) =>
    attentions(random).map(({ inputs, attrs }, i) =>
      make(inputs, { ...attrs, blockSize: [1, 2, 2, undefined][i % 4] } satisfies AttentionLeanAttrs),
    ),

  AttentiveLstm: (random) =>
    [
      { batch: 1, time: 1, places: 1, e: 1, m: 1, d: 1, k: 1 },
      { batch: 2, time: 3, places: 4, e: 2, m: 3, d: 2, k: 4 },
      { batch: 3, time: 2, places: 3, e: 3, m: 2, d: 4, k: 3, masked: true },
    ].map(({ batch, time, places, e, m, d, k, masked }) => {
      const weight = (...shape: number[]) => filled(shape, () => 0.5 * random.normal());
      return make({
        x: normal(random, [batch, time, e]),
        weightIh: weight(e + m, 4 * d),
        weightHh: weight(d, 4 * d),
        biasIh: weight(4 * d),
        biasHh: weight(4 * d),
        queryWeight: weight(d, k),
        queryBias: weight(k),
        v: weight(k),
        keys: normal(random, [batch, places, k]),
        values: normal(random, [batch, places, m]),
        h0: normal(random, [batch, d]),
        c0: normal(random, [batch, d]),
        ...(masked && { lengths: lengthsUpTo(places, batch) }),
      });
    }),

  AvgPool2D: (random) => pools().map(({ shape, ...attrs }) => make({ x: normal(random, shape) }, attrs)),

  BatchNormInference: (random) => batchNorms(random),
  BatchNormTraining: (random) => batchNorms(random),

  ChannelShift: (random) =>
    imageShapes().map((shape) => make({ x: normal(random, shape), shift: normal(random, [shape[0], shape[3]]) })),

  ClassToken: (random) =>
    tokenShapes().map((shape) => make({ x: normal(random, shape), token: normal(random, [1, 1, shape[2]]) })),

  Concat: (random) =>
    [
      [[2], [3]],
      [
        [4, 1],
        [4, 2],
      ],
      [
        [2, 3, 3, 4],
        [2, 3, 3, 1],
      ],
    ].map(([a, b]) => make({ 0: normal(random, a), 1: normal(random, b) })),

  Conv2D: (random) => [
    ...convolutions().map(({ shape, kernel: [kh, kw], outChannels, groups, bias, ...window }) => {
      const x = normal(random, shape);
      const filter = normal(random, [kh, kw, shape[3] / groups, outChannels]);
      const attrs: Conv2DAttrs = { ...window, groups };
      return make(bias ? { x, filter, bias: normal(random, [outChannels]) } : { x, filter }, attrs);
    }),
    ...[false, true].flatMap((bias) =>
      [
        { kernel: [3, 3], padding: 1 },
        { kernel: [3, 4], padding: 0 }, // as large as the images
      ].map(({ kernel, padding }) => {
        const attrs: Conv2DAttrs = { padding, activation: "relu" };
        for (;;) {
          const inputs: Inputs64 = {
            x: normal(random, [2, 3, 4, 2]),
            filter: normal(random, [...kernel, 2, 3]),
            ...(bias && { bias: normal(random, [3]) }),
          };
          const [z] = conv2dTextbook(inputs, { padding });
          if (z.values.every((value) => Math.abs(value) > 0.05)) return make(inputs, attrs);
        }
      }),
    ),
  ],

  ConvTranspose2D: (random) =>
    transposedConvolutions().map(({ shape, kernel: [kh, kw], outChannels, bias, ...attrs }) => {
      const x = normal(random, shape);
      const filter = normal(random, [kh, kw, outChannels, shape[3]]);
      return make(bias ? { x, filter, bias: normal(random, [outChannels]) } : { x, filter }, attrs);
    }),

  Dense: (random) =>
    [
      [1, 1],
      [1, 5],
      [4, 3],
      [2, 3, 5],
    ].flatMap((shape) =>
      [1, 4].flatMap((units) => {
        const weight = () => normal(random, [shape[shape.length - 1], units]);
        const x = () => normal(random, shape);
        const turned = () => normal(random, [units, shape[shape.length - 1]]);
        return [
          make({ x: x(), weight: weight() }),
          make({ x: x(), weight: weight(), bias: normal(random, [units]) }),
          make({ x: x(), weight: turned() }, { transposed: true } satisfies DenseAttrs),
        ];
      }),
    ),

  DepthwiseConv2D: (random) =>
    depthwiseConvolutions().map(({ shape, kernel: [kh, kw], multiplier, bias, ...attrs }) => {
      const x = normal(random, shape);
      const filter = normal(random, [kh, kw, shape[3], multiplier]);
      return make(bias ? { x, filter, bias: normal(random, [shape[3] * multiplier]) } : { x, filter }, attrs);
    }),

  DistillationLoss: (random) =>
    [
      [1, 2],
      [4, 3],
      [3, 10],
    ].flatMap(([batch, classes]) =>
      [1, 4].flatMap((temperature) =>
        [0, 100].map((offset) => {
          const attrs: DistillationLossAttrs = { temperature };
          const logits = filled([batch, classes], () => offset + 2 * random.normal());
          // The two differ: where they agree, the loss is the difference of equal numbers.
          const teacher = filled([batch, classes], (i) => (i % 2 === 0 ? 6 : -6) + 2 * random.normal() - offset);
          const { inputs } = make({ logits, teacher });
          return { inputs, attrs, name: `${describe({ logits: logits.shape }, attrs)}, logits around ${offset}` };
        }),
      ),
    ),

  Dropout: (random) =>
    [
      { rate: 0, together: [2, 5, 3] },
      { rate: 0.3, together: [2, 5, 3] },
      { rate: 0.9, together: [2, 5, 3] },
      { rate: 0.5, together: [2, 1, 3] },
      { rate: 0.5, together: [2, 1, 1] },
    ].map(({ rate, together }) => {
      const shape = [2, 5, 3];
      const mask = filled(together, () => (random.uniform() < rate ? 0 : 1 / (1 - rate)));
      return { ...make({ x: normal(random, shape), mask }), name: `x [${shape}], mask [${together}], rate ${rate}` };
    }),

  Elu: (random) =>
    ([{}, { alpha: 0.4 }] satisfies EluAttrs[]).flatMap((attrs) =>
      [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: awayFromZero(random, shape) }, attrs)),
    ),

  Flatten: (random) =>
    [
      [1, 1, 1, 1],
      [2, 3, 4, 5],
      [3, 5, 2, 1],
    ].map((shape) => make({ x: normal(random, shape) })),

  Embedding: (random) =>
    [
      { shape: [1], vocabulary: 1, d: 1 },
      { shape: [4], vocabulary: 6, d: 3 },
      { shape: [2, 5], vocabulary: 3, d: 4 },
    ].map(({ shape, vocabulary, d }) => {
      const ids = { ...filled(shape, () => random.integer(vocabulary)), dtype: "int32" as const };
      return make({ ids, table: normal(random, [vocabulary, d]) });
    }),

  GaussianKl: (random) =>
    [[3], [4, 3], [2, 3, 5]].flatMap((shape) =>
      [[], ["priorMean"], ["priorLogVariance"], ["priorMean", "priorLogVariance"]].flatMap((priors) =>
        (["each", "batchMean"] as const).map((reduction) =>
          make(Object.fromEntries(["mean", "logVariance", ...priors].map((name) => [name, normal(random, shape)])), {
            reduction,
          }),
        ),
      ),
    ),

  GaussianNll: (random) =>
    [
      [1, 1],
      [3, 4],
      [2, 3, 2, 2],
    ].map((shape) =>
      make({
        mean: normal(random, shape),
        logVariance: normal(random, [shape[0], 1]),
        target: normal(random, shape),
      }),
    ),

  Gelu: (random) =>
    ([{}, { approximation: "tanh" }] satisfies GeluAttrs[]).flatMap((attrs) =>
      [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: filled(shape, () => 2 * random.normal()) }, attrs)),
    ),

  GlobalAvgPool2D: (random) =>
    [
      [1, 1, 1, 1],
      [2, 3, 5, 4],
      [3, 7, 2, 1],
    ].map((shape) => make({ x: normal(random, shape) })),

  GroupNorm: (random) =>
    [
      { shape: [1, 2, 3, 4], groups: 1, affine: true },
      { shape: [2, 3, 2, 6], groups: 3, affine: true },
      { shape: [2, 2, 3, 3], groups: 3, affine: true, epsilon: 0.1 },
      { shape: [3, 4, 4], groups: 2, affine: true, epsilon: 0.1 },
      { shape: [2, 5, 2, 2], groups: 2, affine: false },
      { shape: [2, 4], affine: false },
    ].map(({ shape, affine, ...attrs }) => {
      const channels = [shape[shape.length - 1]];
      const x = filled(shape, () => 1 + 2 * random.normal());
      const parameters = affine && { gamma: normal(random, channels), beta: normal(random, channels) };
      return make({ x, ...parameters }, attrs satisfies GroupNormAttrs);
    }),

  Gru: (random) =>
    [true, false].flatMap((resetAfter) =>
      sequences().map((sequence) => {
        const attrs: GruAttrs = { resetAfter, reverse: sequence.reverse };
        return makeRecurrent(recurrentInputs(random, 3, sequence), attrs);
      }),
    ),

  HuberLoss: (random) =>
    [undefined, 0.5].flatMap((delta) =>
      errors(random, delta ?? 1).map(({ inputs, attrs }) =>
        make(inputs, { ...attrs, ...(delta && { delta }) } satisfies HuberLossAttrs),
      ),
    ),

  ImportanceBound: (random) =>
    latents().flatMap(({ batch, draws, d }) =>
      // Likelihoods of images are far below what a float's exponent reaches.
      [0, -500].map((offset) => {
        const { inputs } = make({
          logLikelihood: filled([batch, draws], () => offset + 2 * random.normal()),
          z: normal(random, [batch, draws, d]),
          logVariance: normal(random, [batch, d]),
          noise: normal(random, [batch, draws, d]),
        });
        return { inputs, attrs: {}, name: `z [${batch},${draws},${d}], likelihoods around ${offset}` };
      }),
    ),

  LayerNorm: (random) =>
    [
      [1, 3],
      [4, 6],
      [2, 3, 5],
    ].flatMap((shape) =>
      ([{}, { epsilon: 0.1 }] satisfies LayerNormAttrs[]).map((attrs) => {
        const d = [shape[shape.length - 1]];
        const x = filled(shape, () => 1 + 2 * random.normal());
        return make({ x, gamma: normal(random, d), beta: normal(random, d) }, attrs);
      }),
    ),

  LayerScale: (random) =>
    [[3], [4, 2], [2, 3, 2, 5]].map((shape) =>
      make({ x: normal(random, shape), gamma: normal(random, [shape[shape.length - 1]]) }),
    ),

  LeakyRelu: (random) =>
    ([{}, { slope: 0.2 }] satisfies LeakyReluAttrs[]).flatMap((attrs) =>
      [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: awayFromZero(random, shape) }, attrs)),
    ),

  LocalResponseNorm: (random) =>
    ([{}, { alpha: 0.5, beta: 0.6, k: 1.5, size: 3 }] satisfies LocalResponseNormAttrs[]).flatMap((attrs) =>
      [
        [1, 2, 2, 1],
        [2, 3, 2, 4],
        [1, 2, 3, 9],
      ].map((shape) => make({ x: normal(random, shape) }, attrs)),
    ),

  Lstm: (random) =>
    [
      { coupled: false, peephole: false, list: sequences() },
      { coupled: false, peephole: true, list: sequences().slice(4) },
      { coupled: true, peephole: false, list: sequences().slice(1, 2) },
      { coupled: true, peephole: true, list: sequences().slice(3, 4) },
    ].flatMap(({ coupled, peephole, list }) =>
      list.map((sequence) => {
        const gates = coupled ? 3 : 4;
        const { batch, d, states, reverse } = sequence;
        const inputs: Inputs64 = {
          ...recurrentInputs(random, gates, sequence),
          ...(states && { c0: normal(random, [batch, d]) }),
          ...(peephole && { peephole: normal(random, [gates - 1, d]) }),
        };
        return makeRecurrent(inputs, { coupled, reverse } satisfies LstmAttrs);
      }),
    ),

  MaxPool2D: (random) =>
    pools().flatMap(({ shape, ...attrs }) => [
      make({ x: distinct(random, shape) }, attrs),
      { ...make({ x: distinct(random, shape, -1) }, attrs), name: `${describe({ x: shape }, attrs)}, all negative` },
    ]),

  PadEnd: (random) => imageShapes().map((shape) => make({ x: normal(random, shape) })),

  PatchEmbedding: (random) =>
    [
      { shape: [1, 2, 2, 1], p: 2, d: 1 },
      { shape: [2, 4, 6, 3], p: 2, d: 5 },
      { shape: [2, 6, 3, 2], p: 3, d: 4 },
      { shape: [2, 2, 3, 2], p: 1, d: 3 },
    ].map(({ shape, p, d }) =>
      make({ x: normal(random, shape), filter: normal(random, [p, p, shape[3], d]), bias: normal(random, [d]) }),
    ),

  PositionEmbedding: (random) =>
    tokenShapes().map((shape) => make({ x: normal(random, shape), positions: normal(random, [1, ...shape.slice(1)]) })),

  RelativePositions: (random) =>
    (
      [
        { buckets: 4, heads: 1, queries: 1, keys: 1, maxDistance: 3 },
        { buckets: 8, heads: 2, queries: 6, keys: 6, maxDistance: 5 },
        { buckets: 5, heads: 2, queries: 2, keys: 7, maxDistance: 6, causal: true },
        { buckets: 8, heads: 3, queries: 1, keys: 9, causal: true },
      ] as const
    ).map(({ buckets, heads, ...attrs }) =>
      make({ table: normal(random, [buckets, heads]) }, attrs satisfies RelativePositionsAttrs),
    ),

  Relu: (random) => [[1], [7], [2, 3, 4, 5]].map((shape) => make({ x: awayFromZero(random, shape) })),

  Reparameterize: (random) =>
    latents().flatMap(({ batch, draws, d }) =>
      [[batch, draws, d], ...(draws === 1 ? [[batch, d]] : [])].map((shape) =>
        make({
          mean: normal(random, [batch, d]),
          logVariance: normal(random, [batch, d]),
          noise: normal(random, shape),
        }),
      ),
    ),

  RmsNorm: (random) =>
    [
      [1, 3],
      [4, 6],
      [2, 3, 5],
    ].flatMap((shape) =>
      ([{}, { epsilon: 0.1 }] satisfies RmsNormAttrs[]).map((attrs) => {
        const x = filled(shape, () => 1 + 2 * random.normal());
        return make({ x, gamma: normal(random, [shape[shape.length - 1]]) }, attrs);
      }),
    ),

  Rotary: (random) =>
    (["interleaved", "halves"] as const).flatMap((pairs) =>
      [
        { shape: [1, 1, 2], heads: 1, offset: 3 },
        { shape: [2, 3, 8], heads: 2 },
        { shape: [2, 4, 6], heads: 1, base: 20, offset: 5 },
      ].map(({ shape, ...attrs }) => make({ x: normal(random, shape) }, { ...attrs, pairs } satisfies RotaryAttrs)),
    ),

  Rnn: (random) =>
    (["tanh", "relu"] as const).flatMap((activation) =>
      sequences().map((sequence) => {
        const attrs: RnnAttrs = { activation, reverse: sequence.reverse };
        for (;;) {
          const inputs = recurrentInputs(random, 1, sequence);
          let nearest = Number.POSITIVE_INFINITY;
          rnnTextbook(inputs, attrs, (a) => {
            nearest = Math.min(nearest, Math.abs(a));
          });
          if (activation === "tanh" || nearest > 0.05) return makeRecurrent(inputs, attrs);
        }
      }),
    ),

  ShortcutA: (random) =>
    [1, 2, 3].flatMap((stride) =>
      [
        [1, 4, 4, 1],
        [2, 5, 7, 3],
      ].flatMap((shape) =>
        [0, 3, 4].map((added) => {
          const attrs: ShortcutAAttrs = { stride, channels: shape[3] + added };
          return make({ x: normal(random, shape) }, attrs);
        }),
      ),
    ),

  Sigmoid: (random) => [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: normal(random, shape) })),

  SigmoidCrossEntropy: (random) =>
    reductions.flatMap((attrs) =>
      // Far from 0, the logarithm of a probability overflows.
      [1, 60].map((size) => {
        const logits = filled([4, 3], (i) => (i % 2 === 0 ? size : 1) * random.normal());
        const target = filled([4, 3], (i) => (i % 3 === 0 ? 1 : i % 3 === 1 ? 0 : random.uniform()));
        const { name, ...made } = make({ logits, target }, attrs);
        return { ...made, name: `${name}, logits up to some ${size}` };
      }),
    ),

  Silu: (random) => [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: filled(shape, () => 2 * random.normal()) })),

  SinusoidalPositions: (random) =>
    tokenShapes().flatMap((shape) =>
      ([{}, { scale: 3 }, { offset: 7 }] satisfies SinusoidalPositionsAttrs[]).map((attrs) =>
        make({ x: normal(random, shape) }, attrs),
      ),
    ),

  SoftmaxCrossEntropy: (random) =>
    [
      [1, 2],
      [4, 3],
      [3, 10],
    ].flatMap(([batch, classes]) =>
      [0, 0.1].flatMap((labelSmoothing) =>
        // Far from 0, an implementation that does not subtract the largest logit overflows.
        [0, 100].map((offset) => {
          const attrs: SoftmaxCrossEntropyAttrs = { labelSmoothing };
          const logits = filled([batch, classes], () => offset + 2 * random.normal());
          // Every third row is padding.
          const label = (n: number) => (n % 3 === 2 ? -1 : random.integer(classes));
          const labels = { ...filled([batch], label), dtype: "int32" as const };
          const { inputs } = make({ logits, labels });
          return { inputs, attrs, name: `${describe({ logits: logits.shape }, attrs)}, logits around ${offset}` };
        }),
      ),
    ),

  SpectralNorm: (random) =>
    [
      [4, 3],
      [2, 2],
      [3, 2, 2, 4],
    ].map((shape) => {
      const weight = awayFromZero(random, shape);
      const [n, out] = [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]];
      // Near the singular vectors, so that σ is nowhere near 0: the weight's first row, and what the weight makes of it.
      const u = unit([out], (o) => weight.values[o]);
      const v = unit([n], (i) => u.values.reduce((sum, value, o) => sum + value * weight.values[i * out + o], 0));
      return make({ weight, u, v });
    }),

  SquaredError: (random) => errors(random),

  Tanh: (random) => [[5], [3, 40], [2, 3, 3, 4]].map((shape) => make({ x: normal(random, shape) })),

  TokenPool: (random) =>
    (["first", "mean"] as const).flatMap((pool) =>
      tokenShapes().map((shape) => make({ x: normal(random, shape) }, { pool } satisfies TokenPoolAttrs)),
    ),

  Unflatten: (random) =>
    (
      [
        [1, 1, 1],
        [2, 3, 4],
        [3, 2, 1],
      ] satisfies UnflattenAttrs["shape"][]
    ).map((shape) => make({ x: normal(random, [2, sizeOf(shape)]) }, { shape } satisfies UnflattenAttrs)),

  Upsample2D: (random) =>
    (["nearest", "bilinear"] as const).flatMap((mode) =>
      [
        { shape: [1, 1, 1, 1] },
        { shape: [2, 3, 2, 3], factor: 2 },
        { shape: [1, 2, 4, 2], factor: 3 },
        { shape: [2, 2, 3, 1], factor: [1, 4] as const },
      ].map(({ shape, ...attrs }) => make({ x: normal(random, shape) }, { ...attrs, mode } satisfies Upsample2DAttrs)),
    ),
};

/** Draws from what an encoder says. */
const latents = () => [
  { batch: 1, draws: 1, d: 1 },
  { batch: 3, draws: 1, d: 4 },
  { batch: 2, draws: 5, d: 3 },
];

/** [batch, height, width, channels] */
const imageShapes = () => [
  [1, 1, 1, 1],
  [2, 3, 5, 4],
  [3, 4, 2, 1],
];

/** [batch, tokens, d] */
const tokenShapes = () => [
  [1, 1, 1],
  [2, 3, 5],
  [3, 4, 2],
];

/** The cases of one op from the stream (seed, "gradcheck", op). */
export function casesOf(opName: string, seed: number): Case[] {
  return cases[opName](randomStream(seed, "gradcheck", opName));
}

const reductions: ReductionAttrs[] = [{}, { reduction: "batchMean" }, { reduction: "each" }, { reduction: "none" }];

/** Predictions whose errors are not within 0.1 of the size at which a loss has a kink. */
function errors(random: Random, kink?: number): Case[] {
  return reductions.flatMap((attrs) =>
    [[5], [4, 3], [2, 2, 1, 3]].map((shape) => {
      const target = normal(random, shape);
      const prediction = filled(shape, (i) => {
        for (;;) {
          const error = 1.5 * random.normal();
          const near = kink === undefined ? 1 : Math.abs(Math.abs(error) - kink);
          if (near > 0.1) return target.values[i] + error;
        }
      });
      return make({ prediction, target }, attrs);
    }),
  );
}

/** The kinds of attention: plain, more and fewer keys than queries, padded, causal, with a bias for all heads or each. */
function attentions(
  random: Random,
  kinds: readonly {
    queries: number;
    keys: number;
    d: number;
    heads: number;
    masked?: boolean;
    causal?: boolean;
    scale?: number;
    /** its first axis; none for 0 */
    bias?: number;
  }[] = [
    { queries: 1, keys: 1, d: 2, heads: 1 },
    { queries: 3, keys: 5, d: 4, heads: 2 },
    { queries: 4, keys: 4, d: 6, heads: 3 },
    { queries: 2, keys: 3, d: 5, heads: 1, scale: 1 },
    { queries: 3, keys: 4, d: 4, heads: 2, masked: true },
    { queries: 4, keys: 4, d: 4, heads: 2, causal: true },
    { queries: 2, keys: 5, d: 2, heads: 1, causal: true, scale: 0.3 },
    { queries: 5, keys: 3, d: 2, heads: 1, causal: true }, // the first two see nothing
    { queries: 3, keys: 4, d: 4, heads: 2, masked: true, causal: true, bias: 2 },
    { queries: 3, keys: 2, d: 6, heads: 3, bias: 1, scale: 1 },
    { queries: 2, keys: 3, d: 4, heads: 2, bias: 2 },
  ],
): Case[] {
  return kinds.map(({ queries, keys, d, masked, bias = 0, ...attrs }) =>
    make(
      {
        q: normal(random, [3, queries, d]),
        k: normal(random, [3, keys, d]),
        v: normal(random, [3, keys, d]),
        ...(masked && { lengths: lengthsUpTo(keys, 3) }),
        ...(bias > 0 && { bias: normal(random, [bias, queries, keys]) }),
      },
      attrs satisfies AttentionAttrs,
    ),
  );
}

/** Lengths of rows, int32 [batch]: one is all, one is nothing, the rest lie between. */
function lengthsUpTo(longest: number, batch: number): Array64 {
  const lengths = Array.from({ length: batch }, (_, n) => Math.floor((longest * n) / (batch - 1)));
  return { shape: [batch], values: Float64Array.from(lengths), dtype: "int32" };
}

interface SequenceCase {
  batch: number;
  time: number;
  inSize: number;
  d: number;
  biases: boolean;
  states: boolean;
  lengths?: number[];
  reverse: boolean;
}

function sequences(): SequenceCase[] {
  return [
    { batch: 1, time: 1, inSize: 1, d: 1, biases: false, states: false, reverse: false },
    { batch: 2, time: 3, inSize: 2, d: 1, biases: true, states: false, reverse: true },
    { batch: 2, time: 2, inSize: 1, d: 2, biases: true, states: true, reverse: false },
    { batch: 3, time: 3, inSize: 1, d: 2, biases: false, states: true, lengths: [3, 1, 2], reverse: false },
    { batch: 3, time: 2, inSize: 1, d: 2, biases: true, states: true, lengths: [1, 0, 5], reverse: true },
  ];
}

/** Weights small enough that a few steps stay where the cell's functions bend, far from where they are flat. */
function recurrentInputs(random: Random, gates: number, given: SequenceCase): Inputs64 {
  const { batch, time, inSize, d, biases, states, lengths } = given;
  const weight = (rows: number) => filled([rows, gates * d], () => 0.6 * random.normal());
  const bias = () => filled([gates * d], () => 0.5 * random.normal());
  return {
    x: normal(random, [batch, time, inSize]),
    weightIh: weight(inSize),
    weightHh: weight(d),
    ...(biases && { biasIh: bias(), biasHh: bias() }),
    ...(states && { h0: normal(random, [batch, d]) }),
    ...(lengths && { lengths: { ...filled([batch], (i) => lengths[i]), dtype: "int32" as const } }),
  };
}

/** With the lengths in its name. */
function makeRecurrent(inputs: Inputs64, attrs: object): Case {
  const { name, ...made } = make(inputs, attrs);
  return { ...made, name: inputs.lengths === undefined ? name : `${name}, lengths ${inputs.lengths.values.join(" ")}` };
}

function convolutions() {
  const list: ({
    shape: number[];
    kernel: [number, number];
    outChannels: number;
    groups: number;
    bias: boolean;
  } & Pick<Conv2DAttrs, "strides" | "padding" | "dilation">)[] = [];
  for (const strides of [1, 2, 3]) {
    for (const padding of [0, 1, 2]) {
      const odd = (strides + padding) % 2 === 1;
      list.push(
        { shape: [1, 6, 5, 1], kernel: [3, 3], outChannels: 2, groups: 1, bias: odd, strides, padding },
        { shape: [2, 5, 7, 3], kernel: odd ? [2, 3] : [1, 1], outChannels: 1, groups: 1, bias: !odd, strides, padding },
      );
    }
    list.push(
      { shape: [2, 6, 7, 2], kernel: [3, 2], outChannels: 3, groups: 1, bias: true, strides, padding: 1, dilation: 2 },
      { shape: [1, 7, 5, 4], kernel: [3, 3], outChannels: 6, groups: 2, bias: false, strides, padding: 1 },
      {
        shape: [2, 5, 5, 3],
        kernel: [2, 2],
        outChannels: 3,
        groups: 3,
        bias: true,
        strides,
        padding: 1,
        dilation: [1, 3],
      },
    );
  }
  list.push({
    shape: [2, 7, 5, 2],
    kernel: [3, 3],
    outChannels: 2,
    groups: 1,
    bias: true,
    strides: [2, 1],
    padding: [0, 2],
  });
  // Filters as large as the images, where a convolution is a dense layer
  for (const bias of [false, true]) {
    list.push({ shape: [3, 4, 3, 2], kernel: [4, 3], outChannels: 5, groups: 1, bias, strides: 2 });
  }
  return list;
}

function transposedConvolutions(): ({
  shape: number[];
  kernel: [number, number];
  outChannels: number;
  bias: boolean;
} & ConvTranspose2DAttrs)[] {
  return [
    { shape: [1, 3, 2, 1], kernel: [3, 3], outChannels: 2, bias: false },
    { shape: [2, 3, 4, 2], kernel: [3, 3], outChannels: 3, bias: true, padding: 1 },
    { shape: [2, 3, 2, 3], kernel: [4, 4], outChannels: 2, bias: true, strides: 2, padding: 1 },
    { shape: [1, 2, 3, 2], kernel: [3, 3], outChannels: 1, bias: false, strides: 2, padding: 1, outputPadding: 1 },
    { shape: [2, 1, 1, 4], kernel: [4, 3], outChannels: 2, bias: true },
    { shape: [1, 3, 3, 2], kernel: [1, 1], outChannels: 2, bias: true, strides: 2 },
    { shape: [2, 2, 3, 1], kernel: [2, 3], outChannels: 2, bias: false, strides: 3, outputPadding: [2, 0] },
    {
      shape: [1, 3, 4, 2],
      kernel: [3, 5],
      outChannels: 3,
      bias: true,
      strides: [2, 1],
      padding: [0, 2],
      outputPadding: [1, 0],
    },
  ];
}

function depthwiseConvolutions() {
  const list: ({
    shape: number[];
    kernel: [number, number];
    multiplier: number;
    bias: boolean;
  } & DepthwiseConv2DAttrs)[] = [];
  for (const strides of [1, 2, 3]) {
    for (const padding of [0, 1, 2]) {
      const odd = (strides + padding) % 2 === 1;
      list.push({
        shape: [2, 5, 6, 3],
        kernel: odd ? [3, 3] : [2, 3],
        multiplier: odd ? 1 : 2,
        bias: odd,
        strides,
        padding,
      });
    }
    list.push({ shape: [1, 7, 6, 1], kernel: [3, 2], multiplier: 2, bias: true, strides, padding: 1, dilation: 2 });
  }
  list.push({
    shape: [2, 6, 5, 2],
    kernel: [1, 1],
    multiplier: 1,
    bias: false,
    strides: [1, 2],
    padding: [1, 0],
    dilation: [1, 2],
  });
  return list;
}

function pools(): ({ shape: number[] } & Pool2DAttrs)[] {
  return [
    { shape: [2, 6, 6, 3], poolSize: 2 },
    { shape: [1, 5, 7, 1], poolSize: 2 },
    { shape: [2, 7, 6, 2], poolSize: 3, strides: 2 },
    { shape: [2, 7, 6, 2], poolSize: 3, strides: 2, padding: 1 },
    { shape: [3, 5, 5, 1], poolSize: 3, strides: 1, padding: 1 },
    { shape: [1, 7, 7, 2], poolSize: 2, strides: 3 },
    { shape: [1, 6, 8, 3], poolSize: [2, 3], strides: [1, 2], padding: [0, 1] },
  ];
}

function batchNorms(random: Random): Case[] {
  const shapes = [
    [2, 3, 5, 4],
    [1, 4, 3, 1],
    [5, 1, 1, 2],
    [6, 3],
  ];
  return shapes.flatMap((shape) =>
    ([{}, { epsilon: 1e-3, momentum: 0.3 }, { activation: "relu" }] as BatchNormAttrs[]).map((attrs) => {
      let inputs = batchNormInputs(random, shape);
      while (attrs.activation === "relu" && nearKink(inputs)) inputs = batchNormInputs(random, shape);
      return make(inputs, attrs);
    }),
  );
}

function batchNormInputs(random: Random, shape: readonly number[]): Inputs64 {
  const channels = [shape[shape.length - 1]];
  return {
    x: filled(shape, () => 1 + 2 * random.normal()),
    gamma: awayFromZero(random, channels),
    beta: normal(random, channels),
    runningMean: normal(random, channels),
    runningVariance: filled(channels, () => 0.5 + 1.5 * random.uniform()),
  };
}

/** Whether any normalised value, in training or in inference, is where a ReLU has no derivative, or almost. */
function nearKink(inputs: Inputs64): boolean {
  const [training] = batchNormTrainingTextbook(inputs, {});
  const [inference] = batchNormInferenceTextbook(inputs, {});
  return [...training.values, ...inference.values].some((z) => Math.abs(z) < 0.02);
}

/** a and b whose sum keeps away from the ReLU's kink. */
function termsAwayFromKink(random: Random, shape: readonly number[]): Inputs64 {
  const a = normal(random, shape);
  const sum = awayFromZero(random, shape);
  return { a, b: { shape: a.shape, values: sum.values.map((value, i) => Math.fround(value - a.values[i])) } };
}

function make(inputs: Inputs64, attrs: object = {}): Case {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  return { name: describe(shapes, attrs), inputs, attrs };
}

function describe(shapes: { [name: string]: readonly number[] }, attrs: object): string {
  return [
    ...Object.entries(shapes).map(([name, shape]) => `${name} [${shape}]`),
    ...Object.entries(attrs).map(([name, value]) => `${name} ${JSON.stringify(value)}`),
  ].join(", ");
}

function filled(shape: readonly number[], next: (i: number) => number): Array64 {
  return { shape, values: Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(next(i))) };
}

/** A vector of length 1. */
function unit(shape: readonly number[], next: (i: number) => number): Array64 {
  const length = Math.hypot(...filled(shape, next).values);
  return filled(shape, (i) => next(i) / length);
}

/** Standard normal values. */
export function normal(random: Random, shape: readonly number[]): Array64 {
  return filled(shape, () => random.normal());
}

/** Values of either sign, none within 0.1 of 0: further than any difference step goes. */
function awayFromZero(random: Random, shape: readonly number[]): Array64 {
  return filled(shape, () => (random.uniform() < 0.5 ? -1 : 1) * (0.1 + Math.abs(random.normal())));
}

/** Values 0.1 apart in random order, around 0 or, moved by `shift` times their range, all of one sign. */
function distinct(random: Random, shape: readonly number[], shift = 0): Array64 {
  const count = sizeOf(shape);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  let next = 0;
  return filled(shape, () => 0.1 * (order[next++] - count / 2 + 0.25 + shift * count));
}
