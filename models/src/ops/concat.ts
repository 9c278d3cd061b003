import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op, type Tensors } from "./differentiable.ts";

/**
 * The channels of tensors side by side: the connection of DenseNet (Huang et al. 2017, eq. 2).
 *
 *   y = [x₀, x₁, …]        ∂L/∂xᵢ = the channels of ∂L/∂y that are xᵢ's
 *
 * An op of so many tensors, named "0", "1", …
 *
 * @param xᵢ [..., channelsᵢ], the other axes alike
 * @returns [..., Σ channelsᵢ]
 * @throws InputError when other axes differ
 */
function makeConcat(count: number): Op<Tensors, object> {
  const names = Array.from({ length: count }, (_, i) => String(i));
  return differentiable("Concat", {
    saved: names,
    gradients: names,

    forward(inputs: Tensors) {
      const parts = names.map((name) => inputs[name] as tf.Tensor);
      const leading = ({ shape }: tf.Tensor) => shape.slice(0, -1);
      if (parts.some((part) => part.rank === 0 || !tf.util.arraysEqual(leading(part), leading(parts[0])))) {
        const shapes = parts.map(({ shape }) => `[${shape}]`).join(" and ");
        throw new InputError(`concat got shapes ${shapes}; expected such that differ in the last axis only`);
      }
      return { output: tf.concat(parts, -1), saved: inputs };
    },

    backward(dy, saved) {
      let channel = 0;
      return Object.fromEntries(
        names.map((name) => {
          const { shape } = saved[name] as tf.Tensor;
          const begin = shape.map((_, axis) => (axis === shape.length - 1 ? channel : 0));
          channel += shape[shape.length - 1];
          return [name, () => tf.slice(dy, begin, shape)]; // [..., channelsᵢ]
        }),
      );
    },
  });
}

/** Two tensors, "0" and "1". */
export const concat = makeConcat(2);

const made = new Map([[2, concat]]);

/** The op of so many tensors. */
export function concatOf(count: number): Op<Tensors, object> {
  const op = made.get(count) ?? makeConcat(count);
  made.set(count, op);
  return op;
}

/** Any number of tensors: [..., channelsᵢ] -> [..., Σ channelsᵢ] */
export function concatAll(parts: readonly tf.Tensor[]): tf.Tensor {
  return concatOf(parts.length)(Object.fromEntries(parts.entries()));
}
