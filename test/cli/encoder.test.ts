import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bert } from "@tfjs-zoo/models";
import { readSafetensors, saveWeights, writeSafetensors } from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, zoo } from "./zoo.ts";

const animals = ["cat", "dog", "bird", "fish", "horse"];
const verbs = ["sleeps", "runs", "sings", "eats"];
/** Two kinds of sentences, of which a document has one. */
const sentence = (i: number) =>
  Math.floor(i / 16) % 2 === 0
    ? `The ${animals[i % 5]} ${verbs[(i >> 1) % 4]} here.`
    : `Number ${i % 7} and number ${(i + 1) % 7}.`;
const text = Array.from({ length: 480 }, (_, i) => sentence(i)).join("\n");
/** Each text once, so that none is in two parts. */
const labels = [
  ...animals.flatMap((a) => verbs.flatMap((verb) => animals.map((b) => `The ${a} and the ${b} ${verb}.\tanimal`))),
  ...Array.from({ length: 100 }, (_, i) => `Number ${i % 10} and number ${Math.floor(i / 10)}.\tnumber`),
].join("\n");

let folder: string;
const path = (name: string) => join(folder, name);
const training =
  "--epochs 2 --batch-size 16 --dropout 0.1 --ema 0.9 --seed 5 --checkpoint-every 3 --backend wasm".split(" ");
