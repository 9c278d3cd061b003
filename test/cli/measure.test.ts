import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCard, verifyWeights } from "@tfjs-zoo/models/weights";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { zoo } from "./zoo.ts";

let folder: string;
let dataset: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-measure-"));
  await writePictures(join(folder, "pictures"), { train: 12, test: 4, size: 28 });
  // Pictures of a folder may be of any size: each comes in the network's.
  const wide = sharp({ create: { width: 90, height: 40, channels: 3, background: "white" } });
  await wide.png().toFile(join(folder, "pictures", "train", "left", "wide.png"));
  dataset = `folder:${join(folder, "pictures")}`;
  const tiny = "--epochs 1 --batch-size 8 --backend wasm".split(" ");
  const train = (model: string, ...flags: string[]) =>
    zoo(["train", model, "--dataset", dataset, "--run", model, ...tiny, ...flags], { cwd: folder });
  for (const ended of [
    await train("lenet5"),
    await train("vae", "--latent", "4"),
    await train("ddpm", "--times", "6", "--ema", "0.5"),
  ]) {
    expect(ended.code, ended.stderr).toBe(0);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const number = expect.any(Number);
const classes = ["left", "middle", "right"];

async function measured(...line: string[]) {
  const { code, stdout, stderr } = await zoo(["measure", ...line, "--backend", "wasm"], { cwd: folder });
  expect(code, stderr).toBe(0);
  return stdout;
}

describe("publish", () => {
  it.each([
    ["vae", { metric: { name: "-ELBO" } }],
    ["ddpm", { metric: { name: "loss" }, otherMetrics: [{ name: "bits per dimension", images: 12 }], classes }],
  ])("puts a sheet of what %s makes beside its weights and card", async (model, says) => {
    const line = ["publish", model, `${model}.pictures`, "--to", "published", "--backend", "wasm", "--json"];
    const { code, stdout, stderr } = await zoo(line, { cwd: folder });
    expect(code, stderr).toBe(0);
    const at = (name: string) => join(folder, "published", `${model}.pictures`, name);
    const card = parseCard(await readFile(at("card.json"), "utf8"));
    expect(card).toMatchObject({ ...says, samples: "samples.png" });
    expect(JSON.parse(stdout)).toMatchObject(card);
    await verifyWeights(card, await readFile(at("model.safetensors")));
    // A row of each class, where classes are told.
    const { width = 0, height = 0 } = await sharp(at("samples.png")).metadata();
    expect(width / height).toBeCloseTo(8 / (card.classes?.length ?? 8), 0);
  });
});

describe("measure", () => {
  it("says all figures of an autoencoder's samples, and shows what they are most like", async () => {
    const flags = "--features lenet5 --samples 20 --out pairs.png --json".split(" ");
    const figures = JSON.parse(await measured("vae", ...flags));
    expect(figures).toMatchObject({
      ...{ weights: "vae", seed: 0, features: "lenet5", samples: 20, reference: 12, classes, out: "pairs.png" },
      ...{ fid: number, precision: number, recall: number, density: number, coverage: number, confidence: number },
      kid: { mean: number, spread: number, subsetSize: 6 },
      classShares: [number, number, number],
      collapse: expect.any(Array),
      memorised: { pixels: { copies: number, nearer: number }, features: { copies: number } },
    });
    expect(figures.asked).toBeUndefined();
    expect(figures.nearest).toHaveLength(16);
    const distances = figures.nearest.map(({ distance }: { distance: number }) => distance);
    expect(distances).toEqual(distances.toSorted((a: number, b: number) => a - b));
    const { width = 0, height = 0 } = await sharp(join(folder, "pairs.png")).metadata();
    expect(width / height).toBeCloseTo(8 / 4, 1);
  });

  it("says of a network that is told classes how many samples are of theirs, and its bits per dimension", async () => {
    const flags = "--features lenet5 --samples 12 --steps 2 --sampler dpm-solver --guidance 1 --bits".split(" ");
    const figures = JSON.parse(await measured("ddpm", ...flags, "--json"));
    expect(figures).toMatchObject({
      ...{ sampler: "dpm-solver", steps: 2, guidance: 1, samples: 12 },
      asked: { right: number, accuracy: number },
      bits: { bits: number, error: number, images: 12, times: 6 },
    });
    const { code, stdout, stderr } = await zoo(["eval", "ddpm", "--bits", "--json", "--backend", "wasm"], {
      cwd: folder,
    });
    expect(code, stderr).toBe(0);
    const { bits, loss } = JSON.parse(stdout);
    expect(bits.bits).toBeCloseTo(figures.bits.bits, 6);
    expect(loss).toBeCloseTo(JSON.parse(await readFile(join(folder, "ddpm", "result.json"), "utf8")).loss, 4);
  });

  it("says it in lines, with a warning where few classes come", async () => {
    const lines = await measured("vae", "--features", "lenet5", "--samples", "30");
    expect(lines).toMatch(/^FID [\d.]+ on features of lenet5: not comparable with published FID \(30 samples, 12 real/);
    expect(lines).toMatch(/\nshares: left [\d.]+ %, middle [\d.]+ %, right [\d.]+ %\n/);
    expect(lines).toMatch(/\n(no sign of mode collapse|warning: signs of mode collapse: [^\n]+)\n/);
  });

  it.each<[string, number, RegExp]>([
    ["measure lenet5", 1, /lenet5 makes no images/],
    ["measure vae", 1, /by a classifier of folder:.*none ships: train one .* give its run by --features/],
    ["measure vae --features vae", 1, /vae is an autoencoder, and an image classifier is expected here/],
    [
      "measure vae --features lenet5.mnist",
      1,
      /lenet5.mnist tells 10 classes .* are of 3 classes \(left, middle, right\)/,
    ],
    ["measure vae --features lenet5 lenet5.mnist", 2, /--features got lenet5 and lenet5.mnist: give one of them/],
    ["measure vae --features lenet5 --dataset cifar10", 1, /images of 28x28x1, and those of cifar10 are 32x32x3/],
    ["measure vae --bits", 2, /--bits is for networks of diffusion, and vae is none/],
    ["measure vae --steps 4", 2, /--steps means nothing to vae/],
    ["measure ddpm --steps 0", 2, /--steps got "0"; expected a whole number from 1 to 6/],
    ["measure ddpm --steps 7", 2, /--steps got "7"; expected a whole number from 1 to 6/],
    ["measure ddpm --class left", 2, /unknown option/],
    ["eval vae --bits", 2, /--bits is for networks of diffusion, and vae is none/],
    ["train vae --run nan --batch-size 8 --learning-rate 1e30 --dataset DATASET", 1, /loss became .*--learning-rate/],
  ])("zoo %s is refused in one line", async (line, code, says) => {
    const words = line.split(" ").map((word) => (word === "DATASET" ? dataset : word));
    const ended = await zoo(words, { cwd: folder });
    const errors = ended.stderr.split("\n").filter((text) => text.startsWith("error:"));
    expect(errors, ended.stderr).toHaveLength(1);
    expect(errors[0]).toMatch(says);
    expect(ended.code).toBe(code);
    expect(existsSync(join(folder, "nan", "weights.safetensors"))).toBe(false);
  });
});
