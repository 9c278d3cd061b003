import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { makeTar } from "../../test/support.ts";
import { readTar, ungzip } from "./tar.ts";

const content = Buffer.from("hello");
const good = makeTar([
  { path: "./a/one.txt", content },
  { path: "a", content: new Uint8Array(), type: "5" },
  { path: "b.bin", content: new Uint8Array(1024).fill(9) },
]);

describe("readTar", () => {
  it("gives the regular files", () => {
    const files = readTar(good, "x.tar");
    expect([...files.keys()]).toEqual(["a/one.txt", "b.bin"]);
    expect(Buffer.from(files.get("a/one.txt") as Uint8Array).toString()).toBe("hello");
    expect(files.get("b.bin")?.length).toBe(1024);
  });

  it("knows pax and GNU long names", () => {
    const long = `${"d/".repeat(80)}file`;
    const record = ` path=${long}\n`;
    const length = record.length + 3;
    const pax = makeTar([
      { path: "pax", content: Buffer.from(`${length}${record}`), type: "x" },
      { path: "short", content },
    ]);
    const gnu = makeTar([
      { path: "././@LongLink", content: Buffer.from(`${long}\0`), type: "L" },
      { path: "short", content },
    ]);
    expect([...readTar(pax, "x").keys()]).toEqual([long]);
    expect([...readTar(gnu, "x").keys()]).toEqual([long]);
  });

  it.each(["../out", "a/../../out", "/etc/passwd", "..\\out", "C:\\out"])("refuses the path %s", (path) => {
    expect(() => readTar(makeTar([{ path, content }]), "x.tar")).toThrow(/^x\.tar holds the path .* leaves its folder/);
  });

  it("refuses a path that escapes by a long name", () => {
    const archive = makeTar([
      { path: "l", content: Buffer.from("../../out\0"), type: "L" },
      { path: "short", content },
    ]);
    expect(() => readTar(archive, "x.tar")).toThrow("leaves its folder");
  });

  it("refuses sizes past the end, damaged headers and truncation", () => {
    expect(() => readTar(makeTar([{ path: "a", content, size: 1e6 }]), "x.tar")).toThrow("lies about the size");
    const damaged = Buffer.from(good);
    damaged[3] ^= 1;
    expect(() => readTar(damaged, "x.tar")).toThrow("damaged at byte 0");
    expect(() => readTar(good.subarray(0, 1024), "x.tar")).toThrow("lacks the end");
    expect(() => readTar(Buffer.from("<html>".repeat(200)), "x.tar")).toThrow("is no tar archive");
  });
});

describe("ungzip", () => {
  it("unpacks, and refuses damage and bombs in a line", async () => {
    const packed = gzipSync(Buffer.alloc(100_000));
    expect((await ungzip(packed, "x.gz", 100_000)).length).toBe(100_000);
    await expect(ungzip(packed, "x.gz", 1000)).rejects.toThrow(
      "x.gz is no whole gzip file (holds more than 1000 bytes)",
    );
    await expect(ungzip(packed.subarray(0, 50), "x.gz", 1e6)).rejects.toThrow("x.gz is no whole gzip file");
    await expect(ungzip(Buffer.from("text"), "x.gz", 1e6)).rejects.toThrow("x.gz is no whole gzip file");
  });
});
