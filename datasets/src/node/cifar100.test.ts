import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { failure, makeTar, serve, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { cifar100Files, loadCifar100 } from "./cifar100.ts";
import { download } from "./download.ts";
import type { FileSet } from "./file-set.ts";

const ARCHIVE = "cifar-100-binary.tar.gz";

/** Records: coarse label, fine label, planes. */
function records(count: number, fine: (image: number) => number): Buffer {
  const bytes = Buffer.alloc(count * 3074);
  for (let image = 0; image < count; image++) {
    bytes[image * 3074] = 19;
    bytes[image * 3074 + 1] = fine(image);
    for (let i = 0; i < 3072; i++) bytes[image * 3074 + 2 + i] = valueAt(image, i >> 10, i & 1023);
  }
  return bytes;
}
const valueAt = (image: number, channel: number, place: number) => (image * 50 + channel * 9 + place) & 255;

const archiveOf = (train: Buffer, test?: Buffer) =>
  gzipSync(
    makeTar([
      { path: "cifar-100-binary/train.bin", content: train },
      ...(test ? [{ path: "cifar-100-binary/test.bin", content: test }] : []),
    ]),
  );

const setOf = (archive: Buffer, sources: FileSet["sources"] = []): FileSet => ({
  ...cifar100Files,
  sources,
  files: cifar100Files.files.map((file) => ({
    ...file,
    checksum: { algorithm: "md5", hex: createHash("md5").update(archive).digest("hex") },
  })),
});

async function place(archive?: Buffer): Promise<string> {
  const folder = await temporaryFolder();
  setEnvironment({ ZOO_CACHE_DIR: join(folder, "cache"), ZOO_DATA_DIR: folder });
  await mkdir(join(folder, "cifar100"));
  if (archive) await writeFile(join(folder, "cifar100", ARCHIVE), archive);
  return folder;
}

describe("loadCifar100", () => {
  const archive = archiveOf(
    records(5, (image) => 99 - image),
    records(2, (image) => image),
  );

  it("reads the official archive: fine labels, pixels, names", async () => {
    await place(archive);
    const { train, test, classes, mean, std } = await loadCifar100({ offline: true }, setOf(archive));
    expect([train.count, test.count]).toEqual([5, 2]);
    expect([...train.labels]).toEqual([99, 98, 97, 96, 95]);
    const pixels = new Uint8Array(3072);
    train.read([3], pixels);
    expect([...pixels]).toEqual(Array.from(pixels, (_, i) => valueAt(3, i % 3, Math.floor(i / 3))));
    expect(classes).toHaveLength(100);
    expect([...classes].sort()).toEqual(classes);
    expect([classes[0], classes[47], classes[99]]).toEqual(["apple", "maple_tree", "worm"]);
    expect([mean.length, std.length]).toEqual([3, 3]);
  });

  it("keeps the archive in the cache once it is fetched", async () => {
    const folder = await place();
    const url = await serve((_, response) => response.end(archive));
    const source = {
      name: "here",
      fetch: async ({ workFolder }: { workFolder: string }) =>
        new Map([[ARCHIVE, await download({ url, folder: workFolder, name: ARCHIVE, limit: 1e6 })]]),
    };
    await loadCifar100({}, setOf(archive, [source]));
    expect((await readdir(join(folder, "cache", "cifar100"))).sort()).toEqual(["SOURCE", ARCHIVE].sort());
    expect((await loadCifar100({ offline: true }, setOf(archive))).train.count).toBe(5);
  });

  it("says in one line where to put it when it can't be had", async () => {
    await place();
    expect(await failure(loadCifar100({ offline: true }))).toMatch(
      /CIFAR-100 is not in the cache .*could not be fetched.* Or put cifar-100-binary\.tar\.gz into FOLDER\/cifar100 and set ZOO_DATA_DIR=FOLDER/,
    );
  });

  it.each<[string, Buffer, RegExp]>([
    ["lacks a file", archiveOf(records(1, () => 0)), /lacks cifar-100-binary\/test\.bin/],
    ["ends within a record", archiveOf(Buffer.alloc(3000), Buffer.alloc(0)), /train\.bin has 3000 bytes/],
    [
      "has an impossible label",
      archiveOf(
        records(2, () => 100),
        records(1, () => 0),
      ),
      /the label 100 of 100 classes/,
    ],
    ["is no archive", Buffer.from("<html>"), /no whole gzip file/],
  ])("refuses an archive that %s", async (_, bytes, says) => {
    await place(bytes);
    expect(await failure(loadCifar100({ offline: true }, setOf(bytes)))).toMatch(says);
  });

  it("refuses an archive of another checksum", async () => {
    await place(
      archiveOf(
        records(1, () => 0),
        records(1, () => 1),
      ),
    );
    expect(await failure(loadCifar100({}, setOf(archive)))).toMatch(/tar\.gz is damaged: it has md5 \w{32}/);
  });
});
