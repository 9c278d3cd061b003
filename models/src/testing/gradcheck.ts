import "@tensorflow/tfjs-layers"; // registers the gradients of stock ops, which tfjs-core alone does not
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import type { Op, Tensors } from "../ops/index.ts";
import * as zooOps from "../ops/index.ts";
import { type Random, randomStream } from "../random.ts";
import type { Array64, Inputs64 } from "./array64.ts";
import { type Case, casesOf, normal } from "./cases.ts";
import { dyName, gradient64, largest, relativeError, secondGradients64 } from "./numeric.ts";
import { checkPenalties } from "./penalty-check.ts";
import { stock } from "./stock.ts";
import { textbook } from "./textbook/index.ts";

/**
 * How far a value or a gradient may be from an oracle's, as `relativeError` measures it.
 *
 * The cases sum at most a few hundred products of float32 numbers, whose rounding is 6e-8, so a right gradient is
 * within some 1e-6 of the reference on every backend that computes in strict float32 (exp and log of a GPU are a little
 * worse). A wrong one (a factor, an index, a forgotten term) is off by 1e-2 and more. Between them is this.
 */
export const TOLERANCE = 5e-5;

/**
 * The same in bf16, whose inputs are rounded to it for the oracle too: results have 8 digits, so that each is off by up
 * to 2⁻⁹, and a sum that cancels by several times that.
 */
export const BF16_TOLERANCE = 1e-2;

/** How a backend computes in bf16 (`@tfjs-zoo/models/kernels/tensorflow` has both for `tensorflow`). */
export interface Bf16 {
  /** Runs what is in `body` in bf16. */
  inBf16<T>(body: () => T): T;
  /** The same numbers, in bf16. */
  toBf16(x: tf.Tensor): tf.Tensor;
  /** names of the ops that have kernels for it */
  readonly ops: readonly string[];
}

/** An op of any inputs and attributes. */
export type AnyOp = Op<Tensors, object>;

/** What one case of one op showed. */
export interface GradientCheck {
  op: string;
  backend: string;
  oracle: "float64" | "stock";
  /** 1: values and gradients; 2: the gradient of the gradients */
  order: 1 | 2;
  case: string;
  /** Infinity where the op threw or gave a NaN */
  maxError: number;
  tolerance: number;
  ok: boolean;
  /** why it is not ok */
  reason?: string;
}

/** One row of the printed table: the worst case of an op under one oracle. */
export type GradcheckRow = Pick<GradientCheck, "op" | "backend" | "oracle" | "order" | "maxError" | "tolerance" | "ok">;

export interface GradcheckOptions {
  /** a registered backend; `cpu` must be registered too, since the stock oracle runs there */
  backend: string;
  /** what of `checkNames`, all of it unless given */
  ops?: readonly string[];
  seed?: number;
  /** 1 leaves out the gradients of gradients, which take most of the time; 2 unless given */
  order?: 1 | 2;
  /** Makes one gradient of one op wrong by a factor, to show that the check finds it. */
  mutate?: { op: string; gradient: string; factor: number };
  /** Checks in bf16, against float64 alone and to order 1, the ops that have kernels for it. */
  bf16?: Bf16;
}

/** Something that an oracle does not cover, and why. */
export interface Exception {
  op: string;
  order: 1 | 2;
  oracle: "float64" | "stock";
  what: string;
  reason: string;
}

/** Gradients whose own gradient TensorFlow.js cannot compute: asking for it throws, it is never silently wrong. */
const NO_SECOND_ORDER: { readonly [op: string]: { readonly [gradient: string]: string } } = {
  MaxPool2D: { x: "the kernel MaxPoolGrad has no gradient in TensorFlow.js" },
};

