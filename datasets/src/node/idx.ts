import { InputError } from "../errors.ts";

/**
 * Reads the idx format of MNIST, unsigned bytes only: two zero bytes, the type (8), the number of dimensions, each
 * dimension as a big-endian 32-bit number, then the values.
 *
 * @param name of the file, for messages
 * @returns the dimensions and a view of the values
 * @throws InputError where the header is not one, or disagrees with the file's length
 */
export function parseIdx(bytes: Uint8Array, name: string): { dimensions: number[]; values: Uint8Array } {
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || !(rank >= 1) || bytes.length < start) {
    throw new InputError(`${name} is no idx file of bytes: delete it and fetch it again`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dimensions.reduce((product, n) => product * n, 1);
  if (size !== bytes.length - start) {
    throw new InputError(
      `${name} says that it holds ${dimensions.join("x")} = ${size} bytes, but ${bytes.length - start} follow: delete it and fetch it again`,
    );
  }
  return { dimensions, values: bytes.subarray(start) };
}
