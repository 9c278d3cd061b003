import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, type SafeTensor, writeSafetensors } from "@tfjs-zoo/models/weights";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, expectSameWhenResumed, killedAfter, type ZooOptions, zoo } from "./zoo.ts";

const training =
  "--epochs 3 --batch-size 12 --draws 3 --binarise --likelihood bernoulli --latent 4 --ema 0.9 --seed 5 --checkpoint-every 2 --backend wasm".split(
    " ",
  );

let folder: string;
const path = (name: string) => join(folder, name);

function train(run: string, options?: ZooOptions, flags = training): Promise<Ended> {
  return zoo(["train", "vae", "--dataset", `folder:${path("pictures")}`, "--run", path(run), ...flags], options);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-vae-"));
  await writePictures(path("pictures"), { train: 16, test: 4 });
  await writeFile(path("no.safetensors"), "x");
  const ended = await train("run");
  expect(ended.code, ended.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a variational autoencoder", () => {
  it("is measured by eval as train measured it", async () => {
    const result = JSON.parse(await readFile(join(path("run"), "result.json"), "utf8"));
    expect(result.testImages).toBe(12);
    expect(result.elbo).toBeCloseTo(result.reconstruction + result.kl, 6);
    const { code, stdout, stderr } = await zoo(["eval", path("run"), "--json", "--backend", "wasm"]);
    expect(code, stderr).toBe(0);
    const measured = JSON.parse(stdout);
    for (const figure of ["elbo", "reconstruction", "kl", "nll"]) {
      expect(measured[figure]).toBeCloseTo(result[figure], 2);
    }
    expect(existsSync(join(path("run"), "report.html"))).toBe(true);
  });

  it("that was killed goes on to the same weights", async () => {
    const killed = await train("killed", killedAfter(/epoch 1\/3/));
    await expectSameWhenResumed(killed, path("killed"), path("run"));
  });

  it.each(["samples", "interpolation", "traversal", "reconstructions"])("draws a sheet of %s", async (show) => {
    const out = path(`${show}.png`);
    const line = ["sample", path("run"), "--out", out, "--grid", "2x3", "--show", show, "--backend", "wasm", "--json"];
    const ended = await zoo(line);
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ out, rows: 2, columns: 3 });
    const { width = 0, height = 0 } = await sharp(out).metadata();
    expect(width / height).toBeCloseTo(3 / 2, 1);
    const { channels } = await sharp(out).stats();
    expect(channels[0].stdev).toBeGreaterThan(5); // it shows something
  });

  it.each([
    ["interpolation", "ways.gif", "gif", 36],
    ["traversal", "ways.webp", "webp", 30],
  ])("moves on ways of %s", async (show, name, format, pages) => {
    const line = ["sample", "run", "--animate", name, "--grid", "2x2", "--show", show, "--backend", "wasm", "--json"];
    const ended = await zoo(line, { cwd: folder });
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toEqual({ animate: name, rows: 2, columns: 2, seed: 0, show });
    const film = sharp(path(name), { animated: true });
    expect(await film.metadata()).toMatchObject({ format, pages, loop: 0 });
    const [first, middle] = await Promise.all(
      [0, pages / 2].map((page) => sharp(path(name), { page }).raw().toBuffer()),
    );
    expect(first.equals(middle)).toBe(false);
  });

  it("is said to be damaged when its weights are not finite, and leaves nothing", async () => {
    const { tensors, metadata } = readSafetensors(await readFile(join(path("run"), "weights.safetensors")));
    const name = "decoder.2.weight";
    const weight = tensors.get(name) as SafeTensor;
    tensors.set(name, { ...weight, data: new Uint8Array(weight.data.length).fill(255) }); // NaN
    await writeFile(path("nan.safetensors"), writeSafetensors(tensors, metadata));
    for (const line of [
      ["sample", "nan.safetensors", "--out", "nan.png", "--animate", "nan.gif"],
      ["sample", "nan.safetensors", "--animate", "nan.gif"],
    ]) {
      const ended = await zoo([...line, "--backend", "wasm"], { cwd: folder });
      expect(ended.stderr).toMatch(/^error: vae's outputs are not finite: its weights are too large or damaged/m);
      expect(ended.code).toBe(1);
    }
    expect(existsSync(path("nan.png")) || existsSync(path("nan.gif"))).toBe(false);
  });

  it.each<[string[], number, RegExp]>([
    [["sample", "RUN"], 2, /sample needs a file to write: --out sheet.png, or --animate FILE.gif/],
    [["sample", "RUN", "--animate", "x.mp4"], 2, /--animate got "x.mp4"; expected a .gif or .webp file/],
    [["sample", "RUN", "--animate", "none/x.gif"], 1, /--animate none\/x.gif: there is no folder none/],
    [["sample", "RUN", "--animate", "x.gif", "--show", "samples"], 2, /nothing moves in --show samples/],
    [["sample", "RUN", "--animate", "x.gif", "--show", "traversal"], 2, /4 numbers, and --grid has 64 images/],
    [["sample", "RUN", "--animate", "x.gif", "--steps", "4"], 2, /--steps means nothing to/],
    [["sample", "RUN", "--out", "x.png", "--grid", "8"], 2, /--grid got "8"; expected ROWSxCOLUMNS/],
    [["sample", "RUN", "--out", "x.png", "--grid", "999x999"], 2, /1024 images at most/],
    [["sample", "RUN", "--out", "x.jpg"], 2, /--out got "x.jpg"; expected a .png file/],
    [["sample", "RUN", "--out", "none/x.png"], 1, /there is no folder none: make it first/],
    [["sample", "lenet5.mnist", "--out", "OUT"], 1, /lenet5.mnist makes no images/],
    [["sample", "RUN", "--out", "OUT", "--show", "traversal", "--grid", "9x2"], 2, /a row for each of 4 numbers/],
    [["sample", "RUN", "--out", "OUT", "--show", "interpolation", "--grid", "2x1"], 2, /needs 2 columns at least/],
    [["sample", "RUN", "--out", "OUT", "--show", "reconstructions", "--grid", "3x2"], 2, /an even number of rows/],
    [["sample", "RUN", "--out", "OUT", "--show", "reconstructions", "--grid", "8x8"], 1, /has 12 test images, and 32/],
    [["train", "vae", "--latent", "0"], 2, /--latent got "0"/],
    [["train", "vae", "--likelihood", "poisson"], 2, /--likelihood got "poisson"/],
    [["train", "vae", "--draws", "4", "--kl-weight", "2"], 2, /--draws 4 learns by the importance-weighted bound/],
    [["train", "vae", "--label-smoothing", "0.1"], 2, /unknown recipe field --label-smoothing/],
    [["train", "vae", "--init", "RUN"], 2, /--init means nothing to vae/],
    [["train", "vae", "--dataset", "multi30k"], 2, /multi30k/],
    [["train", "vae", "--recipe", "paper"], 2, /unknown recipe "paper"/],
    [["train", "resnet20", "--latent", "4"], 2, /--latent means nothing to resnet20/],
    [["eval", "RUN", "RUN"], 2, /makes no ensemble/],
    [["eval", "RUN", "--dataset", "cifar10"], 1, /images of 28x28x1, and those of cifar10 are 32x32x3/],
    [["predict", "x.png", "--weights", "RUN"], 1, /vae is an autoencoder, and an image classifier is expected here/],
    [["export", "RUN", "--out", "OUT"], 1, /vae is an autoencoder, and an image classifier is expected here/],
    [["import", "no.safetensors", "--model", "vae", "--out", "OUT"], 2, /vae is nobody else's/],
    [["publish", "RUN", "vae.folder x"], 2, /expected vae.TAG/],
    [["bench", "infer", "vae"], 1, /bench infer is for image classifiers, and vae is none/],
  ])("%j is refused in one line", async (line, code, says) => {
    const named: { [word: string]: string } = { RUN: path("run"), OUT: path("out.png") };
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
