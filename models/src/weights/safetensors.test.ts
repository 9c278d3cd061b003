import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { fromFloat32, toFloat32 } from "./floats.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "./safetensors.ts";

/** Written by the Python library: fixtures/make-reference.py. */
const reference = new Uint8Array(readFileSync(new URL("./fixtures/reference.safetensors", import.meta.url)));

function file(header: unknown, body = 0): Uint8Array {
  return fileOf(new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header)), body);
}

function fileOf(header: Uint8Array, body: number): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + body);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  return bytes;
}

function withLength(length: bigint): Uint8Array {
  const bytes = reference.slice();
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: "F32", shape, data_offsets });

function f32Tensor(values: number[]): SafeTensor {
  return { dtype: "F32", shape: [values.length], data: fromFloat32(Float32Array.from(values), "F32") };
}

describe("a file by the Python library", () => {
  const { tensors, metadata } = readSafetensors(reference);
  const values = (name: string) => [...toFloat32(tensors.get(name) as SafeTensor)];

  it("has the values that Python wrote", () => {
    expect(metadata).toEqual({ model: "reference" });
    expect(tensors.get("layer.0.weight")?.shape).toEqual([2, 3]);
    expect(values("layer.0.weight")).toEqual([1.5, -2.25, 3e-38, Infinity, -Infinity, 1e-45].map(Math.fround));
    expect(values("half")).toEqual([1, -0.333251953125, 65504, 2 ** -24, 1007 * 2 ** -24, Infinity]);
    expect(values("brain")).toEqual([1, -123.5, Infinity, 2 ** -133]);
    expect(values("double")).toEqual([Math.fround(0.1), -Infinity]);
    expect(values("empty")).toEqual([]);
    expect(tensors.get("empty")?.shape).toEqual([0, 3]);
    const tracked = tensors.get("layer.0.num_batches_tracked");
    expect(tracked).toMatchObject({ dtype: "I64", shape: [] });
    expect(new BigInt64Array((tracked as SafeTensor).data.slice().buffer)).toEqual(BigInt64Array.of(7n));
    expect([...(tensors.get("__proto__") as SafeTensor).data]).toEqual([1, 2, 255]);
    expect([...(tensors.get("größe") as SafeTensor).data]).toEqual([1, 0]);
    expect(tensors.size).toBe(8);
  });

  it("is written again with the same bytes, from any order", () => {
    expect(writeSafetensors([...tensors].reverse(), metadata)).toEqual(reference);
  });

  it("is not copied", () => {
    expect(tensors.get("half")?.data.buffer).toBe(reference.buffer);
  });
});

describe("writing", () => {
  it("keeps odd names, and metadata in a fixed order", () => {
    const names = ["10", "2", "__proto__", "constructor", "", "a\nb", '"', "\u2028"];
    const tensors = new Map(names.map((name, i) => [name, f32Tensor([i])]));
    const bytes = writeSafetensors(tensors, { b: "2", a: "1" });
    expect(writeSafetensors(new Map([...tensors].reverse()), { a: "1", b: "2" })).toEqual(bytes);
    const read = readSafetensors(bytes);
    expect(read.metadata).toEqual({ a: "1", b: "2" });
    for (const [name, { data }] of tensors) expect(read.tensors.get(name)?.data).toEqual(data);
  });

  it("writes a file without tensors", () => {
    expect(readSafetensors(writeSafetensors([]))).toEqual({ tensors: new Map(), metadata: {} });
  });

  it("refuses a tensor that is not as large as its shape, and reserved or repeated names", () => {
    expect(() => writeSafetensors([["a", { ...f32Tensor([1, 2]), shape: [3] }]])).toThrow(InputError);
    expect(() => writeSafetensors([["__metadata__", f32Tensor([1])]])).toThrow(InputError);
    expect(() =>
      writeSafetensors([
        ["a", f32Tensor([1])],
        ["a", f32Tensor([1])],
      ]),
    ).toThrow(InputError);
  });
});

