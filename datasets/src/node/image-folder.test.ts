import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../../test/support.ts";
import { loadImageFolder } from "./image-folder.ts";

async function picture(path: string, red: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await sharp({ create: { width: 12, height: 9, channels: 3, background: { r: red, g: 10, b: 20 } } })
    .png()
    .toFile(path);
}

async function folderOf(paths: Record<string, number>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, red] of Object.entries(paths)) await picture(join(folder, path), red);
  return folder;
}

/** Twenty pictures of each of two classes. */
const flat = () =>
  folderOf(Object.fromEntries([...Array(40).keys()].map((i) => [`${i % 2 ? "dog" : "cat"}/${i}.png`, i])));

async function reds(set: { count: number; read(i: number[], into: Uint8Array): void | Promise<void> }) {
  const into = new Uint8Array(set.count * 4 * 4 * 3);
  await set.read([...Array(set.count).keys()], into);
  return [...Array(set.count).keys()].map((i) => into[i * 48]);
}

const size = [4, 4, 3] as const;

describe("loadImageFolder", () => {
  it("reads train and test folders, classes sorted", async () => {
    const path = await folderOf({
      "train/b/1.png": 1,
      "train/a/2.PNG": 2,
      "train/b/3.png": 3,
      "test/b/4.png": 4,
      "test/a/5.png": 5,
    });
    await writeFile(join(path, "train", "a", "notes.txt"), "no picture");
    await writeFile(join(path, "train", ".DS_Store"), "");
    const dataset = await loadImageFolder(path, { size });
    expect(dataset.classes).toEqual(["a", "b"]);
    expect([...dataset.train.labels]).toEqual([0, 1, 1]);
    expect(await reds(dataset.train)).toEqual([2, 1, 3]);
    expect(await reds(dataset.test)).toEqual([5, 4]);
    expect([dataset.shape, dataset.mean.length]).toEqual([size, 3]);
  });

  it("splits a tenth of every class off by seed", async () => {
    const path = await flat();
    const split = async (seed: number) => {
      const { train, test } = await loadImageFolder(path, { size, seed });
      expect([train.count, test.count]).toEqual([36, 4]);
      expect([...test.labels]).toEqual([0, 0, 1, 1]);
      const [inTrain, inTest] = [await reds(train), await reds(test)];
      expect([...inTrain, ...inTest].sort((a, b) => a - b)).toEqual([...Array(40).keys()]);
      return inTest.join();
    };
    const zero = await split(0);
    expect(await split(0)).toBe(zero);
    expect(new Set([zero, await split(1), await split(2), await split(3)]).size).toBeGreaterThan(1);
  });

  it("gives the same pixels with and without room to keep them", async () => {
    const path = await flat();
    const kept = await loadImageFolder(path, { size });
    const room = await loadImageFolder(path, { size, memoryLimit: 5 * 48 });
    for (let i = 0; i < 2; i++) expect(await reds(room.train)).toEqual(await reds(kept.train));
  });

  it("follows links, and gives grey when asked", async () => {
    const path = await flat();
    const linked = await temporaryFolder();
    await symlink(join(path, "cat"), join(linked, "one"));
    await symlink(join(path, "dog"), join(linked, "two"));
    const dataset = await loadImageFolder(linked, { size: [4, 4, 1] });
    expect([dataset.train.count, dataset.mean.length, dataset.shape]).toEqual([36, 1, [4, 4, 1]]);
  });

  it("needs no classes for a network that makes pictures", async () => {
    const folder = await temporaryFolder();
    expect(await failure(loadImageFolder(folder, { unlabelled: true }))).toMatch(/has no pictures: put \.jpg/);
    for (let i = 0; i < 20; i++) await picture(join(folder, "cat", `${i}.png`), i);
    for (const path of [folder, join(folder, "cat")]) {
      const { classes, train, test } = await loadImageFolder(path, { size, unlabelled: true });
      expect([classes, train.count, test.count]).toEqual([["cat"], 18, 2]);
      expect((await reds(train)).length).toBe(18);
    }
    expect(await failure(loadImageFolder(join(folder, "cat")))).toMatch(/has no sub-folders: expected one a class/);
  });

  it("says what becomes of pictures of other sizes, and nothing where there are none", async () => {
    const path = await flat(); // of 12x9
    expect((await loadImageFolder(path, { size: [9, 12, 3] })).note).toBeUndefined();
    expect((await loadImageFolder(path, { size })).note).toBe(
      "pictures of 12x9: each is scaled to 4x4, and 40 of 40 are cropped around their centre",
    );
    const square = sharp({ create: { width: 24, height: 24, channels: 3, background: "white" } });
    await square.png().toFile(join(path, "cat", "square.png"));
    await square
      .jpeg()
      .withExif({ IFD0: { Orientation: "6" } })
      .toFile(join(path, "cat", "turned.jpg"));
    expect((await loadImageFolder(path, { size })).note).toBe(
      "pictures of 2 sizes, 12x9 to 24x24: each is scaled to 4x4, and 40 of 42 are cropped around their centre",
    );
  });

  it("says in a line what is wrong with a folder", async () => {
    const folder = await temporaryFolder();
    expect(await failure(loadImageFolder(join(folder, "none")))).toMatch(
      /InputError: the folder .*none does not exist/,
    );
    expect(await failure(loadImageFolder(folder))).toMatch(/has no sub-folders: expected one a class/);
    await picture(join(folder, "cat", "1.png"), 1);
    expect(await failure(loadImageFolder(folder))).toMatch(/has the one sub-folder "cat"/);
    expect(await failure(loadImageFolder(join(folder, "cat", "1.png")))).toMatch(/is a file: give a folder/);
    await mkdir(join(folder, "dog"));
    expect(await failure(loadImageFolder(folder))).toMatch(/class folder .*dog has no pictures/);
    await picture(join(folder, "dog", "1.png"), 1);
    expect(await failure(loadImageFolder(folder))).toMatch(/class folder .*cat has one picture/);
    expect(await failure(loadImageFolder(folder, { size: [4, 4, 2] as never }))).toMatch(/image size 4x4x2/);
  });

  it("names an unreadable picture before anything is trained, and a damaged one when it is read", async () => {
    const path = await flat();
    await writeFile(join(path, "cat", "text.jpg"), "hello");
    expect(await failure(loadImageFolder(path))).toMatch(/InputError: .*cat\/text\.jpg cannot be read as a picture/);
    const data = Buffer.from(Array.from({ length: 99 * 99 * 3 }, (_, i) => (i * i * 7919) % 251));
    const jpeg = await sharp(data, { raw: { width: 99, height: 99, channels: 3 } })
      .jpeg()
      .toBuffer();
    await writeFile(join(path, "cat", "text.jpg"), jpeg.subarray(0, jpeg.length >> 1));
    const { train, test } = await loadImageFolder(path, { size });
    const all = Promise.all([reds(train), reds(test)]);
    expect(await failure(all)).toMatch(/cat\/text\.jpg cannot be read as a picture/);
  });

  it("refuses a test class that training does not have", async () => {
    const path = await folderOf({ "train/a/1.png": 1, "train/b/2.png": 2, "test/c/3.png": 3 });
    expect(await failure(loadImageFolder(path))).toMatch(/test\/c is a class that .*train does not have/);
  });
});
