import { createHash } from "node:crypto";

export interface Checksum {
  algorithm: "md5" | "sha1" | "sha256" | "sha512";
  /** In lower-case hexadecimal digits; the first eight will do, which PyTorch puts into the names of its files. */
  hex: string;
}

export function digest(bytes: Uint8Array, algorithm: Checksum["algorithm"]): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** What is wrong with `bytes`, as half a sentence, or undefined where the checksum is as expected. */
export function mismatch(bytes: Uint8Array, expected: Checksum): string | undefined {
  const received = digest(bytes, expected.algorithm);
  if (received.startsWith(expected.hex)) return undefined;
  return `has ${expected.algorithm} ${received} (${bytes.length} bytes) instead of ${expected.hex}`;
}