const sizes = "--context 24 --vocabulary 120".split(" ");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-encoder-"));
  await writeFile(path("text.txt"), text);
  await writeFile(path("labels.tsv"), labels);
  await writeFile(path("empty.txt"), "");
  await writeFile(path("short.txt"), "A sentence. And another one.\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pretrain = (run: string, options: Parameters<typeof zoo>[1] = {}): Promise<Ended> =>
  zoo(
    ["train", "bert-4x128", "--dataset", `text:${path("text.txt")}`, "--run", path(run), ...training, ...sizes],
    options,
  );

/** The JSON document that a command prints. */
async function json(...line: string[]) {
  const { code, stdout, stderr } = await zoo([...line, "--json", "--backend", "wasm"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const hashOf = async (run: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(join(path(run), "weights.safetensors")))
    .digest("hex");

/** Stops a run as soon as it has a checkpoint. */
const stopAtCheckpoint = (run: string): Parameters<typeof zoo>[1] => ({
  onStart: (child) => {
    const timer = setInterval(() => {
      if (!existsSync(join(path(run), "checkpoints", "last.safetensors"))) return;
      clearInterval(timer);
      child.kill("SIGKILL");
    }, 20);
    child.on("exit", () => clearInterval(timer));
  },
});

describe("a BERT", () => {
  beforeAll(async () => {
    const ended = await pretrain("run");
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/begins from scratch: there is no --init/);
  });

  it("learns from text alone, and eval measures what train measured", async () => {
    const { words, next } = JSON.parse(await readFile(join(path("run"), "result.json"), "utf8"));
    expect(words.loss).toBeLessThan(Math.log(60));
    expect(words.count).toBeGreaterThan(20);
    const again = await json("eval", path("run"));
    expect(again.words.loss).toBeCloseTo(words.loss, 4);
    expect(again.next.loss).toBeCloseTo(next.loss, 4);
    expect(again.next.count).toBe(next.count);
  });

  it("that was killed goes on to the same weights", async () => {
    const killed = await pretrain("killed", stopAtCheckpoint("killed"));
    // It may have been faster than the signal.
    if (killed.code !== 0) {
      expect(killed.signal).toBe("SIGKILL");
      const resumed = await zoo(["train", "--resume", path("killed")]);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stderr).toMatch(/goes on in epoch/);
    }
    expect(await hashOf("killed")).toBe(await hashOf("run"));
  });

  it("fills in words", async () => {
    const [{ text: said, masks }] = await json(
      ...["predict", "The [MASK] runs [MASK].", "--weights", path("run"), "--top", "3"],
    );
    expect(said).toBe("The [MASK] runs [MASK].");
    expect(masks.map((words: unknown[]) => words.length)).toEqual([3, 3]);
    for (const words of masks) expect(words[0].probability).toBeGreaterThanOrEqual(words[1].probability);
  });

  describe("with a layer for classes", () => {
    const finetune = (run: string, flags: string[], options: Parameters<typeof zoo>[1] = {}) =>
      zoo(
        ["train", "bert-4x128", "--dataset", `labels:${path("labels.tsv")}`, "--run", path(run), ...training, ...flags],
        options,
      );
    const flags = () => ["--init", path("run"), "--learning-rate", "1e-3"];

    beforeAll(async () => {
      const ended = await finetune("classes", flags());
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(
        /begins from .*run: 71 tensors are its own; fresh: classifier.weight, classifier.bias/,
      );
      expect(ended.stderr).toMatch(/2 classes, recipe fine-tune/);
    });

    it("tells texts apart, and eval measures what train measured", async () => {
      const result = JSON.parse(await readFile(join(path("classes"), "result.json"), "utf8"));
      expect(result.testTexts).toBe(10);
      expect(result.accuracy).toBeGreaterThan(0.8);
      const { accuracy, loss } = await json("eval", path("classes"));
      expect(accuracy).toBe(result.accuracy);
      expect(loss).toBeCloseTo(result.loss, 4);
      const [{ predictions }, { predictions: other }] = await json(
        ...["predict", "The cat and the dog run.", "Number 3 and number 4.", "--weights", path("classes")],
      );
      expect([predictions[0].class, other[0].class]).toEqual(["animal", "number"]);
      expect(predictions[0].probability + predictions[1].probability).toBeCloseTo(1, 4);
    });

    it("that was killed goes on to the same weights", async () => {
      const killed = await finetune("killed-classes", flags(), stopAtCheckpoint("killed-classes"));
      if (killed.code !== 0) {
        const resumed = await zoo(["train", "--resume", path("killed-classes")]);
        expect(resumed.code, resumed.stderr).toBe(0);
      }
      expect(await hashOf("killed-classes")).toBe(await hashOf("classes"));
    });

    it("may begin from nothing", async () => {
      const ended = await finetune("scratch", [...sizes, "--epochs", "1"]);
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(/begins from scratch: there is no --init/);
    });

    it.each<[string, string[], number, RegExp]>([
      ["an empty text", ["predict", " ", "--weights", "classes"], 1, /text 1 is empty/],
      [
        "a text that is too long",
        ["predict", "cat ".repeat(23), "--weights", "classes"],
        1,
        /text 1 has 25 tokens with \[CLS\] and \[SEP\], and bert-4x128 here knows 24 places/,
      ],
      ["no word to fill in", ["predict", "A cat.", "--weights", "run"], 1, /text 1 has no \[MASK\]/],
      [
        "labels that the weights do not know",
        ["eval", "classes", "--dataset", "multi30k-language"],
        1,
        /multi30k-language holds no labelled texts: did you mean "multi30k-languages"/,
      ],
      ["several weights", ["eval", "classes", "classes"], 2, /makes no ensemble/],
      ["weights that write nothing", ["generate", "run"], 1, /bert-4x128 is no language model/],
      [
        "a vocabulary beside weights that have one",
        ["train", "bert-4x128", "--dataset", "labels", "--init", "run", "--vocabulary", "99"],
        2,
        /--vocabulary is that of --init .*run, \d+: leave it out/,
      ],
      [
        "weights of another network",
        ["train", "bert-base-uncased", "--dataset", "labels", "--init", "run"],
        2,
        /--init .*run has weights of bert-4x128, not of bert-base-uncased/,
      ],
      [
        "weights to begin from that are no BERT's",
        ["train", "bert-4x128", "--init", "resnet20.cifar10"],
        1,
        /resnet20 is no text encoder/,
      ],
      ["a text of no bytes", ["train", "bert-4x128", "--dataset", "empty"], 1, /empty.txt is empty/],
      ["a text of two sentences", ["train", "bert-4x128", "--dataset", "short"], 1, /2 sentences: more than 16/],
    ])("refuses %s in one line", async (_, line, code, says) => {
      const named: { [word: string]: string } = {
        run: path("run"),
        classes: path("classes"),
        labels: `labels:${path("labels.tsv")}`,
        empty: `text:${path("empty.txt")}`,
        short: `text:${path("short.txt")}`,
      };
      const runs = line[0] === "train" ? ["--runs", path("runs")] : [];
      const ended = await zoo([...line.map((word) => named[word] ?? word), ...runs]);
      const errors = ended.stderr.split("\n").filter((each) => each.startsWith("error:"));
      expect(errors, ended.stderr).toHaveLength(1);
      expect(errors[0]).toMatch(says);
      expect(ended.code).toBe(code);
      expect(existsSync(path("runs"))).toBe(false);
    });
  });

  it("comes from a file of the hub with its old names, and the vocabulary beside it", async () => {
    await startBackend("cpu");
    for (const each of ["hub", "mine"]) await mkdir(path(each));
    const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "##s", "run", "."];
    const network = bert({ vocabulary: 10, context: 128, dim: 128, depth: 4, heads: 4, seed: 1 });
    const { tensors } = readSafetensors(await saveWeights(network.pretrain));
    const old = (name: string) =>
      name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    const hub = new Map([...tensors].map(([name, tensor]) => [old(name), tensor]));
    await writeFile(path("hub/model.safetensors"), writeSafetensors(hub));
    const line = [
      "import",
      path("hub/model.safetensors"),
      "--model",
      "bert-4x128",
      "--out",
      path("mine/w.safetensors"),
    ];
    const without = await zoo(line);
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringMatching(/can't read .*tokenizer\.json \(ENOENT\)/),
    ]);
    await writeFile(path("hub/vocab.txt"), `${words.slice(0, 9).join("\n")}\n`);
    const fewer = await zoo(line);
    expect([fewer.code, fewer.stderr]).toEqual([
      1,
      expect.stringMatching(
        /word_embeddings.weight is \[10, 128\], expected \[9, 128\].*\(its tokenizer has 9 tokens\)/,
      ),
    ]);
    expect(existsSync(path("mine/w.safetensors"))).toBe(false);
    await writeFile(path("hub/vocab.txt"), `${words.join("\n")}\n`);
    expect(await json(...line)).toMatchObject({
      rules: ["gamma, beta -> weight, bias"],
      ...{ vocabulary: 10, context: 128, unused: [] },
    });
    const [{ masks }] = await json("predict", "A cat [MASK].", "--weights", path("mine/w.safetensors"), "--top", "99");
    expect(masks[0].map(({ word }: { word: string }) => word).sort()).toEqual([...words].sort());
  });
});
