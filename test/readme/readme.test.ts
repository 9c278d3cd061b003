import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { registry } from "@tfjs-zoo/models";
import type { Card } from "@tfjs-zoo/models/weights";
import { describe, expect, it } from "vitest";
import { withFolder } from "../cli/zoo.ts";
import { markdownTable, replaceBlock } from "./blocks.ts";
import {
  benchmarksTable,
  dataText,
  type MemoryResult,
  resultsTable,
  samplesTable,
  type TrainResult,
} from "./tables.ts";
import { collectBlocks, updateReadme } from "./write-tables.ts";

/** All blocks, in the order in which they are written. */
const names = [
  ...[
    "models",
    "results",
    "comparison",
    "precisions",
    "samples",
    "run",
    "decoding",
    "data",
    "growth",
    "page",
    "speedrun",
  ],
  "benchmarks",
];

const emptyReadme = ["# zoo", ...names.map(markedBlock), "The end.", ""].join("\n");

function markedBlock(name: string): string {
  return `<!-- ${name}:begin -->\n<!-- ${name}:end -->`;
}

const card: Card = {
  version: 1,
  model: "resnet20",
  tag: "cifar10",
  task: "classification",
  inputShape: [32, 32, 3],
  normalisation: null,
  classes: ["cat", "dog"],
  sha256: "0".repeat(64),
  bytes: 546_000,
  parameters: 269_722,
  macs: 40_551_000,
  metric: { name: "accuracy", value: 0.91875, dataset: "cifar10", split: "test", images: 10_000, epoch: 70 },
  recipe: "standard",
  seed: 0,
  backend: "tensorflow",
  precision: "f32",
  command: "npm run train -- resnet20 --full",
};

const train: TrainResult = {
  model: "resnet20",
  backend: "tensorflow",
  precision: "f32",
  batch: 128,
  ours: { items_per_s: 402.4, step_ms: 318.1 },
  peers: { stock: { ratio: 4.6 }, torch: { ratio: 1.014 } },
  environment: {
    cpu: "A Processor",
    cores: 2,
    node: "20.1.0",
    versions: { ours: { TensorFlow: "2.21.0" }, torch: { PyTorch: "2.13.0" } },
  },
};

const memory: MemoryResult = {
  model: "resnet20",
  backend: "wasm",
  batch: 32,
  steps: 500,
  num_tensors_10: 99,
  num_tensors_500: 99,
  rss_mb: [310, 311],
};

/** A checkout with one card, one benchmark of speed and one of memory. */
async function writeCheckout(root: string, shown: Card = card): Promise<void> {
  await mkdir(join(root, "models/pretrained/resnet20.cifar10"), { recursive: true });
  await mkdir(join(root, "test/bench/results"), { recursive: true });
  await writeFile(join(root, "models/pretrained/resnet20.cifar10/card.json"), JSON.stringify(shown));
  await writeFile(join(root, "test/bench/results/train.json"), JSON.stringify(train));
  await writeFile(join(root, "test/bench/results/memory.json"), JSON.stringify(memory));
  const point = { batch: 8, depth: 20, width: 16, items_per_s: 70.2, rss_mb: 1234 };
  const growth = [{ title: "ResNet-20", axis: "depth", points: [point, { ...point, depth: 32 }] }];
  const seeds = [93.9, 94.2].map((accuracy, seed) => ({
    seed,
    accuracy: accuracy / 100,
    seconds: 330,
    train_seconds: 300,
  }));
  await writeFile(
    join(root, "test/bench/results/speedrun.json"),
    JSON.stringify({
      model: "airbench94",
      precision: "bf16",
      epochs: 10,
      mean_accuracy: 0.9405,
      mean_seconds: 330,
      seeds,
      environment: train.environment,
    }),
  );
  await writeFile(
    join(root, "test/bench/results/growth.json"),
    JSON.stringify({ backend: "wasm", precision: "f32", growth, environment: train.environment }),
  );
  await mkdir(join(root, "test/readme/run"), { recursive: true });
  const run = { accuracy: 0.9012, testImages: 10_000, epochs: 20, seed: 0, seconds: 1140 };
  for (const [name, content] of Object.entries({ config: { model: "resnet20" }, result: run, env: train.environment }))
    await writeFile(join(root, `test/readme/run/${name}.json`), JSON.stringify(content));
  const runs = [0.81, 0.83].map((accuracy, seed) => ({ seed, accuracy }));
  for (const precision of ["bf16", "f32"]) {
    const own = { model: "resnet20", epochs: 6, runs, accuracy: { mean: 0.82 } };
    const comparison = { dataset: "cifar10", precision, test_images: 10_000, models: [own] };
    const folder = join(root, "test/bench/precisions", precision);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "comparison.json"), JSON.stringify({ ...comparison, environment: train.environment }));
  }
}

