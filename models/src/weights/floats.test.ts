import { describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { fromFloat32, toFloat32 } from "./floats.ts";

const bits16 = (values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
const round = (value: number, dtype: "F16" | "BF16") =>
  new Uint16Array(fromFloat32(Float32Array.of(value), dtype).buffer)[0];
const widen = (bits: number, dtype: "F16" | "BF16") => toFloat32({ dtype, data: bits16([bits]) })[0];

describe.each(["F16", "BF16"] as const)("%s", (dtype) => {
  const all = Array.from({ length: 65536 }, (_, bits) => bits);

  it("gives every one of its 65,536 values back", () => {
    const values = toFloat32({ dtype, data: bits16(all) });
    const back = new Uint16Array(fromFloat32(values, dtype).buffer);
    for (const bits of all) {
      if (Number.isNaN(values[bits])) expect(Number.isNaN(widen(back[bits], dtype))).toBe(true);
      else expect(back[bits]).toBe(bits);
    }
  });

  it("rounds to the nearest, ties to even, between any two neighbours", () => {
    const largest = dtype === "F16" ? 0x7bff : 0x7f7f;
    for (let bits = 0; bits < largest; bits++) {
      const low = widen(bits, dtype);
      const high = widen(bits + 1, dtype);
      const middle = (low + high) / 2;
      if (Math.fround(middle) !== middle) continue; // halves of the smallest subnormals of float32 itself
      const even = bits % 2 === 0 ? bits : bits + 1;
      const [below, above] = [nextFloat(middle, -1), nextFloat(middle, 1)];
      const rounded = new Uint16Array(fromFloat32(Float32Array.of(middle, below, above, -middle), dtype).buffer);
      if (rounded[0] !== even || rounded[1] !== bits || rounded[2] !== bits + 1 || rounded[3] !== (even | 0x8000))
        expect({ bits, rounded: [...rounded] }).toEqual({ bits, rounded: [even, bits, bits + 1, even | 0x8000] });
    }
  });
});

/** The next float32 after x > 0 towards 0 (-1) or infinity (1). */
function nextFloat(x: number, step: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] += step;
  return new Float32Array(bits.buffer)[0];
}

it("knows the ends of each range", () => {
  expect(widen(0x7bff, "F16")).toBe(65504);
  expect(widen(0x0001, "F16")).toBe(2 ** -24);
  expect(widen(0x0400, "F16")).toBe(2 ** -14);
  expect(Object.is(widen(0x8000, "F16"), -0)).toBe(true);
  expect(round(65519.996, "F16")).toBe(0x7bff);
  expect(round(65520, "F16")).toBe(0x7c00);
  expect(round(-1e38, "F16")).toBe(0xfc00);
  expect(round(1e-45, "F16")).toBe(0);
  expect(round(2 ** -25, "F16")).toBe(0);
  expect(round(2 ** -25 * 1.5, "F16")).toBe(1);
  expect(round(-1e-10, "F16")).toBe(0x8000);
  expect(round(3.4e38, "BF16")).toBe(0x7f80);
  expect(Number.isNaN(widen(round(Number.NaN, "F16"), "F16"))).toBe(true);
  expect(Number.isNaN(widen(round(Number.NaN, "BF16"), "BF16"))).toBe(true);
});

it("reads views that begin at any byte", () => {
  const bytes = new Uint8Array(9);
  bytes.set(fromFloat32(Float32Array.of(1.25, -7), "F32"), 1);
  expect([...toFloat32({ dtype: "F32", data: bytes.subarray(1) })]).toEqual([1.25, -7]);
  const double = new Uint8Array(9);
  double.set(new Uint8Array(Float64Array.of(1 + 2 ** -24).buffer), 1);
  expect([...toFloat32({ dtype: "F64", data: double.subarray(1) })]).toEqual([1]);
});

it("copies, so that nothing that is done to the values reaches the file", () => {
  const data = fromFloat32(Float32Array.of(1), "F32");
  toFloat32({ dtype: "F32", data })[0] = 2;
  expect([...toFloat32({ dtype: "F32", data })]).toEqual([1]);
});

it("refuses integers", () => {
  expect(() => toFloat32({ dtype: "I64", data: new Uint8Array(8) })).toThrow(InputError);
});

describe("bytes as Node's readFile gives them", () => {
  it("are read as any others, though Buffer's slice is no copy", () => {
    const file = Buffer.concat([Buffer.alloc(3), Buffer.from(new Float32Array([1, -2, 3.5]).buffer), Buffer.alloc(9)]);
    const data = file.subarray(3, 15);
    expect([...toFloat32({ dtype: "F32", data })]).toEqual([1, -2, 3.5]);
  });
});
