import * as tf from "@tensorflow/tfjs-core";
import { registerKernelGradients } from "./kernel-gradients.ts";

/** The tensors of one call, by name. An optional one is left out, or undefined. */
export type Tensors = { [name: string]: tf.Tensor | undefined };

/** A gradient, or a function that computes it when it is asked for. */
export type Gradient = tf.Tensor | (() => tf.Tensor);

/** A function on tensors and its derivative. */
export interface Definition<I extends Tensors, A extends object, S extends Tensors> {
  /** What the forward saves for the backward, in the order in which a kernel of the same name returns it. */
  readonly saved?: readonly (keyof S & string)[];
  /**
   * Gradients in the order in which a kernel named `<name>Grad` returns them. Inputs not named here (running
   * statistics, labels, masks) have no gradient.
   */
  readonly gradients: readonly (keyof I & string)[];
  /** How many outputs there are; 1 unless given. */
  readonly outputs?: number;
  /** How many of them, from the first on, are differentiated; 1 unless given. */
  readonly differentiated?: number;
  forward(inputs: I, attrs: A): { output: tf.Tensor | tf.Tensor[]; saved: S };
  /**
   * @param dy the gradient of the first output
   * @param others those of the other differentiated outputs, zeros for an output that was not used
   */
  backward(dy: tf.Tensor, saved: S, attrs: A, others: readonly tf.Tensor[]): { [K in keyof I]?: Gradient };
}

/** An op: a function on tensors whose gradient TensorFlow.js knows. */
export interface Op<I extends Tensors, A extends object> {
  (inputs: I, attrs?: A): tf.Tensor;
  readonly opName: string;
  readonly gradients: readonly string[];
  /** How many of the outputs, from the first on, are differentiated. */
  readonly differentiated: number;
  /** Every output, for an op that has several. */
  all(inputs: I, attrs?: A): tf.Tensor[];
  /**
   * The backward pass by itself, for a layer that computes again what the forward pass would have saved.
   *
   * @param dy the gradient of the first output
   * @param others those of the other differentiated outputs
   */
  backward(dy: tf.Tensor, saved: Tensors, attrs?: A, others?: readonly tf.Tensor[]): { [K in keyof I]?: tf.Tensor };
}

/**
 * tf.customGrad computes the gradient of every input, needed or not (the first convolution of a network would compute
 * that of the images), and has one output. The engine's own entry point, which customGrad wraps, has neither limit.
 */
interface Engine {
  runKernelFunc(call: {
    forwardFunc(backend: unknown, save: (tensors: tf.Tensor[]) => void): tf.Tensor | tf.Tensor[];
    backwardsFunc(dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): { [input: string]: () => tf.Tensor };
    inputs: tf.NamedTensorMap;
  }): tf.Tensor | tf.Tensor[];
}

/**
 * Makes an op of a forward and a hand-written backward pass; `tf.grad`, `tf.variableGrads` and `model.fit` all use it.
 *
 * Where the backend in use has a kernel registered under `Zoo<name>` (or `Zoo<name>Grad`), that replaces the forward
 * (the backward); it gets the inputs (dy, dy1 … for further outputs, and what was saved) by name and returns outputs
 * and saved tensors (gradients) in the definition's order.
 */
