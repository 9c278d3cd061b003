import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTranslator } from "@tfjs-zoo/models";
import { trainBpe } from "@tfjs-zoo/models/text";
import { saveTokenizer, saveTranslator, startBackend } from "@tfjs-zoo/training/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killedAfter, zoo } from "./zoo.ts";

const words = ["dog", "cat", "sun", "sea", "tree", "bird", "rain", "snow"];
const rows = words.flatMap((a) => words.flatMap((b) => words.map((c) => [`The ${a} sees a ${b}.`, `The ${c}.`])));
const lines = (row: (pair: string[], i: number) => string) => `${rows.map(row).join("\n")}\n`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-changed-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a run whose file has changed since it began", () => {
  it.each([
    ["gpt", "text", lines(([a, b]) => `${a} ${b}`), "One more.\n", "--context 16"],
    ["t5-pocket", "text", lines(([a, b]) => `${a} ${b}`), "One more.\n", "--context 16 --vocabulary 400"],
    ["bert-4x128", "text", lines(([a, b]) => `${a} ${b}`), "One more.\n", "--context 24 --vocabulary 120"],
    // The same texts, and another label of the first.
    ["bert-4x128", "labels", labelled(), undefined, "--context 24 --vocabulary 120"],
    ["transformer-small", "pairs", lines(([a, b], i) => `${a} ${i}\t${b} ${i}`), "One\tmore\n", "--vocabulary 400"],
  ])("of %s, %s:, says so when it goes on", async (model, kind, content, more, flags) => {
    const file = join(folder, `${model}.${kind}`);
    const run = join(folder, `${model}-${kind}`);
    await writeFile(file, content);
    const started = /, seed 0: /;
    const training = ["train", model, "--dataset", `${kind}:${file}`, "--run", run, ...flags.split(" ")];
    const begun = await zoo(training, killedAfter(started));
    expect(begun.signal, begun.stderr).toBe("SIGKILL");
    if (more !== undefined) await appendFile(file, more);
    else await writeFile(file, content.replace("\tA", "\tB"));
    const resumed = await zoo(["train", "--resume", run], killedAfter(started));
    expect(resumed.stderr).toMatch(/began otherwise: data: \w+ before, \w+ now/);
  });

  it("as do the weights that a translator began from, is refused", async () => {
    await startBackend("cpu");
    const tokenizer = trainBpe(rows.flat(), 300, { specialTokens: ["<pad>", "<s>", "</s>"], addPrefixSpace: true });
    const { vocabularySize: vocabulary } = tokenizer;
    const save = async (path: string, seed: number) => {
      const sizes = { sourceVocabulary: vocabulary, targetVocabulary: vocabulary, seed };
      const translator = findTranslator("transformer-small").build(sizes);
      const info = { model: "transformer-small", dataset: "pairs", direction: "source-target", vocabulary };
      await saveTranslator(path, translator, info);
      translator.dispose();
    };
    await mkdir(join(folder, "init"));
    const [init, other, file] = ["init/weights.safetensors", "other.safetensors", "init.tsv"].map((name) =>
      join(folder, name),
    );
    await save(init, 0);
    await save(other, 1);
    await saveTokenizer(join(folder, "init", "tokenizer.json"), tokenizer);
    await writeFile(
      file,
      lines(([a, b], i) => `${a} ${i}\t${b} ${i}`),
    );
    const run = join(folder, "from-init");
    const begun = await zoo(
      ["train", "transformer-small", "--dataset", `pairs:${file}`, "--run", run, "--init", init],
      killedAfter(/begins from /),
    );
    expect(begun.signal, begun.stderr).toBe("SIGKILL");
    const { init: saved } = JSON.parse(await readFile(join(run, "config.json"), "utf8"));
    expect(saved).toEqual({ name: init, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await copyFile(other, init);
    const resumed = await zoo(["train", "--resume", run]);
    expect(resumed.stderr).toMatch(/error: .*init\/weights\.safetensors has changed since the run was begun with it/);
    expect(resumed.code).toBe(1);
  });
});

/** Every text once, with one of two labels. */
function labelled(): string {
  const texts = words.flatMap((a) => words.map((b) => `The ${a} sees a ${b}.`));
  return `${texts.map((text, i) => `${text}\t${i % 2 === 0 ? "A" : "B"}`).join("\n")}\n`;
}
