import * as tf from "@tensorflow/tfjs-core";
import type {
  Activation,
  AddAttrs,
  AttentionAttrs,
  BatchNormAttrs,
  Conv2DAttrs,
  ConvTranspose2DAttrs,
  DenseAttrs,
  DepthwiseConv2DAttrs,
  EluAttrs,
  GaussianKlAttrs,
  GeluAttrs,
  GroupNormAttrs,
  HuberLossAttrs,
  LayerNormAttrs,
  LeakyReluAttrs,
  LocalResponseNormAttrs,
  Pool2DAttrs,
  Reduction,
  ReductionAttrs,
  RelativePositionsAttrs,
  RmsNormAttrs,
  RotaryAttrs,
  ShortcutAAttrs,
  SinusoidalPositionsAttrs,
  TokenPoolAttrs,
  UnflattenAttrs,
  Upsample2DAttrs,
} from "../ops/index.ts";
import { eachStep } from "../ops/recurrence.ts";
import { relativeBucket } from "../ops/relative-positions.ts";
import { type PairLike, pair } from "../ops/window.ts";
import { gruStock, lstmStock, rnnStock } from "./stock-recurrent.ts";

type NamedTensors = { readonly [name: string]: tf.Tensor };

/** An op written in stock TensorFlow.js, so that stock autodiff gives its gradient: its differentiated outputs. */
export interface StockForm<A extends object = object> {
  run(inputs: NamedTensors, attrs: A): tf.Tensor | tf.Tensor[];
  /** Why stock can't differentiate the op with these attributes; undefined where it can. */
  exception?(attrs: A): string | undefined;
}

/**
 * The second oracle, by `opName`. It runs on TensorFlow.js's own `cpu` backend, whose kernels for these ops agree with
 * naive loops. Where stock has a differently built function for the same thing, that is used rather than the op's own
 * composition.
 */