export function differentiable<I extends Tensors, A extends object, S extends Tensors = Tensors>(
  name: string,
  definition: Definition<I, A, S>,
): Op<I, A> {
  const { saved: savedNames = [], gradients: gradientNames, outputs: outputCount = 1, differentiated = 1 } = definition;
  const forwardKernel = `Zoo${name}`;
  const backwardKernel = `Zoo${name}Grad`;

  function forward(inputs: I, attrs: A): { outputs: tf.Tensor[]; saved: S } {
    if (tf.getKernel(forwardKernel, tf.getBackend()) === undefined) {
      const { output, saved } = definition.forward(inputs, attrs);
      return { outputs: Array.isArray(output) ? output : [output], saved };
    }
    const results = runKernel(forwardKernel, inputs, attrs);
    const saved = Object.fromEntries(savedNames.map((key, i) => [key, results[outputCount + i]]));
    return { outputs: results.slice(0, outputCount), saved: saved as S };
  }

  function backward(
    [dy, ...others]: readonly tf.Tensor[],
    saved: S,
    attrs: A,
  ): { [input: string]: Gradient | undefined } {
    if (tf.getKernel(backwardKernel, tf.getBackend()) === undefined) {
      return definition.backward(dy, saved, attrs, others);
    }
    const further = Object.fromEntries(others.map((other, i) => [`dy${i + 1}`, other]));
    const results = runKernel(backwardKernel, { dy, ...further, ...saved }, attrs);
    return Object.fromEntries(gradientNames.map((key, i) => [key, results[i]]));
  }

  function all(given: I, attrs: A = {} as A): tf.Tensor[] {
    const inputs = present(given);
    const nested = isNested();
    let keys: string[] = [];
    const result = (tf.engine() as unknown as Engine).runKernelFunc({
      inputs,
      forwardFunc: (_, save) => {
        const { outputs, saved } = forward(inputs as I, attrs);
        const kept = nested ? inputs : present(saved);
        keys = Object.keys(kept);
        save(Object.values(kept));
        return outputs;
      },
      backwardsFunc: (dys, savedTensors) => {
        const changes = (Array.isArray(dys) ? dys : [dys]).slice(0, differentiated);
        const [dy, ...others] = changes;
        const kept = Object.fromEntries(keys.map((key, i) => [key, savedTensors[i]]));
        const again = () => definition.backward(dy, definition.forward(kept as I, attrs).saved, attrs, others);
        const computed = tf.tidy(
          name,
          () => (nested ? composed(again) : backward(changes, kept as S, attrs)) as unknown as tf.TensorContainer,
        ) as unknown as { [input: string]: Gradient | undefined };
        const lazily: { [input: string]: () => tf.Tensor } = {};
        for (const [input, gradient] of Object.entries(computed)) {
          if (gradient === undefined) continue;
          lazily[input] = () => {
            // What that forward made has been freed by the time that a gradient is asked for.
            if (typeof gradient === "function")
              return nested ? tf.tidy(() => composed(() => now(again()[input]))) : gradient();
            // The engine disposes a gradient that it has added to another, so what it gave must not be handed out.
            return changes.includes(gradient) ? tf.clone(gradient) : gradient;
          };
        }
        return lazily;
      },
    });
    return Array.isArray(result) ? result : [result];
  }

  const op = (inputs: I, attrs?: A): tf.Tensor => {
    const [first, ...rest] = all(inputs, attrs);
    for (const tensor of rest) tensor.dispose();
    return first;
  };
  const backwardAlone = (
    dy: tf.Tensor,
    saved: Tensors,
    attrs: A = {} as A,
    others: readonly tf.Tensor[] = [],
  ): { [K in keyof I]?: tf.Tensor } => {
    const computed = onTape
      ? definition.backward(dy, saved as S, attrs, others)
      : backward([dy, ...others], saved as S, attrs);
    const gradients = Object.entries(computed).map(([input, gradient]) => [input, now(gradient)]);
    return Object.fromEntries(gradients) as { [K in keyof I]?: tf.Tensor };
  };
  return Object.assign(op, {
    opName: name,
    gradients: gradientNames,
    differentiated,
    all,
    backward: backwardAlone,
  });
}

/**
 * Whether a gradient of a gradient is being taken. What a forward saves is computed out of the tape's sight, so that a
 * backward from it would be differentiated as if it were constant. The backward then starts from the inputs again, on
 * the tape and without kernels of ours, which have no gradient.
 */
export function isNested(): boolean {
  return tf.engine().state.gradientDepth > 1;
}

const now = (gradient: Gradient | undefined): tf.Tensor =>
  typeof gradient === "function" ? gradient() : (gradient as tf.Tensor);

let onTape = false;

/** Runs a forward or a backward whose own gradient will be taken: of stock ops alone. */
function composed<T>(body: () => T): T {
  registerKernelGradients();
  const before = onTape;
  onTape = true;
  try {
    return body();
  } finally {
    onTape = before;
  }
}

/**
 * Whether the backend in use has a kernel of ours that does in one pass what a composition does in several. Never where
 * the composition's own gradient will be taken, since our kernels have none.
 */
export function hasKernel(name: string): boolean {
  return !onTape && tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs a registered kernel and returns its results as a list. */
export function runKernel(name: string, inputs: Tensors, attrs: object): tf.Tensor[] {
  const result = tf.engine().runKernel(name, present(inputs), attrs as tf.NamedAttrMap) as tf.Tensor | tf.Tensor[];
  return Array.isArray(result) ? result : [result];
}

function present(tensors: Tensors): tf.NamedTensorMap {
  return Object.fromEntries(Object.entries(tensors).filter(([, tensor]) => tensor !== undefined)) as tf.NamedTensorMap;
}
