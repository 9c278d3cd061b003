/** A tensor in doubles, for reference computations: values in row-major order. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** what the op is given (labels are integers); float32 unless stated */
  readonly dtype?: "float32" | "int32";
}

/** Inputs of an op by name. */
export type Inputs64 = { readonly [name: string]: Array64 };

/** The mathematical definition of an op, in doubles: every output, in the op's order. */
export type Textbook = (inputs: Inputs64, attrs: object) => Array64[];

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function zeros64(shape: readonly number[]): Array64 {
  return { shape, values: new Float64Array(sizeOf(shape)) };
}

/** An element-wise function of arrays of one shape. */
export function map64(f: (...values: number[]) => number, first: Array64, ...others: Array64[]): Array64 {
  return {
    shape: first.shape,
    values: first.values.map((value, i) => f(value, ...others.map((other) => other.values[i]))),
  };
}