export const stock: { readonly [opName: string]: StockForm } = {
  AbsoluteError: form<ReductionAttrs>(({ prediction, target }, { reduction }) =>
    stockReduced((how) => tf.losses.absoluteDifference(target, prediction, undefined, how), prediction, reduction),
  ),

  Add: form<AddAttrs>(({ a, b }, { activation }) => activated(tf.add(a, b), activation)),

  AdditiveAttention: form(stockAdditiveAttention),

  Attention: form(stockAttention),

  AttentiveLstm: form((inputs) => {
    const { x, queryWeight, queryBias, h0, c0, ...given } = inputs;
    const [states, seen]: tf.Tensor[][] = [[], []];
    let [h, c] = [h0, c0];
    for (const now of eachStep(x)) {
      const z = stockAdditiveAttention({ ...given, query: tf.add(tf.matMul(h, queryWeight), queryBias) });
      const read = tf.expandDims(tf.concat([now, z], -1), 1);
      const { weightIh, weightHh, biasIh, biasHh } = inputs;
      [, h, c] = lstmStock({ x: read, weightIh, weightHh, biasIh, biasHh, h0: h, c0: c }, {});
      states.push(h);
      seen.push(z);
    }
    return [tf.stack(states, 1), tf.stack(seen, 1)];
  }),

  AttentionLean: form(stockAttention),

  AvgPool2D: form<Pool2DAttrs>(({ x }, { poolSize, strides = poolSize, padding = 0 }) =>
    // Stock pooling leaves padded zeros out of the mean; ours counts them.
    tf.avgPool(padded(x, padding, 0), mutable(poolSize), mutable(strides), "valid"),
  ),

  BatchNormInference: form<BatchNormAttrs>(
    ({ x, gamma, beta, runningMean, runningVariance }, { epsilon = 1e-5, activation }) =>
      activated(
        tf.batchNorm(
          x,
          runningMean as tf.Tensor1D,
          runningVariance as tf.Tensor1D,
          beta as tf.Tensor1D,
          gamma as tf.Tensor1D,
          epsilon,
        ),
        activation,
      ),
  ),

  BatchNormTraining: form<BatchNormAttrs>(({ x, gamma, beta }, { epsilon = 1e-5, activation }) => {
    const { mean, variance } = tf.moments(
      x,
      x.shape.slice(1).map((_, axis) => axis),
    );
    const z = tf.batchNorm(
      x,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      beta as tf.Tensor1D,
      gamma as tf.Tensor1D,
      epsilon,
    );
    return activated(z, activation);
  }),

  ChannelShift: form(({ x, shift }) => tf.add(x, tf.expandDims(tf.expandDims(shift, 1), 1))),

  ClassToken: form(({ x, token }) => {
    const tokens = Array.from({ length: x.shape[0] }, () => token);
    return tf.concat([tf.concat(tokens, 0), x], 1);
  }),

  Concat: form((parts) => tf.concat(Object.values(parts), -1)),

  Conv2D: form<Conv2DAttrs>(
    ({ x, filter, bias }, { strides = 1, padding = 0, groups = 1, activation }) => {
      const window = mutable(strides);
      const image = padded(x, padding, 0);
      if (groups === 1) {
        return activated(biased(tf.conv2d(image, filter as tf.Tensor4D, window, "valid"), bias), activation);
      }
      const filters = tf.split(filter as tf.Tensor4D, groups, -1) as tf.Tensor4D[];
      const images = tf.split(image, groups, -1) as tf.Tensor4D[];
      const parts = images.map((part, g) => tf.conv2d(part, filters[g], window, "valid"));
      return activated(biased(tf.concat(parts, -1), bias), activation);
    },
    ({ dilation = 1 }) =>
      pair(dilation).some((d) => d > 1) ? "tf.conv2d's gradient refuses dilation greater than 1" : undefined,
  ),

  ConvTranspose2D: form<ConvTranspose2DAttrs>(
    ({ x, filter, bias }, { strides = 1, padding = 0, outputPadding = 0 }) => {
      // All of it, with what is wanted at the end, and then without what is padding.
      const [batch, height, width] = x.shape;
      const [kernelHeight, kernelWidth, outChannels] = filter.shape;
      const [[sh, sw], [ph, pw], [ah, aw]] = [pair(strides), pair(padding), pair(outputPadding)];
      const [rows, columns] = [sh * (height - 1) + kernelHeight + ah, sw * (width - 1) + kernelWidth + aw];
      const full: [number, number, number, number] = [batch, rows, columns, outChannels];
      const y = tf.conv2dTranspose(x as tf.Tensor4D, filter as tf.Tensor4D, full, [sh, sw], "valid");
      return biased(tf.slice(y, [0, ph, pw, 0], [batch, rows - 2 * ph, columns - 2 * pw, outChannels]), bias);
    },
  ),

  Dense: form<DenseAttrs>(({ x, weight: given, bias }, { transposed }) => {
    const weight = transposed ? tf.transpose(given) : given;
    const [inSize, outSize] = weight.shape;
    const rows = tf.reshape(x, [-1, inSize]) as tf.Tensor2D;
    const y = biased(tf.matMul(rows, weight as tf.Tensor2D), bias);
    return tf.reshape(y, [...x.shape.slice(0, -1), outSize]);
  }),

  DepthwiseConv2D: form<DepthwiseConv2DAttrs>(
    ({ x, filter, bias }, { strides = 1, padding = 0 }) =>
      biased(tf.depthwiseConv2d(padded(x, padding, 0), filter as tf.Tensor4D, mutable(strides), "valid"), bias),
    ({ dilation = 1 }) =>
      pair(dilation).some((d) => d > 1) ? "tf.depthwiseConv2d's gradient refuses dilation greater than 1" : undefined,
  ),

  DistillationLoss: form<{ temperature?: number }>(({ logits, teacher }, { temperature = 1 }) => {
    const p = tf.softmax(tf.div(teacher, temperature));
    const entropy = tf.neg(tf.sum(tf.mul(p, tf.logSoftmax(tf.div(teacher, temperature)))));
    const crossEntropy = tf.neg(tf.sum(tf.mul(p, tf.logSoftmax(tf.div(logits, temperature)))));
    return tf.mul(tf.sub(crossEntropy, entropy), temperature ** 2 / logits.shape[0]);
  }),

  Dropout: form(({ x, mask }) => tf.mul(x, mask)),

  Flatten: form(({ x }) => {
    const [batch, , , channels] = x.shape;
    // Stock can't differentiate a tf.split into one part.
    const planes = channels === 1 ? [x] : tf.split(x, channels, -1);
    return tf.concat(
      planes.map((plane) => tf.reshape(plane, [batch, -1])),
      1,
    );
  }),

  Elu: form<EluAttrs>(({ x }, { alpha = 1 }) => {
    const above = tf.relu(x);
    return tf.add(above, tf.mul(tf.expm1(tf.sub(x, above)), alpha));
  }),

  Embedding: form(({ ids, table }) => tf.gather(table, ids as tf.Tensor1D)),

  GaussianKl: form<GaussianKlAttrs>((given, { reduction }) => {
    const { mean, logVariance, priorMean = tf.scalar(0), priorLogVariance = tf.scalar(0) } = given;
    // Of the deviations rather than their logarithms.
    const [sigma1, sigma2] = [logVariance, priorLogVariance].map((log) => tf.sqrt(tf.exp(log)));
    const far = tf.squaredDifference(mean, priorMean);
    const square = tf.div(tf.add(tf.square(sigma1), far), tf.mul(tf.square(sigma2), 2));
    const kl = tf.sum(tf.sub(tf.add(tf.log(tf.div(sigma2, sigma1)), square), 0.5), -1);
    return reduction === "batchMean" && kl.rank > 0 ? tf.mean(tf.sum(tf.reshape(kl, [mean.shape[0], -1]), 1)) : kl;
  }),

  GaussianNll: form(({ mean, logVariance, target }) => {
    const [batch, ...rest] = mean.shape;
    const v = tf.reshape(logVariance, [batch, ...rest.map(() => 1)]);
    const squares = tf.div(tf.squaredDifference(target, mean), tf.exp(v));
    const terms = tf.reshape(tf.add(tf.add(squares, v), Math.log(2 * Math.PI)), [batch, -1]);
    return tf.div(tf.sum(terms, 1), 2);
  }),

  Gelu: form<GeluAttrs>(({ x }, { approximation }) => {
    const cube = tf.mul(tf.pow(x, 3), 0.044715);
    const even =
      approximation === "tanh"
        ? tf.tanh(tf.mul(tf.add(x, cube), Math.sqrt(2 / Math.PI)))
        : tf.erf(tf.div(x, Math.SQRT2));
    return tf.mul(tf.mul(x, 0.5), tf.add(even, 1));
  }),

  GlobalAvgPool2D: form(({ x }) => {
    const [batch, height, width, channels] = x.shape;
    return tf.reshape(tf.avgPool(x as tf.Tensor4D, [height, width], 1, "valid"), [batch, channels]);
  }),

  GroupNorm: form<GroupNormAttrs>(({ x, gamma, beta }, { groups = 1, epsilon = 1e-5 }) => {
    // A group at a time.
    const parts = (groups === 1 ? [x] : tf.split(x, groups, -1)).map((part) => {
      const { mean, variance } = tf.moments(
        part,
        part.shape.slice(1).map((_, axis) => axis + 1),
        true,
      );
      return tf.div(tf.sub(part, mean), tf.sqrt(tf.add(variance, epsilon)));
    });
    const normalised = tf.concat(parts, -1);
    return biased(gamma === undefined ? normalised : tf.mul(normalised, gamma), beta);
  }),

  Gru: form(gruStock),

  HuberLoss: form<HuberLossAttrs>(({ prediction, target }, { delta, reduction }) =>
    stockReduced((how) => tf.losses.huberLoss(target, prediction, undefined, delta, how), prediction, reduction),
  ),

  ImportanceBound: form(({ logLikelihood, z, logVariance, noise }) => {
    const spread = tf.sum(tf.sub(tf.square(noise), tf.square(z)), -1);
    const logWeights = tf.add(logLikelihood, tf.div(tf.add(spread, tf.sum(logVariance, -1, true)), 2));
    return tf.sub(Math.log(z.shape[1] as number), tf.logSumExp(logWeights, 1));
  }),

  LayerNorm: form<LayerNormAttrs>(({ x, gamma, beta }, { epsilon = 1e-5 }) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normalised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normalised, gamma), beta);
  }),

  LayerScale: form(({ x, gamma }) => tf.mul(x, gamma)),

  LeakyRelu: form<LeakyReluAttrs>(({ x }, { slope = 0.01 }) => tf.leakyRelu(x, slope)),

  LocalResponseNorm: form<LocalResponseNormAttrs>(({ x }, { size = 5, alpha = 1e-4, beta = 0.75, k = 2 }) =>
    tf.localResponseNormalization(x as tf.Tensor4D, (size - 1) / 2, k, alpha, beta),
  ),

  Lstm: form(lstmStock),

  MaxPool2D: form<Pool2DAttrs>(({ x }, { poolSize, strides = poolSize, padding = 0 }) =>
    tf.maxPool(padded(x, padding, -1e9), mutable(poolSize), mutable(strides), "valid"),
  ),

  PadEnd: form(({ x }) => {
    const [batch, height, width, channels] = x.shape;
    const wider = tf.concat([x, tf.zeros([batch, height, 1, channels])], 2);
    return tf.concat([wider, tf.zeros([batch, 1, width + 1, channels])], 1);
  }),

  PatchEmbedding: form(({ x, filter, bias }) => {
    const [p, , , d] = filter.shape;
    const map = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, p, "valid"); // [batch, height / p, width / p, d]
    return tf.add(tf.reshape(map, [x.shape[0], -1, d]), bias);
  }),

  PositionEmbedding: form(({ x, positions }) => tf.add(x, positions)),

  RelativePositions: form<RelativePositionsAttrs>(({ table }, { queries, keys, causal, maxDistance }) => {
    // As a product with a matrix that says which bucket a pair is of.
    const [buckets, heads] = table.shape;
    const pairs = Array.from({ length: queries * keys }, (_, pair) => {
      const distance = (pair % keys) - (keys - queries + Math.floor(pair / keys));
      return relativeBucket(distance, { buckets, causal, maxDistance });
    });
    const chosen = tf.oneHot(tf.tensor1d(pairs, "int32"), buckets); // [pairs, buckets]
    return tf.reshape(tf.matMul(table, tf.cast(chosen, "float32"), true, true), [heads, queries, keys]);
  }),

  Relu: form(({ x }) => tf.relu(x)),

  Reparameterize: form(({ mean, logVariance, noise }) => {
    const [mu, v] = [mean, logVariance].map((x) => (noise.rank === 3 ? tf.expandDims(x, 1) : x));
    return tf.add(mu, tf.mul(tf.sqrt(tf.exp(v)), noise));
  }),

  RmsNorm: form<RmsNormAttrs>(({ x, gamma }, { epsilon = 1e-6 }) => {
    const root = tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
    return tf.mul(tf.div(x, root), gamma);
  }),

  Rotary: form<RotaryAttrs>(({ x }, { heads = 1, pairs = "interleaved", base = 10000, offset = 0 }) => {
    // As a product with a matrix that turns all pairs of channels, one for each place.
    const [batch, tokens, d] = x.shape;
    const dh = d / heads;
    const turns = Array.from({ length: tokens }, (_, p) => {
      const turn = tf.buffer([d, d]);
      for (let channel = 0; channel < d; channel += 1) {
        const within = channel % dh;
        const i = pairs === "halves" ? within : within / 2;
        if (pairs === "halves" ? within >= dh / 2 : within % 2 === 1) continue;
        const other = channel + (pairs === "halves" ? dh / 2 : 1);
        const angle = (offset + p) * base ** ((-2 * i) / dh);
        turn.set(Math.cos(angle), channel, channel);
        turn.set(Math.cos(angle), other, other);
        turn.set(Math.sin(angle), channel, other);
        turn.set(-Math.sin(angle), other, channel);
      }
      return turn.toTensor();
    });
    const places = tokens === 1 ? [x] : tf.split(x, tokens, 1);
    const turned = places.map((place, p) => tf.matMul(tf.reshape(place, [batch, d]), turns[p]));
    return tf.stack(turned, 1);
  }),

  Rnn: form(rnnStock),

  ShortcutA: form<ShortcutAAttrs>(({ x }, { stride, channels }) => {
    // tf.stridedSlice has no gradient; the mean of windows of one pixel picks the same pixels and has one.
    const sampled = tf.avgPool(x as tf.Tensor4D, 1, stride, "valid");
    const [, , , inChannels] = x.shape;
    const added = channels - inChannels;
    const before = Math.floor(added / 2);
    return tf.pad(sampled, [
      [0, 0],
      [0, 0],
      [0, 0],
      [before, added - before],
    ]);
  }),

  Sigmoid: form(({ x }) => tf.sigmoid(x)),

  SigmoidCrossEntropy: form<ReductionAttrs>(({ logits, target }, { reduction }) =>
    stockReduced((how) => tf.losses.sigmoidCrossEntropy(target, logits, undefined, 0, how), logits, reduction),
  ),

  Silu: form(({ x }) => tf.mul(x, tf.sigmoid(x))),

  SinusoidalPositions: form<SinusoidalPositionsAttrs>(({ x }, { scale = 1, offset = 0 }) => {
    const [, tokens, d] = x.shape;
    const places = tf.range(offset, offset + tokens, 1); // [tokens]
    const columns = Array.from({ length: d }, (_, channel) => {
      const angles = tf.mul(places, 10000 ** -((channel - (channel % 2)) / d));
      return channel % 2 === 0 ? tf.sin(angles) : tf.cos(angles);
    });
    return tf.add(tf.mul(x, scale), tf.stack(columns, 1));
  }),

  SoftmaxCrossEntropy: form<{ labelSmoothing?: number }>(({ logits, labels }, { labelSmoothing = 0 }) => {
    const [, classes] = logits.shape;
    const targets = tf.oneHot(labels as tf.Tensor1D, classes);
    // Its mean is over the rows of a weight above 0.
    const counts = tf.cast(tf.greaterEqual(labels, 0), "float32");
    return tf.losses.softmaxCrossEntropy(targets, logits, counts, labelSmoothing);
  }),

  SpectralNorm: form(({ weight, u, v }) => {
    const outer = tf.outerProduct(v as tf.Tensor1D, u as tf.Tensor1D); // [n, out]
    return tf.div(weight, tf.sum(tf.mul(weight, tf.reshape(outer, weight.shape))));
  }),

  SquaredError: form<ReductionAttrs>(({ prediction, target }, { reduction }) =>
    stockReduced((how) => tf.losses.meanSquaredError(target, prediction, undefined, how), prediction, reduction),
  ),

  Tanh: form(({ x }) => tf.tanh(x)),

  TokenPool: form<TokenPoolAttrs>(({ x }, { pool }) => {
    const [batch, tokens, d] = x.shape;
    if (pool === "mean") return tf.div(tf.sum(x, 1), tokens);
    return tf.reshape(tokens === 1 ? x : tf.split(x, [1, tokens - 1], 1)[0], [batch, d]);
  }),

  Unflatten: form<UnflattenAttrs>(({ x }, { shape: [height, width, channels] }) => {
    const size = height * width;
    const planes = Array.from({ length: channels }, (_, c) => tf.slice(x, [0, c * size], [-1, size]));
    return tf.stack(
      planes.map((plane) => tf.reshape(plane, [-1, height, width])),
      3,
    );
  }),

  Upsample2D: form<Upsample2DAttrs>(({ x }, { factor = 2, mode }) => {
    const along = (image: tf.Tensor, axis: 1 | 2) => {
      const [f, size] = [pair(factor)[axis - 1], image.shape[axis] as number];
      const places = Array.from({ length: f * size }, (_, i) => (i + 0.5) / f - 0.5);
      const taken = (which: (place: number) => number) =>
        tf.gather(
          image,
          tf.tensor1d(
            places.map((at) => Math.min(Math.max(which(at), 0), size - 1)),
            "int32",
          ),
          axis,
        );
      if (mode !== "bilinear") return taken(Math.round);
      const far = tf.reshape(tf.tensor1d(places.map((at) => at - Math.floor(at))), axis === 1 ? [-1, 1, 1] : [-1, 1]);
      const [before, after] = [taken(Math.floor), taken((at) => Math.floor(at) + 1)];
      return tf.add(before, tf.mul(tf.sub(after, before), far));
    };
    return along(along(x, 1), 2);
  }),
};

