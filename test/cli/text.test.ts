import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gpt } from "@tfjs-zoo/models";
import { CharTokenizer, writeTokenizer } from "@tfjs-zoo/models/text";
import { readSafetensors, saveWeights, writeSafetensors } from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, zoo } from "./zoo.ts";

/** A language of four words, which a small network learns at once. */
const text = "the cat sat. the dog sat. ".repeat(120);

/** The network `gpt`, of seven tokens. */
const small = { vocabulary: 7, context: 64, dim: 128, depth: 4, heads: 4 };

let folder: string;
let dataset: string;
const training = "--epochs 3 --batch-size 16 --context 16 --dropout 0.1 --ema 0.9 --seed 5 --checkpoint-every 3".split(
  " ",
);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-text-"));
  await writeFile(join(folder, "words.txt"), text);
  dataset = `text:${join(folder, "words.txt")}`;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const train = (run: string, options: Parameters<typeof zoo>[1] = {}): Promise<Ended> =>
  zoo(["train", "gpt", "--dataset", dataset, "--run", join(folder, run), "--json", ...training], options);

const hashOf = async (run: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(join(folder, run, "weights.safetensors")))
    .digest("hex");

describe("a language model", () => {
  let trained: { loss: number; perplexity: number };

  beforeAll(async () => {
    const ended = await train("run");
    expect(ended.code, ended.stderr).toBe(0);
    trained = JSON.parse(ended.stdout);
  });

  it("learns, and eval measures what train measured", async () => {
    expect(trained.perplexity).toBeCloseTo(Math.exp(trained.loss), 5);
    expect(trained.loss).toBeLessThan(2);
    const { code, stdout, stderr } = await zoo(["eval", join(folder, "run"), "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).loss).toBeCloseTo(trained.loss, 4);
  });

  it("writes on, the same for the same seed, and always the likeliest at temperature 0", async () => {
    const write = async (...flags: string[]) => {
      const ended = await zoo([
        "generate",
        join(folder, "run"),
        "--prompt",
        "the ",
        "--tokens",
        "40",
        "--json",
        ...flags,
      ]);
      expect(ended.code, ended.stderr).toBe(0);
      return JSON.parse(ended.stdout) as { text: string; tokens: number };
    };
    const first = await write("--seed", "3");
    expect(first.tokens).toBe(40);
    expect(first.text).toHaveLength(40);
    expect((await write("--seed", "3")).text).toBe(first.text);
    const likeliest = await write("--temperature", "0");
    expect((await write("--temperature", "0", "--seed", "8")).text).toBe(likeliest.text);
  });

  it("that was stopped goes on to the same weights", async () => {
    const stopped = await train("stopped", {
      onStart: (child) => {
        child.stderr?.on("data", () => {});
        const timer = setInterval(async () => {
          const lines = await readFile(join(folder, "stopped", "checkpoints", "last.safetensors")).catch(
            () => undefined,
          );
          if (lines === undefined) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 20);
      },
    });
    // It may have been faster than the signal.
    if (stopped.code !== 0) {
      expect(stopped.code).toBe(130);
      const resumed = await zoo(["train", "--resume", join(folder, "stopped"), "--json"]);
      expect(resumed.code, resumed.stderr).toBe(0);
    }
    expect(await hashOf("stopped")).toBe(await hashOf("run"));
  });

  it.each([
    [["generate", "RUN", "--prompt", "caté"], 1, /U\+00E9/],
    [["generate", "RUN", "--prompt", ""], 1, /--prompt "" has no token to go on from/],
    [["generate", "RUN", "--temperature", "-1"], 2, /--temperature got "-1"/],
    [["generate", "RUN", "--top-p", "1.5"], 2, /--top-p got "1.5"/],
    [["generate", "resnet20.cifar10"], 1, /resnet20 is no language model/],
    [["predict", "x.png", "--weights", "RUN"], 1, /gpt is for text/],
    [["eval", "RUN", "RUN"], 2, /makes no ensemble/],
    [["eval", "RUN", "--test-views", "mirror"], 2, /--test-views mirror is for image classifiers/],
    [["train", "gpt", "--freeze", "stem"], 2, /--freeze means nothing to gpt/],
    [["train", "gpt", "--flip", "true"], 2, /unknown recipe field --flip/],
    [["train", "gpt", "--dataset", "cifar10"], 2, /cifar10.*tiny-shakespeare/],
    [["train", "gpt", "--vocabulary", "500"], 2, /--vocabulary says how many tokens bpe learns/],
    [["train", "resnet20", "--dropout", "0.1"], 2, /unknown recipe field --dropout/],
    [["train", "resnet20", "--context", "9"], 2, /--context means nothing to resnet20/],
  ] as [string[], number, RegExp][])("%j is refused in one line", async (line, code, says) => {
    const ended = await zoo(line.map((word) => (word === "RUN" ? join(folder, "run") : word)));
    const errors = ended.stderr.split("\n").filter((text) => text.startsWith("error:"));
    expect(errors, ended.stderr).toHaveLength(1);
    expect(errors[0]).toMatch(says);
    expect(ended.code).toBe(code);
  });

  it("comes from a file of the hub, with the tokenizer beside it", async () => {
    await startBackend("cpu");
    const hub = join(folder, "hub");
    await Promise.all([hub, join(folder, "mine")].map((path) => mkdir(path)));
    const { tensors } = readSafetensors(await saveWeights(gpt({ ...small, seed: 1 })));
    const names = new Map([...tensors].map(([name, tensor]) => [`transformer.${name}`, tensor]));
    await writeFile(join(hub, "model.safetensors"), writeSafetensors(names));
    const line = [
      "import",
      join(hub, "model.safetensors"),
      "--model",
      "gpt",
      "--out",
      join(folder, "mine", "w.safetensors"),
    ];
    const without = await zoo(line);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/can't read .*tokenizer\.json \(ENOENT\)/);
    await writeFile(join(hub, "tokenizer.json"), writeTokenizer(CharTokenizer.fromText("abcdefg")));
    const imported = await zoo([...line, "--json"]);
    expect(imported.code, imported.stderr).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({ rules: ["without transformer."], vocabulary: 7, unused: [] });
    const written = await zoo([
      "generate",
      join(folder, "mine", "w.safetensors"),
      "--prompt",
      "a",
      "--tokens",
      "5",
      "--json",
    ]);
    expect(written.code, written.stderr).toBe(0);
    expect(JSON.parse(written.stdout).text).toMatch(/^[a-g]{5}$/);
  });

  it("needs its tokenizer beside it, and the right one", async () => {
    const path = join(folder, "run", "tokenizer.json");
    const good = await readFile(path, "utf8");
    for (const [content, says] of [
      ["{}", /tokenizer\.json/],
      [good.replace(/"the"|"t"/, '"zz"'), /tokenizer\.json|token/],
    ] as const) {
      await writeFile(path, content);
      const { code, stderr } = await zoo(["generate", join(folder, "run")]);
      expect(stderr.split("\n").filter((line) => line.startsWith("error:"))).toHaveLength(1);
      expect(stderr).toMatch(says);
      expect(code).toBe(1);
    }
    await rm(path);
    const { stderr } = await zoo(["generate", join(folder, "run")]);
    expect(stderr).toMatch(/can't read .*tokenizer\.json \(ENOENT\)/);
    await writeFile(path, good);
  });
});
