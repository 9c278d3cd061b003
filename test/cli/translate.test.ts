import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zoo } from "./zoo.ts";

/** What is said twice in one language is said in capitals in the other. */
const words = ["dog", "cat", "sun", "sea", "tree", "bird", "rain", "snow"];
const lines = words.flatMap((a) =>
  words.flatMap((b) => words.map((c) => `${a} ${b} ${c}\t${`${a} ${b} ${c}`.toUpperCase()}`)),
);

let folder: string;
let run: string;
let trained: { bleu: number; loss: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-translate-"));
  await writeFile(join(folder, "pairs.tsv"), `${lines.join("\n")}\n`);
  run = join(folder, "run");
  const flags = "--epochs 2 --batch-size 64 --vocabulary 300 --average-last 2 --seed 3 --json".split(" ");
  const ended = await zoo([
    "train",
    "transformer-small",
    "--dataset",
    `pairs:${join(folder, "pairs.tsv")}`,
    "--run",
    run,
    ...flags,
  ]);
  expect(ended.code, ended.stderr).toBe(0);
  trained = JSON.parse(ended.stdout);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a translator", () => {
  it("is measured by eval as train measured it, and its run holds what it wrote", async () => {
    const { code, stdout, stderr } = await zoo(["eval", run, "--json"]);
    expect(code, stderr).toBe(0);
    const { bleu, loss, sentences } = JSON.parse(stdout);
    expect(loss).toBeCloseTo(trained.loss, 4);
    expect(bleu).toBeCloseTo(trained.bleu, 4);
    const written = (await readFile(join(run, "translations.txt"), "utf8")).replace(/\n$/, "").split("\n");
    expect(written).toHaveLength(sentences);
  });

  it("translates several sentences, and says several translations of each", async () => {
    const ended = await zoo([
      "translate",
      "dog cat",
      "snow",
      "--weights",
      run,
      "--best",
      "2",
      "--beams",
      "3",
      "--json",
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const said = JSON.parse(ended.stdout) as { sentence: string; by: { translations: { text: string }[] }[] }[];
    expect(said.map(({ sentence }) => sentence)).toEqual(["dog cat", "snow"]);
    for (const { by } of said) expect(by[0].translations).toHaveLength(2);
  });

  it("that is published answers a sentence of its language, and is not asked by name", async () => {
    const ended = await zoo(["translate", "Ein Hund rennt im Schnee.", "A dog runs in the snow.", "--json"]);
    expect(ended.code, ended.stderr).toBe(0);
    const said = JSON.parse(ended.stdout) as { by: { direction: string; translations: { text: string }[] }[] }[];
    const best = said.map(({ by }) => by.map(({ direction, translations }) => [direction, translations[0].text]));
    expect(best).toEqual([
      // Two were trained for it, which answer side by side.
      [
        ["de-en", expect.stringMatching(/dog.*snow/)],
        ["de-en", expect.stringMatching(/dog.*snow/)],
      ],
      [["en-de", expect.stringMatching(/Hund.*Schnee/)]],
    ]);
  });

  it("reads whatever is written: other scripts, emoji, control characters", async () => {
    const sentences = ["Ein Hund läuft.", "犬が走る", "كلب يركض", "🐕‍🦺💨", "a\u0007b\tc"];
    const ended = await zoo(["translate", ...sentences, "--weights", run, "--beams", "1", "--json"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toHaveLength(sentences.length);
  });

  it.each([
    [["translate", " ", "--weights", "RUN"], 1, /sentence 1 is empty/],
    [
      ["translate", "word ".repeat(10_000), "--weights", "RUN"],
      1,
      /sentence 1 has \d+ tokens; a sentence has 512 at most/,
    ],
    [["translate", "x", "--weights", "RUN", "--beams", "0"], 2, /--beams got "0"/],
    [["translate", "x", "--weights", "RUN", "--best", "9"], 2, /--best got "9"; expected a whole number from 1 to 5/],
    [["translate", "x", "--weights", "resnet20.cifar10"], 1, /resnet20 does not translate/],
    [["generate", "RUN"], 1, /transformer-small is no language model/],
    [["train", "transformer-small", "--context", "9"], 2, /--context means nothing to transformer-small/],
    [["train", "transformer-small", "--dataset", "tiny-shakespeare"], 2, /tiny-shakespeare/],
    [["train", "transformer-small", "--vocabulary", "12"], 2, /--vocabulary got "12"/],
    [["train", "seq2seq", "--tokenizer", "characters"], 2, /--tokenizer got "characters"/],
    [
      [
        "train",
        "transformer-small",
        "--dataset",
        "PAIRS",
        "--vocabulary",
        "300",
        "--accumulate",
        "99",
        "--runs",
        "RUNS",
      ],
      1,
      /--batch-size 128 x --accumulate 99 is more than the \d+ training pairs of pairs:.*, \d+ batches: lower one/,
    ],
    [["train", "gpt", "--direction", "de-en"], 2, /--direction means nothing to gpt/],
  ] as [string[], number, RegExp][])("%j is refused in one line", async (line, code, says) => {
    const named: { [word: string]: string } = {
      RUN: run,
      RUNS: join(folder, "runs"),
      PAIRS: `pairs:${join(folder, "pairs.tsv")}`,
    };
    const ended = await zoo(line.map((word) => named[word] ?? word));
    const errors = ended.stderr.split("\n").filter((text) => text.startsWith("error:"));
    expect(errors, ended.stderr).toHaveLength(1);
    expect(errors[0]).toMatch(says);
    expect(ended.code).toBe(code);
  });
});
