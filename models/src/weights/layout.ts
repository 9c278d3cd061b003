/**
 * Where TensorFlow.js and PyTorch keep a layer's weights in different orders, and how one becomes the other. This
 * table is the only place that knows.
 */
import { sizeOf } from "./safetensors.ts";

/** How one weight is kept, seen from TensorFlow.js. */
export interface Layout {
  /** Axis i of PyTorch's order is axis permutation[i] of ours. */
  readonly permutation: readonly number[];
  /** PyTorch merges the first two axes of the permuted weight and then adds one of size 1 (a depthwise convolution). */
  readonly merged?: true;
  /** PyTorch keeps the permuted weight as one vector (a singular vector of a convolution's filter). */
  readonly flat?: true;
}

/** PyTorch's weights of recurrent cells: [in, gates · d] -> [gates · d, in]. */
const recurrent: Record<string, Layout> = {
  weight_ih: { permutation: [1, 0] },
  weight_hh: { permutation: [1, 0] },
};

/**
 * Layer class, then weight, without the layer and direction that end the names of a stack's weights. A weight that
 * isn't listed has at most one axis and needs no change.
 */
const layouts: Record<string, Record<string, Layout>> = {
  ZooAttentionDecoder: Object.fromEntries(
    ["weight_ih", "weight_hh", "query.weight", "combine.weight", "bridge_h.weight", "bridge_c.weight"].map((name) => [
      name,
      { permutation: [1, 0] },
    ]),
  ),
  ZooConv2D: { weight: { permutation: [3, 2, 0, 1] } }, // [kh, kw, in, out] -> [out, in, kh, kw]
  ZooConvTranspose2D: { weight: { permutation: [3, 2, 0, 1] } }, // [kh, kw, out, in] -> [in, out, kh, kw]
  ZooConcatNormConv2D: { "conv1.weight": { permutation: [3, 2, 0, 1] } },
  ZooDepthwiseConv2D: { weight: { permutation: [2, 3, 0, 1], merged: true } }, // [kh, kw, c, m] -> [c m, 1, kh, kw]
  ZooDense: { weight: { permutation: [1, 0] } }, // [in, out] -> [out, in]
  ZooConv1D: { weight: { permutation: [0, 1] } }, // GPT-2's own dense layer: [in, out], as ours
  ZooEmbedding: { weight: { permutation: [0, 1] } },
  ZooLearnedPositions: { weight: { permutation: [0, 1] } },
  ZooInProjection: { in_proj_weight: { permutation: [1, 0] } },
  ZooMemoryAttention: { in_proj_weight: { permutation: [1, 0] } },
  ZooPatchEmbedding: { weight: { permutation: [3, 2, 0, 1] } }, // [p, p, in, d] -> [d, in, p, p]
  ZooClassToken: { value: { permutation: [0, 1, 2] } },
  ZooProjectedSelfAttention: Object.fromEntries(
    ["query.weight", "key.weight", "value.weight"].map((name) => [name, { permutation: [1, 0] }]),
  ),
  ZooPositionEmbedding: { value: { permutation: [0, 1, 2] } },
  ZooRelativePositions: { weight: { permutation: [0, 1] } },
  ZooGru: recurrent,
  ZooLstm: { ...recurrent, peephole: { permutation: [0, 1] } }, // PyTorch has none
  ZooRnn: recurrent,
  ZooSpectralConv2D: {
    weight_orig: { permutation: [3, 2, 0, 1] },
    weight_v: { permutation: [2, 0, 1], flat: true }, // [kh, kw, in] -> [in · kh · kw]
  },
  ZooSpectralEmbedding: { weight_orig: { permutation: [0, 1] } },
  ZooSpectralDense: { weight_orig: { permutation: [1, 0] } },
};

/**
 * The layout of a weight.
 *
 * @param className the layer's class
 * @param weight the weight's short name
 * @param shape in TensorFlow.js
 * @throws Error for a weight of several axes without a rule: a new layer needs a line in the table
 */
export function layoutOf(className: string, weight: string, shape: readonly (number | null)[]): Layout {
  const kind = weight.replace(/_l\d+(_reverse)?$/, "");
  const rule = Object.hasOwn(layouts, className) ? layouts[className][kind] : undefined;
  if (rule) return rule;
  if (shape.length > 1)
    throw new Error(`no rule in weights/layout.ts says how PyTorch keeps ${weight} [${shape}] of a ${className}`);
  return { permutation: shape.map((_, axis) => axis) };
}

/** The shape that a weight of this shape has in PyTorch. */
export function torchShape(shape: readonly number[], { permutation, merged, flat }: Layout): number[] {
  const permuted = permutation.map((axis) => shape[axis]);
  if (flat) return [sizeOf(permuted)];
  if (!merged) return permuted;
  const [first, second, ...rest] = permuted;
  return [first * second, 1, ...rest];
}

/**
 * A weight's values in PyTorch's order.
 *
 * @param values in TensorFlow.js's order
 * @param shape in TensorFlow.js
 * @returns a new array
 */
export function toTorch(values: Float32Array, shape: readonly number[], { permutation }: Layout): Float32Array {
  return transpose(values, shape, permutation);
}

/**
 * A weight's values in TensorFlow.js's order.
 *
 * @param values in PyTorch's order
 * @param shape in TensorFlow.js
 * @returns a new array
 */
export function fromTorch(values: Float32Array, shape: readonly number[], { permutation }: Layout): Float32Array {
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return transpose(
    values,
    permutation.map((axis) => shape[axis]),
    inverse,
  );
}

/** values[…] of `shape` with axes reordered: axis i of the result is axis permutation[i] of the argument. */
function transpose(values: Float32Array, shape: readonly number[], permutation: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = permutation.map((axis) => shape[axis]);
  const steps = permutation.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= steps[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return result;
}