/** Every op that the package exports, by `opName`. */
export const allOps: { readonly [opName: string]: AnyOp } = Object.fromEntries(
  Object.values(zooOps)
    .filter((value): value is AnyOp & typeof value => typeof value === "function" && "opName" in value)
    .map((op): [string, AnyOp] => [op.opName, op])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** The gradient of a gradient through whole critics (penalty-check.ts), beside that through each op. */
const PENALTY = "GradientPenalty";

/** What there is to check: every op, and a gradient penalty. */
export const checkNames: readonly string[] = [...Object.keys(allOps), PENALTY];

/** What the oracles leave out, for the table's footnotes. */
export function gradcheckExceptions(): Exception[] {
  const second = Object.entries(NO_SECOND_ORDER).flatMap(([op, gradients]) =>
    Object.entries(gradients).map(
      ([what, reason]): Exception => ({ op, order: 2, oracle: "float64", what: `gradient of ∂L/∂${what}`, reason }),
    ),
  );
  const first = Object.keys(allOps).flatMap((op) => {
    const reasons = new Set(casesOf(op, 0).map(({ attrs }) => stock[op].exception?.(attrs)));
    return [...reasons].flatMap((reason): Exception[] =>
      reason === undefined ? [] : [{ op, order: 1, oracle: "stock", what: "some attributes", reason }],
    );
  });
  return [...first, ...second];
}

/**
 * Runs every case of every op on a backend and compares the values and all gradients with two oracles: central
 * differences of the float64 textbook, and autodiff of the op written in stock TensorFlow.js, on `cpu`. The gradients
 * are those of L = Σ r y with a random r, over all outputs that are differentiated, so that every element of ∂L/∂y
 * counts. Order 2 compares the gradients of Σ s ∂L/∂x with second differences of the textbook. A case that leaves
 * tensors or buffers behind fails too.
 *
 * @returns one result per case, oracle and order, as they come; the backend that was in use is in use again afterwards
 * @throws InputError when a backend is not registered, an op is unknown or has no cases
 */
export async function* checkGradients(options: GradcheckOptions): AsyncGenerator<GradientCheck> {
  const { backend, seed = 1, order = 2, mutate, bf16 } = options;
  for (const name of ["cpu", backend]) {
    if (tf.findBackendFactory(name) === null) {
      throw new InputError(`the gradient check needs the backend "${name}", which is not registered: import it first`);
    }
  }
  const before = tf.getBackend();
  try {
    for (const name of options.ops ?? checkNames) {
      if (bf16 && !bf16.ops.includes(name)) continue;
      if (name === PENALTY) {
        if (order === 2) yield* checkPenalty(backend, seed);
        continue;
      }
      const exported = opNamed(name);
      const op = mutate?.op === name ? withWrongGradient(exported, mutate.gradient, mutate.factor) : exported;
      yield* bf16 ? checkInBf16(op, backend, seed, bf16) : checkOp(op, backend, seed, order);
    }
  } finally {
    await tf.setBackend(before);
  }
}

/** The worst case of each op, backend, oracle and order, in the order in which they came. */
export function gradcheckTable(checks: Iterable<GradientCheck>): GradcheckRow[] {
  const rows = new Map<string, GradcheckRow>();
  for (const { op, backend, oracle, order, maxError, tolerance, ok } of checks) {
    const key = [op, backend, oracle, order].join(" ");
    const row = rows.get(key) ?? { op, backend, oracle, order, maxError: 0, tolerance, ok: true };
    rows.set(key, { ...row, maxError: Math.max(row.maxError, maxError), ok: row.ok && ok });
  }
  return [...rows.values()];
}

/** The same op with one gradient multiplied by `factor`: a deliberately wrong backward pass. */
export function withWrongGradient(op: AnyOp, gradient: string, factor: number): AnyOp {
  const wrongly = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, factor),
  }));
  const mutated = (inputs: Tensors) => {
    const input = inputs[gradient];
    return input === undefined ? inputs : { ...inputs, [gradient]: wrongly(input) };
  };
  const wrong = (inputs: Tensors, attrs?: object) => tf.tidy(() => op(mutated(inputs), attrs));
  return Object.assign(wrong, {
    opName: op.opName,
    gradients: op.gradients,
    differentiated: op.differentiated,
    all: (inputs: Tensors, attrs?: object) => tf.tidy(() => op.all(mutated(inputs), attrs)),
    backward: op.backward,
  });
}

