/** CRC-32 with a reflected polynomial, over the parts one after another. */
function crcFunction(polynomial: number): (...parts: Uint8Array[]) => number {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    table[i] = value;
  }
  return (...parts) => {
    let crc = 0xffffffff;
    for (const part of parts) for (const byte of part) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
    return (crc ^ 0xffffffff) >>> 0;
  };
}

/** CRC-32 of zip and PNG (ISO 3309). */
export const crc32 = crcFunction(0xedb88320);

/** CRC-32C, Castagnoli's (RFC 3720, appendix B.4): TFRecord files use it. */
export const crc32c = crcFunction(0x82f63b78);
