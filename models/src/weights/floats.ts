/** Number formats of weights: what a file holds, to and from float32. Little-endian, as the format and every host of tfjs. */
import { InputError } from "../errors.ts";
import type { SafeTensor } from "./safetensors.ts";

/** The dtypes that weights are written in. */
export type FloatDtype = "F32" | "F16" | "BF16";

/**
 * A tensor's values as float32, always a copy. F16 and BF16 widen exactly; F64 rounds to the nearest.
 *
 * @throws InputError for a dtype that is no floating-point number of at least 16 bits
 */
export function toFloat32({ dtype, data }: Pick<SafeTensor, "dtype" | "data">): Float32Array {
  const { buffer } = new Uint8Array(data); // a copy starts at a multiple of the element size, a view may not
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    default:
      throw new InputError(`can't use ${dtype} values as weights; expected F32, F16, BF16 or F64`);
  }
}

/**
 * Float32 values as the bytes of a dtype, rounded to the nearest, ties to even (IEEE 754). What is too large for F16
 * or BF16 becomes an infinity; NaN stays NaN.
 */
export function fromFloat32(values: Float32Array, dtype: FloatDtype): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.slice().buffer);
  const bits = new Uint32Array(values.slice().buffer);
  return new Uint8Array(Uint16Array.from(bits, dtype === "F16" ? bitsToHalf : bitsToBfloat).buffer);
}

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function bitsToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13); // 2^-14 and above: a normal half
  const shift = 126 - (magnitude >>> 23); // a subnormal half counts in units of 2^-24
  if (shift > 24) return sign;
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
}

function bitsToBfloat(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return roundShift(bits, 16);
}

/** bits / 2^shift to the nearest integer, ties to even. A carry runs into the exponent, which is what rounding up means. */
function roundShift(bits: number, shift: number): number {
  const unit = 2 ** shift;
  const whole = Math.floor((bits >>> 0) / unit);
  const rest = (bits >>> 0) - whole * unit;
  return whole + (rest > unit / 2 || (rest === unit / 2 && whole % 2 === 1) ? 1 : 0);
}