async function* checkOp(op: AnyOp, backend: string, seed: number, order: 1 | 2): AsyncGenerator<GradientCheck> {
  const list = casesOf(op.opName, seed).map((given) => new CaseCheck(op, given, backend, seed));
  await tf.setBackend("cpu");
  const fromStock: (Outcome | undefined)[] = [];
  for (const check of list) fromStock.push(await check.stockOutcome());
  await tf.setBackend(backend);
  for (const [i, check] of list.entries()) yield* check.run(fromStock[i], order);
}

async function* checkPenalty(backend: string, seed: number): AsyncGenerator<GradientCheck> {
  await tf.setBackend(backend);
  for await (const { critic, errors, left } of checkPenalties(seed)) {
    const [worst, maxError] = Object.entries(errors).reduce((a, b) => (b[1] > a[1] ? b : a));
    const off = maxError > TOLERANCE ? `${worst} is off by ${maxError.toExponential(1)}` : undefined;
    const reason = left === 0 ? off : `left ${left} tensor(s) behind`;
    const about = { op: PENALTY, backend, oracle: "float64", order: 2, case: critic, tolerance: TOLERANCE } as const;
    yield { ...about, maxError, ok: reason === undefined, ...(reason && { reason }) };
  }
}

async function* checkInBf16(op: AnyOp, backend: string, seed: number, bf16: Bf16): AsyncGenerator<GradientCheck> {
  await tf.setBackend(backend);
  for (const given of casesOf(op.opName, seed)) {
    const inputs = Object.fromEntries(
      Object.entries(given.inputs).map(([name, array]) => [
        name,
        array.dtype === "int32" ? array : { ...array, values: array.values.map(roundToBf16) },
      ]),
    );
    yield* new CaseCheck(op, { ...given, inputs }, backend, seed, bf16).run(undefined, 1);
  }
}

/** The nearest number of 8 binary digits; of two, the even one. */
export function roundToBf16(x: number): number {
  const word = new Uint32Array(Float32Array.of(x).buffer);
  word[0] += 0x7fff + ((word[0] >>> 16) & 1);
  word[0] &= 0xffff0000;
  return new Float32Array(word.buffer)[0];
}

function opNamed(name: string): AnyOp {
  const op = allOps[name];
  if (op === undefined) {
    throw new InputError(`unknown op "${name}"; expected one of ${checkNames.join(", ")}`);
  }
  for (const [what, registry] of Object.entries({ textbook, stock })) {
    if (registry[name] === undefined)
      throw new InputError(`the op "${name}" has no entry in testing/${what}.ts: add one`);
  }
  return op;
}

/** Outputs and gradients of L, by name. */
interface Outcome {
  values: ArrayLike<number>[];
  gradients: { [input: string]: ArrayLike<number> };
}

/** Everything about one case. */
class CaseCheck {
  /** for every differentiated output */
  private readonly r: Array64[];
  private readonly wanted: string[];
  private readonly random: Random;
  private readonly reference: Array64[];

  constructor(
    private readonly op: AnyOp,
    private readonly given: Case,
    private readonly backend: string,
    seed: number,
    private readonly bf16?: Bf16,
  ) {
    this.random = randomStream(seed, "gradcheck weights", op.opName, given.name);
    this.reference = textbook[op.opName](given.inputs, given.attrs);
    this.r = this.reference.slice(0, op.differentiated).map(({ shape }) => {
      const r = normal(this.random, shape);
      return bf16 ? { ...r, values: r.values.map(roundToBf16) } : r;
    });
    this.wanted = op.gradients.filter((name) => given.inputs[name] !== undefined);
  }

