import * as tf from "@tensorflow/tfjs-core";
import { registerWasm } from "./backend.ts";

/** A tensor and the letter of each of its axes. */
interface Term {
  tensor: tf.Tensor;
  axes: string;
}

/**
 * Einstein summation of one or two tensors: letters on both sides and in the result are a batch, letters on both sides
 * only are contracted, letters on one side are kept or, where the result lacks them, summed first:
 *
 *   y[batch, left, right] = Σ_contracted a[batch, left, contracted] b[batch, contracted, right]
 *
 * which is a batch of matrix products between transposes.
 *
 * @throws Error when the equation does not fit the shapes (tfjs-core's own messages)
 */
export function registerEinsum(): void {
  registerWasm<{ equation: string }>(tf.Einsum, ({ inputs, attrs }) =>
    tf.tidy(() => {
      const operands = Object.values(inputs) as unknown as tf.Tensor[];
      const equation = attrs.equation.replace(/\s/g, "");
      const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, operands.length);
      tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, operands);
      const [left, result] = equation.split("->");
      const letters = left.split(",");
      const terms = operands.map((tensor, i) => {
        const others = result + letters.filter((_, other) => other !== i).join("");
        return sumAway({ tensor, axes: letters[i] }, others);
      });
      const product = terms.length === 1 ? terms[0] : multiply(terms[0], terms[1], result);
      return arrange(product, result);
    }),
  );
}

/** Sums over the axes whose letters are not wanted. */
function sumAway({ tensor, axes }: Term, wanted: string): Term {
  const away = [...axes].flatMap((letter, i) => (wanted.includes(letter) ? [] : [i]));
  if (away.length === 0) return { tensor, axes };
  return { tensor: tf.sum(tensor, away), axes: [...axes].filter((letter) => wanted.includes(letter)).join("") };
}

function multiply(a: Term, b: Term, result: string): Term {
  const shared = [...a.axes].filter((letter) => b.axes.includes(letter));
  const batch = shared.filter((letter) => result.includes(letter)).join("");
  const contracted = shared.filter((letter) => !result.includes(letter)).join("");
  const left = [...a.axes].filter((letter) => !shared.includes(letter)).join("");
  const right = [...b.axes].filter((letter) => !shared.includes(letter)).join("");
  const sizes = new Map<string, number>();
  for (const { tensor, axes } of [a, b]) {
    for (let i = 0; i < axes.length; i++) sizes.set(axes[i], tensor.shape[i]);
  }
  const size = (letters: string) => [...letters].reduce((product, letter) => product * (sizes.get(letter) ?? 1), 1);

  const x = tf.reshape(arrange(a, batch + left + contracted), [size(batch), size(left), size(contracted)]);
  const y = tf.reshape(arrange(b, batch + contracted + right), [size(batch), size(contracted), size(right)]);
  const axes = batch + left + right;
  return {
    tensor: tf.reshape(
      tf.matMul(x, y),
      [...axes].map((letter) => size(letter)),
    ),
    axes,
  };
}

/** Transposes into the given order of letters; always a tensor of its own. */
function arrange({ tensor, axes }: Term, order: string): tf.Tensor {
  if (axes === order) return tf.clone(tensor);
  return tf.transpose(
    tensor,
    [...order].map((letter) => axes.indexOf(letter)),
  );
}
