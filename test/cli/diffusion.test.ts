import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDenoiser } from "@tfjs-zoo/models";
import { saveWeights } from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, expectSameWhenResumed, killedAfter, type ZooOptions, zoo } from "./zoo.ts";

const training = "--epochs 2 --batch-size 8 --times 20 --dropout 0.1 --seed 5 --checkpoint-every 1".split(" ");

let folder: string;
const path = (name: string) => join(folder, name);

function train(run: string, flags: string[] = [], options?: ZooOptions): Promise<Ended> {
  const dataset = `folder:${path("pictures")}`;
  return zoo(["train", "ddpm", "--dataset", dataset, "--run", path(run), ...training, ...flags], options);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-diffusion-"));
  await writePictures(path("pictures"), { train: 10, test: 2, size: 28 });
  const ended = await train("run");
  expect(ended.code, ended.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a network of diffusion", () => {
  it("is measured by eval as train measured it", async () => {
    const result = JSON.parse(await readFile(join(path("run"), "result.json"), "utf8"));
    expect(result.testImages).toBe(6);
    const { code, stdout, stderr } = await zoo(["eval", path("run"), "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).loss).toBeCloseTo(result.loss, 4);
  });

  it("of others is imported under its names in PyTorch, and sampled from", async () => {
    await startBackend("cpu");
    const theirs = findDenoiser("ddpm-cifar").build({ seed: 0 });
    await writeFile(path("theirs.safetensors"), await saveWeights(theirs, { dtype: "F16" }));
    theirs.dispose();
    const out = path("imported.safetensors");
    const args = ["import", path("theirs.safetensors"), "--model", "ddpm-cifar", "--out", out, "--json"];
    const imported = await zoo(args);
    expect(imported.code, imported.stderr).toBe(0);
    const said = { matched: 328, noise: "linear", times: 1000, prediction: "epsilon", dataset: "cifar10" };
    expect(JSON.parse(imported.stdout)).toMatchObject(said);
    const sampled = await zoo(["sample", out, "--steps", "1", "--grid", "1x1", "--out", path("one.png")]);
    expect(sampled.code, sampled.stderr).toBe(0);
  }, 120_000);

  it("that was killed goes on to the same weights", async () => {
    const killed = await train("killed", [], killedAfter(/epoch 1\/2/));
    await expectSameWhenResumed(killed, path("killed"), path("run"));
  });

  it.each([
    ["a row of each class", []],
    ["one class, with guidance", ["--class", "left", "--guidance", "1.5", "--sampler", "dpm-solver", "--steps", "4"]],
    ["one class by its number, every step", ["--class", "2", "--sampler", "ddpm", "--steps", "20"]],
  ])("makes %s", async (_, flags) => {
    const out = path("sheet.png");
    const ended = await zoo(["sample", path("run"), "--out", out, "--grid", "2x3", ...flags, "--json"]);
    expect(ended.code, ended.stderr).toBe(0);
    const [first] = JSON.parse(ended.stdout).classes;
    expect(first).toBe(flags[1] === "2" ? 2 : 0);
    const { width = 0, height = 0 } = await sharp(out).metadata();
    expect(width / height).toBeCloseTo(3 / 2, 1);
    await rm(out);
  });

  it("shows its steps", async () => {
    const [still, film] = [path("sheet.png"), path("steps.gif")];
    const flags = ["--out", still, "--animate", film, "--grid", "2x2", "--steps", "5", "--seed", "3", "--json"];
    const ended = await zoo(["sample", path("run"), ...flags]);
    expect(ended.code, ended.stderr).toBe(0);
    const { pages, delay } = await sharp(film, { animated: true }).metadata();
    expect([pages, delay?.at(-1)]).toEqual([5, 1500]);
    // The last frame is what the sheet shows; before it there is more noise.
    const seen = (file: string, page?: number) => sharp(file, { page }).removeAlpha().raw().toBuffer();
    const [end, first, last] = [await seen(still), await seen(film, 0), await seen(film, 4)];
    const far = (other: Buffer) => end.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / end.length;
    expect(far(last)).toBeLessThan(4); // of 255: a film has fewer colours
    expect(far(first)).toBeGreaterThan(4 * far(last));
    await rm(still);
  });

  it.each<[string[], number, RegExp]>([
    [["sample", "RUN", "--animate", "x.gif", "--show", "interpolation"], 2, /--show means nothing to/],
    [["sample", "RUN", "--out", "OUT", "--steps", "0"], 2, /--steps got "0"; expected a whole number from 1 to 20/],
    [["sample", "RUN", "--out", "OUT", "--steps", "21"], 2, /--steps got "21"; expected a whole number from 1 to 20/],
    [
      ["sample", "RUN", "--out", "OUT", "--class", "7"],
      2,
      /--class got "7".*there are: left, middle, right; or 0 to 2/,
    ],
    [["sample", "RUN", "--out", "OUT", "--class", "rigt"], 2, /did you mean "right"/],
    [["sample", "RUN", "--out", "OUT", "--guidance", "x"], 2, /--guidance got "x"; expected a number from 0 to 100/],
    [["sample", "RUN", "--out", "OUT", "--sampler", "euler"], 2, /--sampler/],
    [["sample", "RUN", "--out", "OUT", "--show", "samples"], 2, /--show means nothing to/],
    [["train", "ddpm", "--noise", "square"], 2, /--noise got "square"/],
    [["train", "ddpm", "--times", "1"], 2, /--times got "1"/],
    [["train", "ddpm", "--latent", "4"], 2, /--latent means nothing to ddpm/],
    [["train", "vae", "--unconditional"], 2, /--unconditional means nothing to vae/],
    [["train", "ddpm", "--dataset", "PICTURES", "--batch-size", "64"], 1, /more than the \d+ training images/],
    [["predict", "x.png", "--weights", "RUN"], 1, /ddpm is a network of diffusion, and an image classifier/],
  ])("%j is refused in one line", async (line, code, says) => {
    const named: { [word: string]: string } = {
      ...{ RUN: path("run"), OUT: path("out.png") },
      PICTURES: `folder:${path("pictures")}`,
    };
    const ended = await zoo(
      line.map((word) => named[word] ?? word),
      { cwd: folder },
    );
    const errors = ended.stderr.split("\n").filter((text) => text.startsWith("error:"));
    expect(errors, ended.stderr).toHaveLength(1);
    expect(errors[0]).toMatch(says);
    expect(ended.code).toBe(code);
    await expect(stat(path("out.png"))).rejects.toThrow();
  });
});
