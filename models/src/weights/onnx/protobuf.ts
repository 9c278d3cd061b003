/** Protocol Buffers as bytes: the parts of the encoding that ONNX needs (protobuf.dev, "Encoding"). */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** One message under construction. Fields stand in the order of the calls; what is large is kept, not copied. */
export class Message {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  /** int32, int64, enum, of at most 53 bits; a list is a repeated field. */
  int(field: number, value: number | readonly number[]): this {
    for (const each of [value].flat()) this.tag(field, VARINT).add(varint(BigInt.asUintN(64, BigInt(each))));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.tag(field, FIXED32).add(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.tag(field, LENGTH_DELIMITED)
      .add(varint(BigInt(value.length)))
      .add(value);
  }

  text(field: number, value: string | readonly string[]): this {
    for (const each of [value].flat()) this.bytes(field, new TextEncoder().encode(each));
    return this;
  }

  message(field: number, value: Message | readonly Message[]): this {
    for (const each of [value].flat()) {
      this.tag(field, LENGTH_DELIMITED).add(varint(BigInt(each.length)));
      for (const chunk of each.chunks) this.add(chunk);
    }
    return this;
  }

  /** The bytes of the whole message. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  private tag(field: number, wireType: number): this {
    return this.add(varint(BigInt(field * 8 + wireType)));
  }

  private add(bytes: Uint8Array): this {
    this.chunks.push(bytes);
    this.length += bytes.length;
    return this;
  }
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
