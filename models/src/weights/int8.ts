/**
 * Weights of eight bits each (Jacob et al. 2018, "Quantization and training of neural networks for efficient
 * integer-arithmetic-only inference", eq. 1; a scale for each output channel and no offset, as Krishnamoorthi 2018 finds
 * best for weights):
 *
 *   w ≈ s_o q        q = round(w / s_o), −127 … 127        s_o = max |w| of output channel o / 127
 *
 * A file holds q under the weight's name, and s beside it.
 */
import { InputError } from "../errors.ts";

/** The name of a weight's scales in a file. */
export const scaleName = (weight: string): string => `${weight}_scale`;

/**
 * @param values in PyTorch's order: the first of the axes is that of output channels
 * @throws InputError where a value is not finite
 */
export function toInt8(
  values: Float32Array,
  channels: number,
): { quantized: Int8Array<ArrayBuffer>; scales: Float32Array<ArrayBuffer> } {
  const size = values.length / channels;
  const quantized = new Int8Array(values.length);
  const scales = new Float32Array(channels);
  for (let o = 0; o < channels; o++) {
    const row = values.subarray(o * size, (o + 1) * size);
    const largest = row.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    if (!Number.isFinite(largest)) throw new InputError("weights that are not finite can't be written in eight bits");
    scales[o] = largest / 127;
    for (let i = 0; i < size; i++) quantized[o * size + i] = largest === 0 ? 0 : Math.round((row[i] * 127) / largest);
  }
  return { quantized, scales };
}

/** The inverse of `toInt8`, up to its rounding. */
export function fromInt8(quantized: Int8Array, scales: Float32Array): Float32Array {
  const size = quantized.length / scales.length;
  return Float32Array.from(quantized, (q, i) => q * scales[Math.floor(i / size)]);
}
