import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors } from "@tfjs-zoo/models/weights";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { zoo } from "./zoo.ts";

let folder: string;
let run: string;
let trained: unknown;

/** The one JSON document that a command prints. */
async function json(...args: string[]) {
  const { code, stdout, stderr } = await zoo([...args, "--json"]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-json-"));
  run = join(folder, "run");
  await writePictures(join(folder, "pictures"), { train: 40 });
  const dataset = `folder:${join(folder, "pictures")}`;
  const flags = "--epochs 4 --batch-size 8 --learning-rate 0.02 --flip false --pad 0".split(" ");
  trained = await json("train", "lenet5", "--dataset", dataset, "--run", run, ...flags);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const number = expect.any(Number);
const text = expect.any(String);

it("train says what it reached and where it lies", async () => {
  expect(trained).toEqual({ accuracy: number, epochs: 4, seconds: number, items_per_s: number, run });
  expect((trained as { accuracy: number }).accuracy).toBeGreaterThan(0.8);
  const files = [
    "checkpoints",
    "config.json",
    "env.json",
    "metrics.jsonl",
    "report.html",
    "result.json",
    "tensorboard",
  ];
  expect((await readdir(run)).sort()).toEqual([...files, "weights.safetensors"]);
  const html = await readFile(join(run, "report.html"), "utf8");
  for (const part of ["Loss", "Accuracy", "Learning rate", "Gradient norm", "left", "middle"])
    expect(html).toContain(part);
  expect(html).not.toMatch(/(src|href)="http/);
});

it("list has every network", async () => {
  const models = await json("list");
  expect(models.length).toBeGreaterThanOrEqual(6);
  for (const model of models) {
    expect(model).toEqual({
      name: text,
      family: text,
      task: text,
      params: number,
      macs: number,
      pretrained: expect.any(Array),
    });
  }
  expect(models.find(({ name }: { name: string }) => name === "resnet20").params).toBe(269_722);
});

it("doctor has every backend", async () => {
  const { default: best, backends } = await json("doctor", "--no-setup");
  expect(backends.map(({ name }: { name: string }) => name)).toEqual(["tensorflow", "webgpu", "wasm", "cpu"]);
  expect(backends.find(({ name }: { name: string }) => name === best).ok).toBe(true);
  for (const { ok, reason, version } of backends) {
    expect(reason).toEqual(text);
    if (ok) expect(version).toEqual(text);
  }
});

it("eval measures a run's weights", async () => {
  const dataset = `folder:${join(folder, "pictures")}`;
  const { accuracy, top5, loss, images } = await json("eval", run, "--dataset", dataset);
  expect(accuracy).toBe((trained as { accuracy: number }).accuracy);
  expect([top5, images]).toEqual([1, 18]);
  expect(loss).toEqual(number);
});

it("eval tests a run on what it was not trained on, whatever its seed", async () => {
  const [seeded, dataset] = [join(folder, "seeded"), `folder:${join(folder, "pictures", "train")}`];
  await json(
    "train",
    "lenet5",
    "--dataset",
    dataset,
    "--run",
    seeded,
    ..."--epochs 1 --batch-size 8 --seed 7".split(" "),
  );
  const { loss, testImages } = JSON.parse(await readFile(join(seeded, "result.json"), "utf8"));
  const measured = await json("eval", seeded);
  expect(measured.images).toBe(testImages);
  expect(measured.loss).toBeCloseTo(loss, 5);
});

it("eval measures several, and their ensemble", async () => {
  const dataset = `folder:${join(folder, "pictures")}`;
  const { ensemble, members } = await json("eval", run, join(run, "weights.safetensors"), "--dataset", dataset);
  const { accuracy } = trained as { accuracy: number };
  const figures = { accuracy, top5: 1, loss: number, images: 18 };
  expect(members).toEqual([run, join(run, "weights.safetensors")].map((weights) => ({ weights, ...figures })));
  expect(ensemble).toEqual(figures);
  expect(ensemble.loss).toBeCloseTo(members[0].loss, 5);
});

it("predict names classes with probabilities", async () => {
  const picture = join(folder, "pictures", "test", "left", "0.png");
  const [{ predictions }] = await json("predict", picture, "--weights", run);
  expect(predictions[0]).toEqual({ class: "left", probability: number });
});

it("gradcheck has a row an op, backend, oracle and order", async () => {
  const rows = await json("gradcheck", "--backend", "cpu", "--op", "Relu");
  const row = { op: "Relu", backend: "cpu", tolerance: number, maxError: number, ok: true };
  expect(rows).toEqual([
    { ...row, oracle: "float64", order: 1 },
    { ...row, oracle: "stock", order: 1 },
    { ...row, oracle: "float64", order: 2 },
  ]);
});

describe("export", () => {
  it("writes a layers-model once", async () => {
    const out = join(folder, "exported");
    const { files } = await json("export", run, "--out", out, "--backend", "cpu");
    expect(files.every(existsSync)).toBe(true);
    const topology = await readFile(join(out, "model.json"), "utf8");
    expect(topology).not.toContain("Zoo");
    const again = await zoo(["export", run, "--out", out]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/exists already/);
  });

  it("writes safetensors under PyTorch's names", async () => {
    const out = join(folder, "exported.safetensors");
    await json("export", run, "--out", out, "--format", "safetensors", "--dtype", "F16", "--backend", "cpu");
    const { tensors } = readSafetensors(await readFile(out));
    expect(tensors.get("fc1.weight")).toMatchObject({ dtype: "F16", shape: [120, 400] });
  });
});