  async *run(fromStock: Outcome | undefined, order: 1 | 2): AsyncGenerator<GradientCheck> {
    const { op, given } = this;
    const float64: Outcome = { values: this.reference.map(({ values }) => values), gradients: {} };
    const r = this.r.map(({ values }) => values);
    for (const input of this.wanted) {
      float64.gradients[input] = gradient64(textbook[op.opName], given.inputs, given.attrs, input, r);
    }
    const first = await this.withoutLeaks(() => this.outcome((inputs) => op.all(inputs, given.attrs)));
    yield this.compared("float64", 1, first, float64);
    if (fromStock !== undefined) yield this.compared("stock", 1, first, fromStock);
    if (order === 1) return;

    for (const input of this.wanted.filter((name) => NO_SECOND_ORDER[op.opName]?.[name] === undefined)) {
      const s = normal(this.random, given.inputs[input].shape);
      const expected = secondGradients64(
        textbook[op.opName],
        given.inputs,
        given.attrs,
        input,
        this.wanted,
        r,
        s.values,
      );
      const second = await this.withoutLeaks(() => secondOrder(op, given, this.wanted, input, this.r, s));
      yield this.compared("float64", 2, second, { values: [], gradients: expected }, ` of ∂L/∂${input}`);
    }
  }

  /** What stock autodiff gives, or undefined where it can't. To be called with `cpu` in use. */
  async stockOutcome(): Promise<Outcome | undefined> {
    const { run, exception } = stock[this.op.opName];
    if (exception?.(this.given.attrs) !== undefined) return undefined;
    return this.outcome((inputs) => {
      const outputs = run(inputs as { [name: string]: tf.Tensor }, this.given.attrs);
      return Array.isArray(outputs) ? outputs : [outputs];
    });
  }

  private async outcome(all: (inputs: Tensors) => tf.Tensor[]): Promise<Outcome> {
    const inputs = this.uploaded();
    const r = this.r.map(tensor);
    const { inBf16 = <T>(body: () => T) => body() } = this.bf16 ?? {};
    const outputs = inBf16(() => all(inputs));
    const gradients = inBf16(() =>
      tf.grads((...xs: tf.Tensor[]) => weighted(all({ ...inputs, ...named(this.wanted, xs) }), r))(
        this.wanted.map((name) => inputs[name]),
      ),
    );
    const result = {
      values: await Promise.all(outputs.map((y) => y.data())),
      gradients: named(this.wanted, await Promise.all(gradients.map((g) => g.data()))),
    };
    tf.dispose([inputs, r, outputs, gradients]);
    return result;
  }

  private uploaded(): { [name: string]: tf.Tensor } {
    const inputs = tensors(this.given.inputs);
    const { bf16 } = this;
    if (bf16 === undefined) return inputs;
    return Object.fromEntries(
      Object.entries(inputs).map(([name, x]) => {
        if (x.dtype !== "float32") return [name, x];
        const half = bf16.toBf16(x);
        x.dispose();
        return [name, half];
      }),
    );
  }

  /** Says what it left behind. A first run may fill caches that stay, so that what it left counts if a second does too. */
  private async withoutLeaks(run: () => Promise<Outcome>): Promise<Outcome | Error> {
    try {
      let left = { tensors: 0, buffers: 0 };
      for (let attempt = 0; attempt < 2; attempt++) {
        const before = held();
        const result = await run();
        const after = held();
        left = { tensors: after.tensors - before.tensors, buffers: after.buffers - before.buffers };
        if (left.tensors === 0 && left.buffers === 0) return result;
      }
      return new Error(
        left.tensors !== 0 ? `left ${left.tensors} tensor(s) behind` : `left ${left.buffers} buffer(s) behind`,
      );
    } catch (error) {
      return error as Error;
    }
  }