function form<A extends object = object>(run: StockForm<A>["run"], exception?: StockForm<A>["exception"]): StockForm {
  return { run, exception } as unknown as StockForm;
}

function padded(x: tf.Tensor, padding: PairLike, value: number): tf.Tensor4D {
  const [ph, pw] = pair(padding);
  return tf.pad(
    x as tf.Tensor4D,
    [
      [0, 0],
      [ph, ph],
      [pw, pw],
      [0, 0],
    ],
    value,
  );
}

function biased(y: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  return bias === undefined ? y : tf.add(y, bias);
}

function mutable(value: PairLike): [number, number] {
  const [height, width] = pair(value);
  return [height, width];
}

function activated(z: tf.Tensor, activation: Activation): tf.Tensor {
  return activation === "relu" ? tf.relu(z) : z;
}

/** A stock loss, which knows sums but not how many examples there are. */
function stockReduced(
  loss: (how: number) => tf.Tensor,
  { shape }: tf.Tensor,
  reduction: Reduction = "mean",
): tf.Tensor {
  const { NONE, SUM, MEAN } = tf.Reduction;
  if (reduction === "batchMean") return tf.div(loss(SUM), shape[0]);
  if (reduction === "each") return tf.sum(tf.reshape(loss(NONE), [shape[0], -1]), -1);
  return loss(reduction === "mean" ? MEAN : NONE);
}