describe("a lying file", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /has 0 bytes/],
    ["shorter than its length field", reference.subarray(0, 7), /has 7 bytes/],
    ["header past the end", withLength(BigInt(reference.length)), /claims a header of 633 bytes, but only 625 follow/],
    ["4 GB header", withLength(2n ** 32n + 8n), /claims a header of 4294967304 bytes/],
    ["header of 2^64 - 1 bytes", withLength(2n ** 64n - 1n), /above the format's limit/],
    ["header above the limit", withLength(100_000_001n), /above the format's limit of 100000000/],
    ["no header", withLength(0n), /not JSON/],
    ["cut header", file('{"a":'), /not JSON/],
    ["not UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 0), /not JSON/],
    ["a list", file([]), /not a JSON object/],
    ["null", file("null"), /not a JSON object/],
    ["a name twice", file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":1}'), /key "a" twice/],
    ["a field twice", file('{"a":{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}}'), /"dtype" twice/],
    ["entry no object", file({ a: 1 }), /entry for tensor "a" is not an object/],
    ["dtype unknown", file({ a: { ...f32([1], [0, 4]), dtype: "F5" } }, 4), /unknown dtype "F5"/],
    ["dtype of Object", file({ a: { ...f32([1], [0, 4]), dtype: "toString" } }, 4), /unknown dtype "toString"/],
    ["dtype missing", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /unknown dtype \(none\)/],
    ["shape missing", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), /shape \(none\)/],
    ["shape negative", file({ a: f32([-1], [0, 4]) }, 4), /shape \[-1\]/],
    ["shape fractional", file({ a: f32([0.5], [0, 2]) }, 2), /shape \[0.5\]/],
    ["shape too large", file({ a: f32([2 ** 30, 2 ** 30], [0, 4]) }, 4), /too large to exist/],
    ["shape too large, times 0", file({ a: f32([2 ** 50, 2 ** 50, 0], [0, 4]) }, 4), /has 4 bytes, but/],
    ["shape not the bytes", file({ a: f32([2], [0, 4]) }, 4), /has 4 bytes, but F32 of shape \[2\] takes 8/],
    ["offsets negative", file({ a: f32([1], [-4, 0]) }, 4), /offsets \[-4,0\]/],
    ["offsets reversed", file({ a: f32([1], [4, 0]) }, 4), /offsets \[4,0\]/],
    ["offsets fractional", file({ a: f32([1], [0.5, 4.5]) }, 8), /offsets \[0.5,4.5\]/],
    ["offsets huge", file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e400]}}', 4), /offsets \[0,null\]/],
    ["three offsets", file({ a: f32([1], [0, 4, 8]) }, 8), /offsets \[0,4,8\]/],
    ["past the end", file({ a: f32([2], [0, 8]) }, 4), /ends at byte 8 of the data, but there are only 4/],
    ["overlapping", file({ a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, 8), /"b" begins at byte 4, inside/],
    ["a hole", file({ a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, 12), /leaves a hole after byte 4/],
    ["a hole first", file({ a: f32([1], [4, 8]) }, 8), /leaves a hole after byte 0/],
    ["bytes left over", file({ a: f32([1], [0, 4]) }, 5), /take 4 bytes, but 5 follow/],
    ["metadata no object", file({ __metadata__: [] }), /__metadata__/],
    ["metadata of numbers", file({ __metadata__: { epoch: 1 } }), /__metadata__/],
  ];
  it.each(cases)("%s", (_, bytes, message) => {
    let error: unknown;
    try {
      readSafetensors(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("\n");
  });

  it("is read or refused with an InputError, whatever bytes are flipped or cut off", () => {
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let read = 0;
    for (let i = 0; i < 5000; i++) {
      const end = random(4) === 0 ? random(reference.length) : reference.length;
      const bytes = reference.slice(0, end);
      const flips = random(4);
      for (let k = 0; k < flips && end > 0; k++) bytes[random(end)] ^= 1 + random(255);
      try {
        readSafetensors(bytes);
        read++;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(4500);
  });

  it("is refused quickly when nested deeply", () => {
    expect(() => readSafetensors(file("[".repeat(1_000_000)))).toThrow(InputError);
    expect(() => readSafetensors(file("[".repeat(1_000_000) + "]".repeat(1_000_000)))).toThrow(InputError);
  });
});
