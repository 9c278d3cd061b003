import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { failure, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { type DataSource, type FileSet, fileSetStatus, loadFiles } from "./file-set.ts";

const contents: Record<string, Buffer> = { "a.bin": Buffer.from("first file"), "b.gz": Buffer.from("second file") };

function source(name: string, files: Record<string, Uint8Array> | Error, log: string[] = []): DataSource {
  return {
    name,
    async fetch() {
      log.push(name);
      if (files instanceof Error) throw files;
      return new Map(Object.entries(files));
    },
  };
}

const good = { "a.bin": contents["a.bin"], "b.gz": gzipSync(contents["b.gz"]) };

function tinySet(...sources: DataSource[]): FileSet {
  return {
    name: "tiny",
    title: "Tiny",
    folders: ["tiny", "Tiny/raw"],
    files: Object.entries(contents).map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      checksum: { algorithm: "sha1", hex: createHash("sha1").update(bytes).digest("hex") },
    })),
    sources,
  };
}

async function emptyCache(): Promise<string> {
  const folder = await temporaryFolder();
  setEnvironment({ ZOO_CACHE_DIR: join(folder, "cache"), ZOO_DATA_DIR: undefined });
  return join(folder, "cache");
}

async function put(folder: string, files: Record<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

const read = async (set: FileSet, options = {}) =>
  Object.fromEntries(
    [...(await loadFiles(set, options))].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]),
  );
const expected = { "a.bin": "first file", "b.gz": "second file" };