function stockAdditiveAttention({ query, keys, v, values, lengths }: NamedTensors): tf.Tensor {
  const [batch, places, d] = keys.shape;
  // A place at a time.
  const states = tf.reshape(query, [batch, -1, d]);
  const energies = (places === 1 ? [keys] : tf.split(keys, places, 1)).map((key) =>
    tf.sum(tf.mul(tf.tanh(tf.add(states, key)), v), -1, true),
  );
  const a = maskedSoftmax(tf.concat(energies, -1), lengths && seenBefore(lengths, places, 3));
  return tf.reshape(tf.matMul(a, values), [...query.shape.slice(0, -1), values.shape[2] as number]);
}

function stockAttention(
  { q, k, v, lengths, bias, dropout }: NamedTensors,
  { heads = 1, causal, scale }: AttentionAttrs,
): tf.Tensor {
  const [batch, queries, d] = q.shape;
  const [, keys] = k.shape;
  // A head at a time: tf.split is differentiable, the reshape to heads is ours.
  const parts = (x: tf.Tensor, axis: number) => (heads === 1 ? [x] : tf.split(x, heads, axis));
  const [Q, K, V] = [q, k, v].map((x) => parts(x, -1));
  const biases = bias && (bias.shape[0] === 1 ? Q.map(() => bias) : parts(bias, 0));
  const factors = dropout && parts(tf.broadcastTo(dropout, [batch, heads, queries, keys]), 1);
  // Ones below a diagonal.
  const order = causal && tf.linalg.bandPart(tf.ones([queries, keys]), -1, Math.max(keys - queries, 0));
  const early = order && (keys < queries ? shiftedDown(order, queries - keys) : order);
  const seen = [lengths && seenBefore(lengths, keys, 3), early && tf.cast(early, "bool")].filter((mask) => !!mask);
  const mask = seen.length === 2 ? tf.logicalAnd(seen[0], seen[1]) : seen[0];
  const outputs = Q.map((part, h) => {
    const products = tf.mul(tf.matMul(part, K[h], false, true), scale ?? 1 / Math.sqrt(d / heads));
    const scores = biases ? tf.add(products, biases[h]) : products;
    const p = maskedSoftmax(scores, mask); // [batch, queries, keys]
    return tf.matMul(factors ? tf.mul(p, tf.squeeze(factors[h], [1])) : p, V[h]);
  });
  return tf.concat(outputs, -1);
}

/** [rows, columns] moved down by so many rows, with rows of 0 above. */
function shiftedDown(x: tf.Tensor, by: number): tf.Tensor {
  const [rows, columns] = x.shape;
  return tf.concat([tf.zeros([by, columns]), tf.slice(x, [0, 0], [rows - by, columns])], 0);
}

/** Whether a key comes before its row's length: bool [batch, 1, …, keys], of so many axes. */
function seenBefore(lengths: tf.Tensor, keys: number, rank: number): tf.Tensor {
  const places = tf.range(0, keys, 1, "int32");
  return tf.greater(tf.reshape(lengths, [-1, ...Array<number>(rank - 1).fill(1)]), places);
}

/** softmax of what is seen, 0 elsewhere */
function maskedSoftmax(scores: tf.Tensor, seen: tf.Tensor | undefined): tf.Tensor {
  if (seen === undefined) return tf.softmax(scores);
  const spread = tf.cast(tf.broadcastTo(tf.cast(seen, "int32"), scores.shape), "bool");
  return tf.where(spread, tf.softmax(tf.where(spread, scores, tf.fill(scores.shape, -1e9))), tf.zerosLike(scores));
}
