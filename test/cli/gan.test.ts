import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, expectSameWhenResumed, killedAfter, type ZooOptions, zoo } from "./zoo.ts";

const training = "--epochs 2 --batch-size 8 --latent 6 --seed 5 --checkpoint-every 1".split(" ");

let folder: string;
const path = (name: string) => join(folder, name);

function train(model: string, run: string, flags: string[] = [], options?: ZooOptions): Promise<Ended> {
  const dataset = `folder:${path("pictures")}`;
  return zoo(["train", model, "--dataset", dataset, "--run", path(run), ...training, ...flags], options);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-gan-"));
  await writePictures(path("pictures"), { train: 10, test: 4, size: 28 });
  const ended = await train("sngan-mnist", "run", ["--conditional"]);
  expect(ended.code, ended.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a GAN", () => {
  it("says how both networks do, keeps a sheet of every epoch, and is measured by eval as by train", async () => {
    expect(await readdir(join(path("run"), "samples"))).toEqual(["epoch-001.png", "epoch-002.png"]);
    const result = JSON.parse(await readFile(join(path("run"), "result.json"), "utf8"));
    expect(result.images).toBe(12);
    const { code, stdout, stderr } = await zoo(["eval", path("run"), "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).variety).toBeCloseTo(result.variety, 4);
  });

  it("that was killed goes on to the same weights, critic and penalty too", async () => {
    const flags = ["--discriminator-steps", "2"];
    expect((await train("wgan-mnist", "whole", flags)).code).toBe(0);
    const killed = await train("wgan-mnist", "killed", flags, killedAfter(/epoch 1\/2/));
    await expectSameWhenResumed(killed, path("killed"), path("whole"));
  });

  it("makes sheets of samples, of one class and of ways, and animations", async () => {
    for (const flags of [[], ["--class", "right"], ["--show", "interpolation"], ["--show", "traversal"]]) {
      const ended = await zoo(["sample", path("run"), "--out", path("sheet.png"), "--grid", "3x2", ...flags, "--json"]);
      expect(ended.code, ended.stderr).toBe(0);
      const { classes } = JSON.parse(ended.stdout);
      expect(classes).toEqual(flags.includes("right") ? [2, 2, 2, 2, 2, 2] : [0, 0, 1, 1, 2, 2]);
      expect((await stat(path("sheet.png"))).size).toBeGreaterThan(500);
    }
    const moving = await zoo(["sample", path("run"), "--animate", path("ways.gif"), "--grid", "2x2"]);
    expect(moving.code, moving.stderr).toBe(0);
    expect((await readFile(path("ways.gif"))).subarray(0, 4).toString()).toBe("GIF8");
  });

  it("says when its images become alike", async () => {
    const ended = await train("dcgan-mnist", "alike", ["--learning-rate", "0", "--ema", "0"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/the generator may have collapsed \(its images are alike/);
  });

  it.each<[string[], number, RegExp]>([
    [["train", "dcgan-mnist", "--recipe", "wgan-gp"], 2, /--gradient-penalty 10 .*has batch norm: take wgan-mnist/],
    [["train", "wgan-mnist", "--clip-weights", "0.01"], 2, /both keep a critic's slope small: set one of them to 0/],
    [["train", "dcgan-mnist", "--loss", "wasserstein"], 2, /needs a critic of small slope: give --gradient-penalty 10/],
    [
      ["train", "sngan-mnist", "--dataset", "PICTURES", "--run", "NAN", "--learning-rate", "1e38", "--batch-size", "8"],
      1,
      /loss became .*--learning-rate/,
    ],
    [["train", "dcgan-mnist", "--loss", "hing"], 2, /--loss got "hing".*did you mean "hinge"/],
    [["train", "dcgan-mnist", "--recipe", "quick"], 2, /unknown recipe "quick"/],
    [["train", "dcgan-mnist", "--discriminator-steps", "0"], 2, /--discriminator-steps got "0"/],
    [["train", "dcgan-mnist", "--full"], 2, /--full means nothing to dcgan-mnist/],
    [["train", "dcgan-mnist", "--unconditional"], 2, /--unconditional means nothing to dcgan-mnist/],
    [["train", "ddpm", "--conditional"], 2, /--conditional means nothing to ddpm/],
    [
      ["sample", "RUN", "--out", "OUT.png", "--show", "reconstructions"],
      2,
      /reconstructions means nothing to .*: it reads no images/,
    ],
    [["sample", "RUN", "--out", "OUT.png", "--class", "4"], 2, /--class got "4".*there are: left, middle, right/],
    [["sample", "RUN", "--out", "OUT.png", "--steps", "4"], 2, /--steps means nothing to/],
    [["import", "weights.safetensors", "--model", "dcgan", "--out", "OUT"], 2, /dcgan is nobody else's/],
  ])("%j is refused in one line", async (args, code, message) => {
    const ended = await zoo(
      args.map(
        (arg) =>
          ({
            RUN: path("run"),
            NAN: path("nan"),
            PICTURES: `folder:${path("pictures")}`,
            OUT: path("out.safetensors"),
            "OUT.png": path("out.png"),
          })[arg] ?? arg,
      ),
    );
    expect(ended.stderr.trim().split("\n").at(-1)).toMatch(message);
    // What is refused by its command line says nothing else.
    if (code === 2) expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    expect(ended.stderr).not.toMatch(/^ +at /m);
    expect(ended.code).toBe(code);
  });
});