  private compared(
    oracle: GradientCheck["oracle"],
    order: 1 | 2,
    actual: Outcome | Error,
    expected: Outcome,
    what = "",
  ): GradientCheck {
    const tolerance = this.bf16 ? BF16_TOLERANCE : TOLERANCE;
    const backend = this.bf16 ? `${this.backend} bf16` : this.backend;
    const about = { op: this.op.opName, backend, oracle, order, case: this.given.name + what };
    if (actual instanceof Error) {
      const reason = actual.message.split("\n")[0];
      return { ...about, maxError: Number.POSITIVE_INFINITY, tolerance, ok: false, reason };
    }
    const errors: { name: string; error: number }[] = [];
    // Stock has the differentiated outputs only, so what is compared is what the oracle has.
    expected.values.forEach((values, i) => {
      errors.push({ name: `output ${i}`, error: relativeError(actual.values[i], values, largest(values)) });
    });
    const scale = Math.max(...Object.values(expected.gradients).map(largest));
    for (const [name, values] of Object.entries(expected.gradients)) {
      errors.push({ name: `gradient of ${name}`, error: relativeError(actual.gradients[name], values, scale) });
    }
    const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
    const ok = worst.error <= tolerance;
    const reason = ok ? {} : { reason: `${worst.name} is off by ${worst.error.toExponential(1)}` };
    return { ...about, maxError: worst.error, tolerance, ok, ...reason };
  }
}

/** Σ r y over the outputs that have an r; the others are disposed. */
function weighted(outputs: tf.Tensor[], r: readonly tf.Tensor[]): tf.Tensor {
  tf.dispose(outputs.slice(r.length));
  return r.map((factor, i) => tf.sum(tf.mul(outputs[i], factor))).reduce((a, b) => tf.add(a, b));
}

/** The gradients of Σ s · ∂L/∂input with respect to the wanted inputs and r ("dy", "dy1" …). */
async function secondOrder(
  op: AnyOp,
  { inputs: given, attrs }: Case,
  wanted: readonly string[],
  input: string,
  r: readonly Array64[],
  s: Array64,
): Promise<Outcome> {
  const inputs = tensors(given);
  const [rTensors, sTensor] = [r.map(tensor), tensor(s)];
  const names = [...wanted, ...r.map((_, i) => dyName(i))];
  const f = (...xs: tf.Tensor[]): tf.Scalar => {
    const moved = { ...inputs, ...named(wanted, xs) };
    const factors = xs.slice(wanted.length);
    const gradient = tf.grad((x) => weighted(op.all({ ...moved, [input]: x }, attrs), factors))(moved[input]);
    return tf.sum(tf.mul(gradient, sTensor));
  };
  const xs = [...wanted.map((name) => inputs[name]), ...rTensors];
  // tf.grads refuses an input that S does not depend on; for it 0 is the right answer.
  const { value, grads } = tf.engine().gradients(() => f(...xs), xs, undefined, true);
  const results = await Promise.all(grads.map((g, i) => (g == null ? new Float64Array(xs[i].size) : g.data())));
  tf.dispose([inputs, rTensors, sTensor, value, grads.filter((g) => g != null)]);
  return { values: [], gradients: named(names, results) };
}

function named<T>(names: readonly string[], values: readonly T[]): { [name: string]: T } {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

function tensors(inputs: Inputs64): { [name: string]: tf.Tensor } {
  return Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, tensor(array)]));
}

function tensor({ shape, values, dtype = "float32" }: Array64): tf.Tensor {
  const typed = dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
  return tf.tensor(typed, [...shape], dtype);
}

function held(): { tensors: number; buffers: number } {
  return { tensors: tf.memory().numTensors, buffers: tf.backend().numDataIds() };
}

/** Whether asking for the gradient of one gradient fails with an error; for the list of exceptions to stay true. */
export async function secondOrderThrows(opName: string, gradient: string, seed = 1): Promise<boolean> {
  const op = opNamed(opName);
  const [given] = casesOf(opName, seed);
  const wanted = op.gradients.filter((name) => given.inputs[name] !== undefined);
  const random = randomStream(seed, "exceptions");
  const outputs = textbook[opName](given.inputs, given.attrs).slice(0, op.differentiated);
  const r = outputs.map(({ shape }) => normal(random, shape));
  const s = normal(random, given.inputs[gradient].shape);
  try {
    await secondOrder(op, given, wanted, gradient, r, s);
    return false;
  } catch {
    return true;
  }
}
