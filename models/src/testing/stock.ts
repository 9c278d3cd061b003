import * as tf from "@tensorflow/tfjs-core";
import type {
  Activation,
  AddAttrs,
  AttentionAttrs,
  BatchNormAttrs,
  Conv2DAttrs,
  DenseAttrs,
  DepthwiseConv2DAttrs,
  GeluAttrs,
  LayerNormAttrs,
  LocalResponseNormAttrs,
  Pool2DAttrs,
  ShortcutAAttrs,
  TokenPoolAttrs,
} from "../ops/index.ts";
import { type PairLike, pair } from "../ops/window.ts";

type NamedTensors = { readonly [name: string]: tf.Tensor };

/** An op written in stock TensorFlow.js, so that stock autodiff gives its gradient; the first output only. */
export interface StockForm<A extends object = object> {
  run(inputs: NamedTensors, attrs: A): tf.Tensor;
  /** Why stock can't differentiate the op with these attributes; undefined where it can. */
  exception?(attrs: A): string | undefined;
}

/**
 * The second oracle, by `opName`. It runs on TensorFlow.js's own `cpu` backend, whose kernels for these ops agree with
 * naive loops. Where stock has a differently built function for the same thing, that is used rather than the op's own
 * composition.
 */
export const stock: { readonly [opName: string]: StockForm } = {
  Add: form<AddAttrs>(({ a, b }, { activation }) => activated(tf.add(a, b), activation)),

  Attention: form<AttentionAttrs>(({ q, k, v }, { heads = 1 }) => {
    const [, , d] = q.shape;
    // A head at a time: tf.split is differentiable, the reshape to heads is ours.
    const parts = (x: tf.Tensor) => (heads === 1 ? [x] : tf.split(x, heads, -1));
    const [Q, K, V] = [q, k, v].map(parts);
    const outputs = Q.map((part, h) =>
      tf.matMul(tf.softmax(tf.div(tf.matMul(part, K[h], false, true), Math.sqrt(d / heads))), V[h]),
    );
    return tf.concat(outputs, -1);
  }),

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

  Embedding: form(({ ids, table }) => tf.gather(table, ids as tf.Tensor1D)),

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

  LayerNorm: form<LayerNormAttrs>(({ x, gamma, beta }, { epsilon = 1e-5 }) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normalised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normalised, gamma), beta);
  }),

  LayerScale: form(({ x, gamma }) => tf.mul(x, gamma)),

  LocalResponseNorm: form<LocalResponseNormAttrs>(({ x }, { size = 5, alpha = 1e-4, beta = 0.75, k = 2 }) =>
    tf.localResponseNormalization(x as tf.Tensor4D, (size - 1) / 2, k, alpha, beta),
  ),

  MaxPool2D: form<Pool2DAttrs>(({ x }, { poolSize, strides = poolSize, padding = 0 }) =>
    tf.maxPool(padded(x, padding, -1e9), mutable(poolSize), mutable(strides), "valid"),
  ),

  PatchEmbedding: form(({ x, filter, bias }) => {
    const [p, , , d] = filter.shape;
    const map = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, p, "valid"); // [batch, height / p, width / p, d]
    return tf.add(tf.reshape(map, [x.shape[0], -1, d]), bias);
  }),

  PositionEmbedding: form(({ x, positions }) => tf.add(x, positions)),

  Relu: form(({ x }) => tf.relu(x)),

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

  SoftmaxCrossEntropy: form<{ labelSmoothing?: number }>(({ logits, labels }, { labelSmoothing = 0 }) => {
    const [, classes] = logits.shape;
    const targets = tf.oneHot(labels as tf.Tensor1D, classes);
    // Its mean is over the rows of a weight above 0.
    const counts = tf.cast(tf.greaterEqual(labels, 0), "float32");
    return tf.losses.softmaxCrossEntropy(targets, logits, counts, labelSmoothing);
  }),

  TokenPool: form<TokenPoolAttrs>(({ x }, { pool }) => {
    const [batch, tokens, d] = x.shape;
    if (pool === "mean") return tf.div(tf.sum(x, 1), tokens);
    return tf.reshape(tokens === 1 ? x : tf.split(x, [1, tokens - 1], 1)[0], [batch, d]);
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