describe("loadFiles", () => {
  it("fetches once, then reads the cache", async () => {
    const cache = await emptyCache();
    const log: string[] = [];
    const set = tinySet(source("mirror", good, log));
    expect(await read(set)).toEqual(expected);
    expect(await read(set, { offline: true })).toEqual(expected);
    expect(log).toEqual(["mirror"]);
    expect((await readdir(join(cache, "tiny"))).sort()).toEqual(["SOURCE", "a.bin", "b.gz"]);
    expect(await fileSetStatus(set)).toMatchObject({ folder: join(cache, "tiny"), source: "mirror" });
  });

  it("goes to the next source when one fails, lies or lacks a file", async () => {
    await emptyCache();
    const log: string[] = [];
    const sources = [
      source("down", new Error("HTTP 503"), log),
      source("other", { ...good, "a.bin": Buffer.from("other data") }, log),
      source("half", { "a.bin": good["a.bin"] }, log),
      source("whole", { "a.bin": contents["a.bin"], "b.gz": contents["b.gz"] }, log),
    ];
    expect(await read(tinySet(...sources))).toEqual(expected);
    expect(log).toEqual(["down", "other", "half", "whole"]);
    // An unpacked file keeps an honest name.
    expect(await read(tinySet(), { offline: true })).toEqual(expected);
    expect(await readdir(join(process.env.ZOO_CACHE_DIR as string, "tiny"))).toContain("b");
  });

  it("lists in one line every source and why it failed, and what to do by hand", async () => {
    const cache = await emptyCache();
    const set = tinySet(
      source("https://one", new Error("getaddrinfo\n ENOTFOUND one")),
      source("npm x", new Error("no npm")),
    );
    const message = await failure(loadFiles(set));
    expect(message).toBe(
      `InputError: Tiny is not in the cache (${join(cache, "tiny")}) and could not be fetched: https://one: getaddrinfo ENOTFOUND one; npm x: no npm. Or put a.bin, b.gz into FOLDER/tiny and set ZOO_DATA_DIR=FOLDER`,
    );
    expect(await failure(loadFiles(set, { offline: true }))).toContain("downloads are switched off");
  });

  it.each([
    ["truncated", (bytes: Buffer) => bytes.subarray(0, 5)],
    ["bit-flipped", (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 3 ? byte ^ 4 : byte)))],
    ["empty", () => Buffer.alloc(0)],
  ])("fetches a %s file of the cache again, or names it with both checksums", async (_, damage) => {
    const cache = await emptyCache();
    await read(tinySet(source("mirror", good)));
    await writeFile(join(cache, "tiny", "a.bin"), damage(contents["a.bin"]));
    const { hex } = tinySet().files[0].checksum;
    for (let i = 0; i < 2; i++) {
      const message = await failure(loadFiles(tinySet(source("mirror", new Error("HTTP 404")))));
      expect(message).toMatch(
        new RegExp(
          `Tiny is damaged in the cache .*/tiny/a.bin is damaged: it has sha1 [0-9a-f]{40} .* instead of ${hex}; mirror: HTTP 404`,
        ),
      );
    }
    expect(await read(tinySet(source("mirror", good)))).toEqual(expected);
  });

  it("replaces a damaged packed file by an unpacked one", async () => {
    const cache = await emptyCache();
    await put(join(cache, "tiny"), { ...good, "b.gz": good["b.gz"].subarray(0, 8) });
    expect(await read(tinySet(source("unpacked", contents)))).toEqual(expected);
    expect(await read(tinySet(), { offline: true })).toEqual(expected);
  });

  it("prefers ZOO_DATA_DIR, in any of its layouts, and never writes there", async () => {
    const cache = await emptyCache();
    const data = await temporaryFolder();
    setEnvironment({ ZOO_DATA_DIR: data });
    await put(join(data, "Tiny/raw"), { "a.bin": contents["a.bin"], b: contents["b.gz"] });
    expect(await read(tinySet(source("mirror", new Error("not asked"))))).toEqual(expected);
    expect(await stat(cache).catch(() => "none")).toBe("none");
    expect(await fileSetStatus(tinySet())).toMatchObject({ source: "ZOO_DATA_DIR", bytes: 21 });
  });

  it("names a damaged file in ZOO_DATA_DIR, even when a source could give it", async () => {
    await emptyCache();
    const data = await temporaryFolder();
    setEnvironment({ ZOO_DATA_DIR: data });
    await put(join(data, "tiny"), { ...good, "b.gz": good["b.gz"].subarray(0, 10) });
    expect(await failure(loadFiles(tinySet(source("mirror", good))))).toMatch(
      /InputError: .*tiny\/b\.gz is no whole gzip file .*: put a whole one there, or delete it/,
    );
  });

  it("says what ZOO_DATA_DIR lacks when nothing else works", async () => {
    await emptyCache();
    const data = await temporaryFolder();
    setEnvironment({ ZOO_DATA_DIR: data });
    await put(join(data, "tiny"), { "a.bin": contents["a.bin"] });
    expect(await failure(loadFiles(tinySet()))).toContain(`${join(data, "tiny")} lacks b.gz`);
  });

  it("refuses a ZOO_DATA_DIR that is no folder", async () => {
    await emptyCache();
    setEnvironment({ ZOO_DATA_DIR: join(await temporaryFolder(), "none") });
    expect(await failure(loadFiles(tinySet()))).toMatch(/ZOO_DATA_DIR is .*none, which is no folder/);
  });

  it("says that the cache is not writable before it fetches", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    setEnvironment({ ZOO_CACHE_DIR: join(folder, "file", "cache"), ZOO_DATA_DIR: undefined });
    const log: string[] = [];
    expect(await failure(loadFiles(tinySet(source("mirror", good, log))))).toMatch(
      /InputError: cannot write to the cache folder .*\/file\/cache\/tiny \(ENOTDIR\): make it writable, or set ZOO_CACHE_DIR/,
    );
    expect(log).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("returns from a place where no folder can be made", async () => {
    setEnvironment({ ZOO_CACHE_DIR: "/proc/no/such", ZOO_DATA_DIR: undefined });
    expect(await failure(loadFiles(tinySet(source("mirror", good))))).toMatch(
      /cannot write to the cache folder \/proc/,
    );
  });

  it("fetched many times at once leaves a whole cache", async () => {
    const cache = await emptyCache();
    await Promise.all(Array.from({ length: 8 }, () => read(tinySet(source("mirror", good)))));
    expect((await readdir(join(cache, "tiny"))).sort()).toEqual(["SOURCE", "a.bin", "b.gz"]);
    expect(await readFile(join(cache, "tiny", "a.bin"), "utf8")).toBe("first file");
  });
});
