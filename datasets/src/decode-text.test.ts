import { describe, expect, it } from "vitest";
import { decodeText, linesOf } from "./decode-text.ts";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));

describe("decodeText", () => {
  it.each([
    "plain\n",
    "é ß Ω 漢字 🇩🇪 👩‍👩‍👧 ‏שלום‎ مرحبا",
    "e\u0301 combining, \u200d joiners",
    "\t\f\u001b[31m control \u0007\u0085",
    "lone\rreturn",
  ])("gives %j as it is", (text) => {
    expect(decodeText(bytes(text), "a.txt")).toBe(text);
  });

  it("takes the byte order mark off, and ends lines as Unix does", () => {
    expect(decodeText(bytes([0xef, 0xbb, 0xbf], "one\r\ntwo\r\n"), "a.txt")).toBe("one\ntwo\n");
  });

  it.each([
    ["nothing", bytes(), /^a.txt is empty/],
    ["UTF-16, little-endian", bytes([0xff, 0xfe, 0x41, 0]), /^a.txt is in UTF-16: save it as UTF-8/],
    ["UTF-16, big-endian", bytes([0xfe, 0xff, 0, 0x41]), /UTF-16/],
    ["NUL", bytes("one\ntwo", [0]), /^a.txt, line 2: byte 7 is NUL/],
    ["Latin-1", bytes("one\ncaf", [0xe9], "\n"), /^a.txt, line 2: byte 7 \(0xe9\) is not UTF-8/],
    ["Windows-1252", bytes([0x93], "quoted"), /line 1: byte 0 \(0x93\)/],
    ["an end within a character", bytes("漢", [0xe6, 0xbc]), /byte 3 \(0xe6\)/],
    ["an overlong form", bytes("a", [0xc0, 0xaf]), /byte 1 \(0xc0\)/],
    ["another overlong form", bytes("é", [0xe0, 0x80, 0xaf]), /byte 2 \(0xe0\)/],
    ["a surrogate", bytes("🇩", [0xed, 0xa0, 0x80]), /byte 4 \(0xed\)/],
    ["a number past Unicode's last", bytes([0xf4, 0x90, 0x80, 0x80]), /byte 0 \(0xf4\)/],
    ["a byte that begins nothing", bytes("a\n\n", [0xf8]), /line 3: byte 3 \(0xf8\)/],
  ])("says where %s is", (_, input, message) => {
    expect(() => decodeText(input, "a.txt")).toThrow(message);
    expect(() => decodeText(input, "a.txt")).toThrow(expect.objectContaining({ name: "InputError" }));
  });
});

describe("linesOf", () => {
  it("ends lines at \\n and nowhere else", () => {
    expect(linesOf("a\n\nb\u2028c\u0085d\n\n")).toEqual(["a", "", "b\u2028c\u0085d"]);
    expect(linesOf("")).toEqual([]);
  });
});
