import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toFloat32 } from "../floats.ts";
import { type Hdf5Group, isGroup, readHdf5 } from "./hdf5.ts";

const file = () => new Uint8Array(readFileSync(new URL("../fixtures/keras-net-2.h5", import.meta.url)));

const at = (group: Hdf5Group, path: string) =>
  path
    .split("/")
    .reduce<ReturnType<Hdf5Group["members"]["get"]>>(
      (found, name) => (isGroup(found) ? found.members.get(name) : undefined),
      group,
    );

/** Where a signature stands in a file. */
const places = (bytes: Uint8Array, signature: string): number[] =>
  [...Buffer.from(bytes).toString("latin1").matchAll(new RegExp(signature, "g"))].map(({ index }) => index);

describe("an HDF5 file", () => {
  it("has groups, texts and tensors, which are views into it", () => {
    const bytes = file();
    const root = readHdf5(bytes);
    expect(root.attributes.get("keras_version")).toBe("2.15.0");
    expect(root.attributes.get("layer_names")).toHaveLength(7);
    const kernel = at(root, "conv2d/conv2d/kernel:0");
    if (kernel === undefined || isGroup(kernel)) throw new Error("it is not there");
    expect(kernel).toMatchObject({ dtype: "F32", shape: [3, 3, 2, 3] });
    expect(kernel.data.buffer).toBe(bytes.buffer);
    expect(toFloat32(kernel).every(Number.isFinite)).toBe(true);
  });

  const changes: [string, (view: DataView, bytes: Uint8Array) => void, RegExp][] = [
    [
      "whose groups hold their own root",
      (view, bytes) => {
        const root = view.getBigUint64(64, true);
        for (const node of places(bytes, "SNOD")) {
          for (let i = 0; i < view.getUint16(node + 6, true); i++) view.setBigUint64(node + 8 + 40 * i + 8, root, true);
        }
      },
      /nested without end|refers to itself/,
    ],
    [
      "whose trees are their own branches",
      (view, bytes) => {
        for (const node of places(bytes, "TREE")) {
          view.setUint8(node + 5, 200);
          view.setUint16(node + 6, 65535, true);
          for (let i = 0; i < 3; i++) view.setBigUint64(node + 32 + 16 * i, BigInt(node), true);
        }
      },
      /no tree/,
    ],
    ["of another version", (view) => view.setUint8(8, 9), /version 9; expected 0 to 3/],
    ["of short addresses", (view) => view.setUint8(13, 4), /64 bits/],
    ["that begins far outside", (view) => view.setBigUint64(64, 2n ** 63n, true), /outside of it/],
  ];
  /** A group whose header continues at a block, as often as said; there its attribute is that many texts of one zero. */
  const ofTexts = (count: number, continuations: number): Uint8Array => {
    const number = (bytes: number, value: number | bigint) =>
      Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
    const ascii = (text: string) => [...Buffer.from(text, "latin1")];
    const [none, type] = [number(8, 2n ** 64n - 1n), [0x13, 0, 0, 0, ...number(4, 1)]];
    const space = [2, 1, 0, 0, ...number(8, count)];
    const attribute = [3, 0, 2, 0, type.length, 0, space.length, 0, 0, ...ascii("a\0"), ...type, ...space];
    const block = [...ascii("OCHK"), 0x0c, ...number(2, attribute.length), 0, ...attribute, 0, 0, 0, 0];
    const at = 48 + 10 + 20 * continuations + 4;
    const continuation = [0x10, 16, 0, 0, ...number(8, at), ...number(8, block.length)];
    const superblock = [0x89, ...ascii("HDF\r\n\x1a\n"), 2, 8, 8, 0, ...number(8, 0), ...none, ...number(8, 0)];
    return Uint8Array.from([
      ...superblock,
      ...number(8, 48),
      ...number(4, 0),
      ...ascii("OHDR"),
      2,
      2,
      ...number(4, 20 * continuations),
      ...Array.from({ length: continuations }, () => continuation).flat(),
      ...number(4, 0),
      ...block,
      ...Array.from({ length: count }, () => 0),
    ]);
  };

  it("may have attributes in a second block", () => {
    expect(readHdf5(ofTexts(3, 1)).attributes.get("a")).toEqual(["", "", ""]);
  });

  it("whose header comes to a block again, or that holds more empty texts than a file does, is refused", () => {
    expect(() => readHdf5(ofTexts(3, 2))).toThrow("refers to a part of it twice");
    expect(() => readHdf5(ofTexts(100_000, 1))).toThrow("refers to itself");
  });

  it.each(changes)("%s is refused at once", (_, change, says) => {
    const bytes = file();
    change(new DataView(bytes.buffer, bytes.byteOffset), bytes);
    expect(() => readHdf5(bytes)).toThrow(says);
  });
});
