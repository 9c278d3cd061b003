import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { failure, serve, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { checkDatasetName } from "./datasets.ts";
import { documentDatasetNames, loadDocuments } from "./document-datasets.ts";
import type { FileSet } from "./file-set.ts";
import { labelledTextNames, loadLabelledTexts } from "./labelled-datasets.ts";
import { loadMulti30k, loadMulti30kDocuments, loadMulti30kLanguages, multi30kFiles } from "./multi30k.ts";
import { loadTatoeba, tatoebaFiles } from "./tatoeba.ts";
import { loadPairDataset, loadTextDataset, textDatasetNames } from "./text-datasets.ts";
import { loadTinyShakespeare, tinyShakespeareFiles } from "./tiny-shakespeare.ts";

/** A set whose files have other contents. */
function withContents(set: FileSet, contents: Record<string, string>): FileSet {
  return {
    ...set,
    files: set.files.map(({ name }) => ({
      name,
      checksum: { algorithm: "sha256", hex: createHash("sha256").update(contents[name]).digest("hex") },
      bytes: Buffer.byteLength(contents[name]),
    })),
  };
}

/** Puts files into a ZOO_DATA_DIR of their own. */
async function place(files: Record<string, Uint8Array | string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  setEnvironment({ ZOO_DATA_DIR: folder, ZOO_CACHE_DIR: join(folder, "cache") });
  return folder;
}

const offline = { offline: true };

describe("what is fetched", () => {
  it("tiny-shakespeare is nine tenths and one", async () => {
    const text = "To be, or not to be.\n".repeat(10);
    await place({ "tinyshakespeare/input.txt": text });
    const { name, train, validation } = await loadTinyShakespeare(
      offline,
      withContents(tinyShakespeareFiles, { "input.txt": text }),
    );
    expect([name, train + validation, train.length]).toEqual(["tiny-shakespeare", text, 189]);
  });

  it("tiny-shakespeare comes from its mirror", async () => {
    await place({});
    setEnvironment({ ZOO_DATA_DIR: undefined });
    const text = "To be, or not to be.\n".repeat(10);
    const base = await serve((_, response) => response.end(text));
    const set = withContents(tinyShakespeareFiles, { "input.txt": text });
    const [source] = tinyShakespeareFiles.sources;
    const fetched = globalThis.fetch;
    try {
      globalThis.fetch = (url, init) => fetched(String(url) === source.name ? base : url, init);
      expect((await loadTinyShakespeare({}, set)).train).toHaveLength(189);
    } finally {
      globalThis.fetch = fetched;
    }
    expect((await loadTinyShakespeare(offline, set)).train).toHaveLength(189);
  });

  it("Multi30k has six directions", async () => {
    const contents = Object.fromEntries(
      multi30kFiles.files.map(({ name }) => [name, `${name} one.\n ${name} two. \n`]),
    );
    const packed = Object.entries(contents).map(([name, text]) => [`multi30k/${name}`, gzipSync(text)]);
    await place(Object.fromEntries(packed));
    const set = withContents(multi30kFiles, contents);
    const { name, source, target, train, test } = await loadMulti30k(offline, set);
    expect([name, source, target]).toEqual(["multi30k", "de", "en"]);
    expect(train.source).toEqual(["train.de.gz one.", "train.de.gz two."]);
    expect(test.target).toEqual(["test_2016_flickr.en.gz one.", "test_2016_flickr.en.gz two."]);
    const turned = await loadMulti30k({ ...offline, direction: "en-fr" }, set);
    expect([turned.source, turned.target]).toEqual(["en", "fr"]);
    expect([turned.validation.source[0], turned.validation.target[0]]).toEqual(["val.en.gz one.", "val.fr.gz one."]);
    expect(await failure(loadMulti30k({ ...offline, direction: "de-de" }, set))).toBe(
      'InputError: multi30k has no direction "de-de": give one of de-en, de-fr, en-de, en-fr, fr-de, fr-en',
    );
  });

  it("Multi30k is documents too, a picture in three languages each, and sentences with their language", async () => {
    const lines = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name} ${i}.\n`).join("");
    const contents = Object.fromEntries(
      multi30kFiles.files.map(({ name }) => [name, lines(name.replace(".gz", ""), name.startsWith("train") ? 12 : 6)]),
    );
    const packed = Object.entries(contents).map(([name, text]) => [`multi30k/${name}`, gzipSync(text)]);
    await place(Object.fromEntries(packed));
    const set = withContents(multi30kFiles, contents);
    const documents = await loadMulti30kDocuments(offline, set);
    expect([documents.name, documents.train.length]).toEqual(["multi30k", 6]);
    expect(documents.train[0]).toEqual([
      ["train.de 0.", "train.en 0.", "train.fr 0."],
      ["train.de 6.", "train.en 6.", "train.fr 6."],
    ]);
    expect(documents.train[4][1]).toEqual(["train.fr 10.", "train.en 10.", "train.de 10."]);
    expect(documents.validation.map(([picture]) => picture[0])).toEqual(
      ["de 0", "en 1", "fr 2", "de 3", "fr 4", "en 5"].map((sentence) => `val.${sentence}.`),
    );
    const { name, classes, train, test } = await loadMulti30kLanguages(offline, set);
    expect([name, classes]).toEqual(["multi30k-languages", ["de", "en", "fr"]]);
    expect([train.texts.length, test.texts.length]).toEqual([36, 18]);
    expect([test.texts[7], classes[test.labels[7]]]).toEqual(["test_2016_flickr.en 1.", "en"]);
  });

  const sentences = Array.from({ length: 100 }, (_, i) => `Number ${i % 50}.\tNuméro ${i}.\tCC-BY 2.0`).join("\n");

  it.each(["fra-eng/fra.txt", "fra.txt"])("Tatoeba is unpacked from an archive with %s", async (path) => {
    const archive = zipSync({ [path]: Buffer.from(sentences), "__MACOSX/._fra.txt": Buffer.from("junk") });
    await place({ "fra-eng/fra-eng.zip": archive });
    const set = withContents(tatoebaFiles, { "fra.txt": sentences });
    const { source, target, train, validation, test } = await loadTatoeba(offline, set);
    expect([source, target]).toEqual(["en", "fr"]);
    expect(train.source.length + validation.source.length + test.source.length).toBe(100);
    expect(test.source[0]).toMatch(/^Number/);
    expect(test.target[0]).toMatch(/^Numéro/);
  });

  it.each(["en-fr", "fr-en"])("Tatoeba's parts share no sentence that is translated: %s", async (direction) => {
    // Each sentence of either language has two translations.
    const text = Array.from({ length: 100 }, (_, i) => `Number ${i >> 1}.\tNuméro ${i % 50}.`).join("\n");
    await place({ "fra-eng/fra-eng.zip": zipSync({ "fra.txt": Buffer.from(text) }) });
    const set = withContents(tatoebaFiles, { "fra.txt": text });
    const { source, train, validation, test } = await loadTatoeba({ ...offline, direction }, set);
    expect(source).toBe(direction.slice(0, 2));
    const distinct = [train, validation, test].map((part) => new Set(part.source));
    expect(distinct.reduce((sum, { size }) => sum + size, 0)).toBe(50);
  });

  it("says what is wrong with an archive", async () => {
    const set = withContents(tatoebaFiles, { "fra.txt": sentences });
    await place({ "tatoeba/fra-eng.zip": zipSync({ "other.txt": Buffer.from("x") }) });
    expect(await failure(loadTatoeba(offline, set))).toMatch(/fra-eng.zip cannot be used: the archive lacks fra.txt/);
    await place({ "tatoeba/fra-eng.zip": "no archive" });
    expect(await failure(loadTatoeba(offline, set))).toMatch(/fra-eng.zip cannot be used: /);
    await place({ "tatoeba/fra-eng.zip": zipSync({ "fra.txt": new Uint8Array(20e6) }) });
    expect(await failure(loadTatoeba(offline, set))).toMatch(/fra.txt unpacks to 20000000 bytes instead of/);
  });

  it.each([
    ...textDatasetNames.map((name) => [name, () => loadTextDataset(name, offline)] as const),
    ...["multi30k", "tatoeba"].map((name) => [name, () => loadPairDataset(name, offline)] as const),
    ...documentDatasetNames.map((name) => [`documents of ${name}`, () => loadDocuments(name, offline)] as const),
    ...labelledTextNames.map((name) => [name, () => loadLabelledTexts(name, offline)] as const),
  ])("says how to place %s by hand where nothing is cached and there is no network", async (_, load) => {
    await place({});
    setEnvironment({ ZOO_DATA_DIR: undefined });
    expect(await failure(load())).toMatch(
      /is not in the cache .* downloads are switched off\. Or put .* and set ZOO_DATA_DIR=FOLDER$/,
    );
  });
});

describe("names", () => {
  it.each([
    ["tiny-shakespear", 'unknown data set "tiny-shakespear": did you mean "tiny-shakespeare"? There are'],
    ["multi30k", "multi30k holds pairs of sentences, not running text: give one of tiny-shakespeare, text:PATH"],
    ["pairs:x", "pairs:x holds pairs of sentences, not running text"],
    ["text:", '"text:" names no file: give text:PATH'],
    ["constructor", 'unknown data set "constructor"'],
  ])("refuses %s where text is meant", async (name, message) => {
    expect(await failure(loadTextDataset(name))).toContain(`InputError: ${message}`);
  });

  it.each([
    ["multi-30k", 'unknown data set "multi-30k": did you mean "multi30k"? There are multi30k, tatoeba'],
    ["tiny-shakespeare", "tiny-shakespeare holds running text, not pairs of sentences: give one of multi30k"],
    ["pairs:", '"pairs:" names no file: give pairs:PATH'],
  ])("refuses %s where pairs are meant", async (name, message) => {
    expect(await failure(loadPairDataset(name))).toContain(`InputError: ${message}`);
  });

  it.each([
    ["tatoeba", "tatoeba holds no text to learn sentences from: did you mean"],
    ["text:", '"text:" names no file: give text:PATH'],
  ])("refuses %s where documents are meant", async (name, message) => {
    expect(await failure(loadDocuments(name))).toContain(`InputError: ${message}`);
  });

  it.each([
    ["multi30k", 'multi30k holds no labelled texts: did you mean "multi30k-languages"'],
    ["labels:", '"labels:" names no file: give labels:PATH'],
  ])("refuses %s where labelled texts are meant", async (name, message) => {
    expect(await failure(loadLabelledTexts(name))).toContain(`InputError: ${message}`);
  });

  it("are told from those of pictures", () => {
    for (const name of ["multi30k", "multi30k-languages"]) {
      expect(() => checkDatasetName(name)).toThrow(`${name} holds text, not pictures: give one of cifar10`);
    }
  });
});

describe("text:PATH", () => {
  it("is any text in UTF-8", async () => {
    const folder = await place({ "a b.txt": "Ünïcödé 😀\r\n".repeat(5) });
    const { name, train, validation } = await loadTextDataset(`text:${join(folder, "a b.txt")}`);
    expect(name).toBe(`text:${join(folder, "a b.txt")}`);
    expect(train + validation).toBe("Ünïcödé 😀\n".repeat(5));
  });

  it.each([
    ["empty.txt", /empty.txt is empty: expected text in UTF-8$/],
    ["latin.txt", /latin.txt, line 2: byte 13 \(0xe9\) is not UTF-8/],
    ["short.txt", /short.txt has 5 characters: at least 10 are needed$/],
    ["none.txt", /none.txt does not exist: give a text file in UTF-8$/],
    ["short.txt/in", /in does not exist/],
    [".", /is a folder: give a text file$/],
  ])("says what is wrong with %s", async (path, message) => {
    const latin = Buffer.concat([Buffer.from("first line\nca"), Buffer.of(0xe9)]);
    const folder = await place({ "empty.txt": "", "latin.txt": latin, "short.txt": "short" });
    expect(await failure(loadTextDataset(`text:${join(folder, path)}`))).toMatch(message);
  });
});

describe("labels:PATH", () => {
  const lines = Array.from({ length: 60 }, (_, i) => `text ${i % 40}\t${i % 2 ? "odd" : "even"}`).join("\n");

  it("has classes, and draws a twentieth to validate on and to test on", async () => {
    const folder = await place({ "a.tsv": lines });
    const path = `labels:${join(folder, "a.tsv")}`;
    const { name, classes, train, validation, test } = await loadLabelledTexts(path);
    expect([name, classes]).toEqual([path, ["even", "odd"]]);
    expect([train, validation, test].map(({ texts }) => texts.length)).toEqual([56, 2, 2]);
    for (const { texts, labels } of [train, validation, test]) {
      expect([...labels]).toEqual(texts.map((text) => Number(text.split(" ")[1]) % 2));
    }
  });

  it.each([
    ["no-tab.tsv", /no-tab.tsv, line 2 has no tab: expected a sentence, a tab and its label$/],
    ["one.tsv", /one.tsv has 1 different label\(s\): expected 2 to 1000/],
    ["none.tsv", /none.tsv does not exist/],
  ])("says what is wrong with %s", async (path, message) => {
    const folder = await place({ "no-tab.tsv": "a\tb\nno tab\n", "one.tsv": "a\tx\nb\tx\nc\tx\n" });
    expect(await failure(loadLabelledTexts(`labels:${join(folder, path)}`))).toMatch(message);
  });
});

describe("documents of text:PATH", () => {
  it("are of its first nine tenths, and held out of the rest", async () => {
    const folder = await place({ "a.txt": "A line of words.\n".repeat(400), "b.txt": "A line.\n".repeat(30) });
    const { train, validation } = await loadDocuments(`text:${join(folder, "a.txt")}`);
    expect([train, validation].map(([documents]) => documents.length)).toEqual([23, 3]);
    expect(await failure(loadDocuments(`text:${join(folder, "b.txt")}`))).toMatch(
      /the held-out part of text:.*b.txt has 3 sentences: more than 16 are needed/,
    );
  });
});

describe("pairs:PATH", () => {
  const lines = Array.from({ length: 60 }, (_, i) => `s${i % 40}\tt${i}`).join("\n");

  it("draws a twentieth to validate on and to test on, the same every time", async () => {
    const folder = await place({ "a.tsv": lines });
    const path = `pairs:${join(folder, "a.tsv")}`;
    const { name, source, target, train, validation, test } = await loadPairDataset(path, { direction: "de-en" });
    expect([name, source, target]).toEqual([path, "de", "en"]);
    expect([train, validation, test].map(({ source }) => source.length)).toEqual([54, 3, 3]);
    const all = [train, validation, test].flatMap(({ source, target }) => source.map((s, i) => `${s}\t${target[i]}`));
    expect(all.toSorted()).toEqual(lines.split("\n").toSorted());
    for (const part of [validation, test]) {
      for (const sentence of part.source) expect(train.source).not.toContain(sentence);
    }
    expect((await loadPairDataset(path)).test).toEqual(test);
    expect((await loadPairDataset(path, { seed: 1 })).test).not.toEqual(test);
  });

  it("may be two files of as many lines", async () => {
    const folder = await place({ "a.de": "eins\nzwei\ndrei\n", "a.en": "one\ntwo\nthree\n", "b.en": "one\ntwo\n" });
    const pairs = (b: string) => `pairs:${join(folder, "a.de")},${join(folder, b)}`;
    const { train, validation, test } = await loadPairDataset(pairs("a.en"));
    expect([train, validation, test].flatMap(({ target }) => target).toSorted()).toEqual(["one", "three", "two"]);
    expect(await failure(loadPairDataset(pairs("b.en")))).toMatch(
      /a.de has 3 lines and .*b.en 2: expected as many, each the translation of the other's$/,
    );
    expect(await failure(loadPairDataset(pairs("c.en")))).toMatch(/c.en does not exist/);
  });

  it.each([
    ["no-tab.tsv", /no-tab.tsv, line 2 has no tab: expected a sentence, a tab and its translation$/],
    ["few.tsv", /few.tsv has 1 different first sentences: too few to train, validate and test on/],
    ["binary.tsv", /binary.tsv, line 1: byte 1 is NUL/],
  ])("says what is wrong with %s", async (path, message) => {
    const few = "same\tone\nsame\ttwo\nsame\tthree\n";
    const folder = await place({ "no-tab.tsv": "a\tb\nno tab\n", "few.tsv": few, "binary.tsv": "a\0b" });
    expect(await failure(loadPairDataset(`pairs:${join(folder, path)}`))).toMatch(message);
  });

  it("wants a direction of two names", async () => {
    expect(await failure(loadPairDataset("pairs:x", { direction: "de to en" }))).toMatch(
      /"de to en" is not like de-en/,
    );
  });
});