describe("replaceBlock", () => {
  it("replaces what is between the marks and nothing else", () => {
    const text = `a\n${markedBlock("x")}\nb\n${markedBlock("y")}`;
    const once = replaceBlock(text, "x", "new\n");
    expect(once).toBe(`a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n${markedBlock("y")}`);
    expect(replaceBlock(once, "x", "$& newer")).toContain("<!-- x:begin -->\n$& newer\n<!-- x:end -->\nb");
  });

  it.each([
    ["no marks", "nothing"],
    ["no end", "<!-- x:begin -->"],
    ["the end first", "<!-- x:end --> <!-- x:begin -->"],
    ["two blocks", `${markedBlock("x")} ${markedBlock("x")}`],
  ])("says which block has %s", (_, text) => {
    expect(() => replaceBlock(text, "x", "")).toThrow(/the block "x" needs one <!-- x:begin --> and one/);
  });
});

describe("the tables of the README", () => {
  it("are written once, and then up to date", () =>
    withFolder(async (root) => {
      await writeCheckout(root);
      const readme = join(root, "README.md");
      await writeFile(readme, emptyReadme);
      const blocks = await collectBlocks(root);

      expect(await updateReadme(readme, blocks, { check: true })).toEqual(names);
      expect(await readFile(readme, "utf8")).toBe(emptyReadme);
      expect(await updateReadme(readme, blocks)).toEqual(names);
      expect(await updateReadme(readme, blocks, { check: true })).toEqual([]);

      const text = (await readFile(readme, "utf8")).replace(/ +/g, " ");
      expect(text).toContain(
        "| `resnet20.cifar10` | 269,722 | 40.6 M | cifar10, test | 91.88 % of 10,000 images | 546 kB | `npm run train -- resnet20 --full` |",
      );
      expect(text).toContain("| `resnet20` | tensorflow | f32 | 128 | 402 | 318 | × 4.60 | × 1.01 |");
      expect(text).toContain("Measured on A Processor (2 cores), Node 20.1.0, PyTorch 2.13.0, TensorFlow 2.21.0.");
      expect(text).toContain("| 1 | 94.20 % | 5.5 | 5.0 |");
      expect(text).toContain("| mean | 94.05 % | 5.5 | 5.0 |");
      expect(text).toContain("`airbench94`, 10 epochs in bf16, on A Processor (2 cores), Node 20.1.0.");
      expect(text).toContain("| ResNet-20 depth 20, 32 | wasm | f32 | 70, 70 | 1,234, 1,234 |");
      expect(text).toContain("| f32 | 81.00 % | 83.00 % | 82.00 % |");
      expect(text).toContain(
        "90.12 % of 10,000 test images after 20 epochs and 19 minutes, seed 0, on A Processor (2 cores)",
      );
      expect(text).toContain("99 tensors after step 10 and 99 after step 500; resident 310 MB");
      for (const { name, summary } of registry.values()) {
        expect(text).toContain(`| \`${name}\` | `);
        expect(text).toContain(summary);
      }
      expect(text.endsWith("The end.\n")).toBe(true);
    }));

  it("show what networks make that make images", () => {
    const vae: Card = { ...card, model: "vae", tag: "mnist", task: "autoencoding", samples: "samples.png" };
    const table = resultsTable([card, vae]);
    expect(table.split("\n\n").at(-1)).toBe("![images that vae.mnist made](models/pretrained/vae.mnist/samples.png)");
    expect(resultsTable([card])).not.toContain("![");
  });

  it("name the one block that went stale", () =>
    withFolder(async (root) => {
      await writeCheckout(root);
      const readme = join(root, "README.md");
      await writeFile(readme, emptyReadme);
      await updateReadme(readme, await collectBlocks(root));
      await writeCheckout(root, { ...card, metric: { ...card.metric, value: 0.92 } });
      expect(await updateReadme(readme, await collectBlocks(root), { check: true })).toEqual(["results"]);
    }));

  it("say so when there is nothing to show", () =>
    withFolder(async (root) => {
      const blocks = await collectBlocks(root);
      expect(blocks.get("results")).toBe("No weights are published yet.");
      expect(blocks.get("benchmarks")).toBe("No benchmark has been saved yet.");
    }));

  it("name the file that can't be read", () =>
    withFolder(async (root) => {
      await writeCheckout(root, { ...card, parameters: -1 });
      await expect(collectBlocks(root)).rejects.toThrow(
        /resnet20.cifar10.card.json: not a valid model card: parameters/,
      );
    }));

  it("keep processors apart, that of most figures first", () => {
    const other = { ...train, environment: { ...train.environment, cpu: "Another" } };
    const lines = benchmarksTable([other, train, { ...train, precision: "bf16" }]).split("\n");
    const measured = lines.filter((line) => line.startsWith("Measured on"));
    expect(measured).toEqual([
      expect.stringContaining(`on ${train.environment.cpu} (`),
      expect.stringContaining("on Another ("),
    ]);
    expect(lines.filter((line) => line.includes("step, ms"))).toHaveLength(2);
  });

  it("show Chromium's column and the graphics card only where there are any", () => {
    expect(benchmarksTable([train])).not.toContain("Chromium");
    const page = { ...train, backend: "wasm", peers: { chromium: { ratio: 0.97 } } };
    expect(benchmarksTable([page])).toMatch(/to the same in Chromium \|\n.*\n.* × 0.97 \|/);
    const card = { ...train, backend: "webgpu", environment: { ...train.environment, device: "A card" } };
    expect(benchmarksTable([card])).toContain("webgpu (A card)");
  });

  it("say how good samples are, each way of making them apart", () => {
    const gan = { weights: "gan.mnist", samples: 1000, reference: 10_000, features: "lenet5.mnist", fid: 7.684 };
    const shares = { precision: 0.7, recall: 0.9, classShares: [0.086, 0.129], confidence: 0.957 };
    const ddpm = {
      ...gan,
      ...shares,
      weights: "ddpm.mnist",
      sampler: "ddim",
      asked: { right: 0.977, accuracy: 0.993 },
    };
    const [, , ...rows] = samplesTable([
      { ...gan, ...shares },
      { ...ddpm, steps: 20, guidance: 2 },
      { ...ddpm, steps: 200, guidance: 0 },
    ])
      .replace(/ +/g, " ")
      .split("\n");
    expect(rows).toEqual([
      expect.stringContaining("| `ddpm.mnist` | ddim, 200 steps | 1,000 | 7.68 |"),
      expect.stringContaining("| ddim, 20 steps, guidance 2 |"),
      "| `gan.mnist` | | 1,000 | 7.68 | `lenet5.mnist` | 70.0 % | 90.0 % | 8.6 %, 12.9 % | 95.7 % | |",
    ]);
    expect(rows[1]).toContain("| 97.7 % (real: 99.3 %) |");
  });

  it("say whether training waits for its images", () => {
    const data = { model: "resnet20", backend: "tensorflow", precision: "f32", environment: train.environment };
    expect(dataText([{ ...data, augmented_per_s: 50_000, trained_per_s: 800, wait_ms: 1.24, step_ms: 158.2 }])).toBe(
      "`resnet20` on tensorflow in f32 trains on 800 images a second; its step of 158 ms waits 1.2 ms for them (50,000 a second when nothing else is done). A Processor (2 cores), Node 20.1.0, PyTorch 2.13.0, TensorFlow 2.21.0.",
    );
  });

  it("leave a peer out that was not measured, and escape bars", () => {
    expect(benchmarksTable([{ ...train, peers: {} }])).toMatch(/\| +402 \| +318 \| +\| +\|\n/);
    expect(markdownTable([{ title: "a" }], [["x|y"]])).toBe("| a    |\n| ---- |\n| x\\|y |");
  });
});
