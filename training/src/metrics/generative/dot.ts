/**
 * Σᵢ aᵢ bᵢ over `size` numbers from two places on, in double precision. Four sums side by side, since each addition of
 * one sum would wait for the one before.
 */
export function dot(
  a: Float64Array | Float32Array,
  atA: number,
  b: Float64Array | Float32Array,
  atB: number,
  size: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < size; i += 4) {
    s0 += a[atA + i] * b[atB + i];
    s1 += a[atA + i + 1] * b[atB + i + 1];
    s2 += a[atA + i + 2] * b[atB + i + 2];
    s3 += a[atA + i + 3] * b[atB + i + 3];
  }
  for (; i < size; i++) s0 += a[atA + i] * b[atB + i];
  return s0 + s1 + (s2 + s3);
}
