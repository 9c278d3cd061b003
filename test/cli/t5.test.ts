import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSameWhenResumed, killedAfter, zoo } from "./zoo.ts";

/** One sentence after another, of which none is like the next. */
const words = ["dog", "cat", "sun", "sea", "tree", "bird", "rain", "snow"];
const sentences = words.flatMap((a) => words.flatMap((b) => words.map((c) => `the ${a} sees a ${b} and the ${c}`)));
const pairs = words.flatMap((a) => words.map((b) => `question: who? context: the ${a} sees a ${b}\t${a}`));
const spans = "--context 16 --batch-size 64 --vocabulary 400 --epochs 2 --checkpoint-every 3 --seed 3".split(" ");

let folder: string;
let run: string;
let trained: { loss: number };

const train = (name: string, more: string[] = [], options?: Parameters<typeof zoo>[1]) => {
  const dataset = `text:${join(folder, "text.txt")}`;
  return zoo(["train", "t5-pocket", "--dataset", dataset, "--run", join(folder, name), ...spans, ...more], options);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-t5-"));
  await writeFile(join(folder, "text.txt"), `${sentences.join(".\n")}.\n`);
  await writeFile(join(folder, "pairs.tsv"), `${pairs.join("\n")}\n`);
  run = join(folder, "run");
  const ended = await train("run", ["--json"]);
  expect(ended.code, ended.stderr).toBe(0);
  trained = JSON.parse(ended.stdout);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a T5 that learns from running text", () => {
  it("is measured by eval as train measured it, on the same gaps", async () => {
    const { code, stdout, stderr } = await zoo(["eval", run, "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).loss).toBeCloseTo(trained.loss, 4);
  });

  it("killed after an epoch and resumed has the same weights", async () => {
    const killed = await train("killed", [], killedAfter(/epoch 1\/2/));
    await expectSameWhenResumed(killed, join(folder, "killed"), join(folder, "run"));
  });

  it("fills gaps, and begins to answer questions where it ended", async () => {
    const filled = await zoo(["translate", "the dog sees <extra_id_0> and the cat", "--weights", run, "--json"]);
    expect(filled.code, filled.stderr).toBe(0);
    const [{ by }] = JSON.parse(filled.stdout);
    expect(by[0].translations[0].text).toContain("<extra_id_");
    const tuned = join(folder, "tuned");
    const flags = `--dataset pairs:${join(folder, "pairs.tsv")} --init ${run} --run ${tuned} --epochs 1 --batch-size 32 --json`;
    const ended = await zoo(["train", "t5-pocket", ...flags.split(" ")]);
    expect(ended.code, ended.stderr).toBe(0);
    const tokens = (path: string) => readFile(join(path, "tokenizer.json"), "utf8");
    expect(await tokens(tuned)).toBe(await tokens(run));
  });

  it("is imported as a file of others is", async () => {
    const out = join(folder, "imported", "weights.safetensors");
    await mkdir(join(folder, "imported"));
    const imported = await zoo(["import", join(run, "weights.safetensors"), "--model", "t5-pocket", "--out", out]);
    expect(imported.code, imported.stderr).toBe(0);
    const ended = await zoo(["translate", "the <extra_id_0> cat", "--weights", run, out, "--beams", "2", "--json"]);
    const [{ by }] = JSON.parse(ended.stdout);
    expect(by[1].translations).toEqual(by[0].translations);
  });

  it.each([
    [["train", "transformer-small", "--dataset", "TEXT"], 2, /holds running text, not pairs of sentences/],
    [["train", "t5-pocket", "--dataset", "facts-questions", "--direction", "de-en"], 1, /it is question-answer always/],
    [["train", "transformer-small", "--init", "RUN"], 2, /has weights of t5-pocket, not of transformer-small/],
    [
      ["train", "t5-pocket", "--init", "RUN", "--vocabulary", "500"],
      2,
      /brings its \d+ tokens: leave --vocabulary out/,
    ],
    [
      ["train", "t5-pocket", "--init", "RUN", "--tokenizer", "words"],
      2,
      /brings its \d+ tokens: leave --tokenizer out/,
    ],
    [["train", "t5-pocket", "--init", "lenet5.mnist"], 1, /lenet5 does not translate/],
    [
      ["train", "t5-pocket", "--dataset", "TEXT", "--context", "800", "--run", "NEW"],
      1,
      /pieces of 800 tokens|too few for a step|windows/,
    ],
    [["publish", "RUN", "t5-pocket.gaps"], 1, /only learned to fill gaps/],
    [["import", "RUN/weights.safetensors", "--model", "t5-small", "--out", "NEW"], 1, /don't fit t5-small/],
    [["import", "none.safetensors", "--model", "t5-pocket", "--out", "NEW"], 1, /can't read none.safetensors/],
    [
      ["import", "x", "--model", "t5-pocket", "--out", "NEW", "--classes", "y"],
      2,
      /--classes means nothing to t5-pocket/,
    ],
  ] as [string[], number, RegExp][])("%j is refused in one line", async (line, code, says) => {
    const named: { [word: string]: string } = {
      RUN: run,
      NEW: join(folder, "new"),
      TEXT: `text:${join(folder, "text.txt")}`,
    };
    const ended = await zoo(line.map((word) => named[word] ?? word.replace(/^RUN/, run)));
    const errors = ended.stderr.split("\n").filter((text) => text.startsWith("error:"));
    expect(errors, ended.stderr).toHaveLength(1);
    expect(errors[0]).toMatch(says);
    expect(ended.code).toBe(code);
  });
});
