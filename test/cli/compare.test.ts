import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, type ZooOptions, zoo } from "./zoo.ts";

let folder: string;
let dataset: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-compare-"));
  dataset = `folder:${join(folder, "pictures")}`;
  await writePictures(join(folder, "pictures"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipe = "--batch-size 8 --learning-rate 0.01";

const compare = (args: string, options?: ZooOptions): Promise<Ended> => {
  const place = ["--dataset", dataset, "--out", join(folder, "out")];
  return zoo(["compare", ...`${args} ${recipe}`.split(" "), ...place], options);
};

describe("zoo compare", () => {
  it("goes on where it was stopped, and reuses what has finished", async () => {
    const stopped = await compare("small-cnn resnet20 --epochs 2 --seeds 2", {
      onStart: (child) => {
        let said = "";
        child.stderr?.on("data", (text) => {
          if (!said.includes("seed 1: epoch 1/2") && (said + text).includes("seed 1: epoch 1/2")) child.kill("SIGINT");
          said += text;
        });
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stderr).toMatch(/The same command goes on: {2}npm run compare -- small-cnn resnet20 --epochs 2/);
    const first = join(folder, "out", "small-cnn-s0", "result.json");
    const before = (await stat(first)).mtimeMs;
    expect(existsSync(join(folder, "out", "report.html"))).toBe(false);

    const ended = await compare("small-cnn resnet20 --epochs 2 --seeds 2 --json");
    expect(ended.code, ended.stderr).toBe(0);
    expect((await stat(first)).mtimeMs).toBe(before);
    const { models, ...comparison } = JSON.parse(ended.stdout);
    expect(comparison).toMatchObject({
      recipe: `quick ${recipe}`,
      budget: { epochs: 2 },
      failed: [],
      test_images: 18,
    });
    for (const { model, runs, epochs, accuracy, infer_ms, items_per_s, peak_memory_mb } of models) {
      expect(["small-cnn", "resnet20"]).toContain(model);
      expect(epochs).toBe(2);
      expect(runs.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
      expect(accuracy.mean).toBeCloseTo((runs[0].accuracy + runs[1].accuracy) / 2, 10);
      for (const { curve } of runs) expect(curve.map(({ epoch }: { epoch: number }) => epoch)).toEqual([1, 2]);
      expect(Math.min(infer_ms, items_per_s, peak_memory_mb)).toBeGreaterThan(0);
    }
    const [markdown, html] = await Promise.all(
      ["comparison.md", "report.html"].map((name) => readFile(join(folder, "out", name), "utf8")),
    );
    expect(markdown).toMatch(/\| small-cnn \| 113,738 \| 10.3 M \| 2 \|/);
    expect(markdown).toContain("may do so by chance");
    expect(html).toContain("Held-out accuracy against compute");
    expect(html).not.toMatch(/(src|href)="http/);

    const elsewhere = await compare("small-cnn --epochs 2 --backend cpu");
    expect(elsewhere.stderr).toMatch(/holds a run with another backend \(\w+, now cpu\)/);
    const other = await compare("small-cnn --epochs 3");
    expect([other.code, other.stderr.trim()]).toEqual([
      1,
      `error: ${join(folder, "out", "small-cnn-s0")} holds a run with another --epochs (2, now 3): give another --out, or delete it`,
    ]);
  }, 240_000);

  it("reports a training that fails beside those that finish", async () => {
    const args = "small-cnn --epochs 1 --seeds 1 --learning-rate 1e30 --out".split(" ");
    const ended = await zoo(["compare", ...args, join(folder, "nan"), "--dataset", dataset, "--batch-size", "8"]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/error: no training finished; small-cnn: the loss became/);
  });

  const wrong: [string, RegExp][] = [
    ["resnet21", /unknown model "resnet21": did you mean "resnet20"/],
    ["lenet5 resnet20", /lenet5 takes images of 28x28x1, resnet20 takes images of 32x32x3: compare networks for/],
    ["resnet20 --minutes 0", /--minutes got "0"; expected a number above 0/],
    ["resnet20 --minutes 1 --epochs 2", /--minutes and --epochs both say/],
    ["resnet20 --seeds 0", /--seeds got "0"/],
    ["resnet20 --jobs x", /--jobs got "x"/],
    ["resnet20 --recipe quik", /unknown recipe "quik": did you mean "quick"/],
  ];
  it.each(wrong)("refuses %s in one line", async (args, message) => {
    const { code, stderr } = await compare(args);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
