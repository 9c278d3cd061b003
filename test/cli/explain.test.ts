import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { zoo } from "./zoo.ts";

let folder: string;
let perceptron: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-explain-"));
  perceptron = join(folder, "mlp");
  await writePictures(join(folder, "pictures"));
  const recipe = "--epochs 1 --batch-size 8 --learning-rate 0.01".split(" ");
  const dataset = `folder:${join(folder, "pictures")}`;
  const trained = await zoo(["train", "mlp", "--dataset", dataset, ...recipe, "--run", perceptron]);
  expect(trained.code, trained.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface PictureFacts {
  is?: string;
  said: string;
  maps: { method: string; smallest: number; largest: number; lowest: number; whole: number; file: string }[];
}

describe("zoo explain", () => {
  it("looks in every way, and writes the report, its pictures and its figures", async () => {
    const out = join(folder, "whole");
    const { code, stdout, stderr } = await zoo(["explain", "lenet5.mnist", "--images", "40", "--out", out, "--json"]);
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    const written = await readdir(out);
    expect(result.files.map((path: string) => path.slice(out.length + 1)).sort()).toEqual(written.sort());
    expect(JSON.parse(await readFile(join(out, "explain.json"), "utf8"))).toEqual({ ...result, files: undefined });
    expect(result.methods).toEqual(expect.arrayContaining(["grad-cam", "fgsm", "umap", "units"]));

    const pictures: PictureFacts[] = result.where.pictures;
    expect(pictures.length).toBeGreaterThan(0);
    for (const { maps } of pictures) {
      for (const { method, smallest, largest, lowest, whole, file } of maps) {
        expect(written).toContain(file);
        const { width, height } = await sharp(join(out, file)).metadata();
        expect([width, height]).toEqual([196, 196]);
        if (method === "occlusion") {
          expect(lowest).toBeGreaterThanOrEqual(0);
          expect(whole).toBeLessThanOrEqual(1);
        } else {
          expect(smallest).toBeGreaterThanOrEqual(0);
          expect([0, 1]).toContain(largest);
        }
      }
    }

    const accuracy: { epsilon: number; accuracy: number }[] = result.fgsm.accuracy;
    const [unmoved, ...moved] = accuracy.map((point) => point.accuracy);
    expect(accuracy[0].epsilon).toBe(0);
    expect(unmoved).toBeGreaterThan(0.9);
    expect(Math.min(...moved)).toBeLessThan(0.5);

    expect(result.activation.images).toHaveLength(10);
    for (const { probability } of result.activation.images) expect(probability).toBeGreaterThan(0.5);
    expect(result.filters).toMatchObject({ layer: "conv1", filters: 6, size: [5, 5] });
    expect(result["feature-maps"].layers.map(({ layer }: { layer: string }) => layer)).toContain("relu2");
    expect(result.umap.points).toHaveLength(40);
    expect(result.units.images).toBe(40);
    expect(result.units.layers.map(({ layer }: { layer: string }) => layer)).toContain("relu4");
    for (const { gradientNorm } of result.units.weights) expect(gradientNorm).toBeGreaterThan(0);

    const html = await readFile(join(out, "explain.html"), "utf8");
    expect(html.match(/<img /g)?.length).toBe(written.filter((name) => name.endsWith(".png")).length);
  });

  it("leaves out what a multilayer perceptron can't show, and says so", async () => {
    const out = join(folder, "perceptron");
    const { code, stderr, stdout } = await zoo(["explain", perceptron, "--images", "9", "--out", out]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/without grad-cam and feature-maps: mlp has no layer/);
    expect(stdout.trim().split("\n").at(-1)).toContain("explain.html");
    const { methods } = JSON.parse(await readFile(join(out, "explain.json"), "utf8"));
    expect(methods).toEqual(["occlusion", "saliency", "filters", "activation", "fgsm", "umap", "units"]);
  });

  it("looks for the class and the layer that are asked for, in a photo, without the data set", async () => {
    const photo = join(folder, "photo of a cat.png");
    await sharp({ create: { width: 50, height: 40, channels: 3, background: "teal" } })
      .png()
      .toFile(photo);
    const out = join(folder, "photo");
    const flags = [
      "--method",
      "grad-cam,feature-maps",
      "--image",
      photo,
      "--class",
      "7",
      "--layer",
      "relu1",
      "--backend",
      "wasm",
    ];
    const env = { ZOO_DATA_DIR: "", ZOO_CACHE_DIR: join(folder, "no-data"), npm_config_registry: "http://127.0.0.1:9" };
    const { code, stdout, stderr } = await zoo(["explain", "lenet5.mnist", ...flags, "--out", out, "--json"], { env });
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    const [{ maps }] = result.where.pictures;
    expect(maps).toHaveLength(1);
    expect(maps[0]).toMatchObject({ method: "grad-cam", layer: "relu1", class: "7" });
    expect(result["feature-maps"].layers).toHaveLength(1);
    expect(existsSync(join(out, "photo-1-photo-of-a-cat.png"))).toBe(true);
  });
});
