import "@tensorflow/tfjs-backend-cpu";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { createModel } from "@tfjs-zoo/models";
import { readSafetensors, stateDict, writeSafetensors } from "@tfjs-zoo/models/weights";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClassifierFile, readClassifier, saveClassifier } from "./classifier-file.ts";
import { takeWeights } from "./initial-weights.ts";
import { checkSameWeights } from "./weights-file.ts";

const inputShape = [8, 8, 1] as const;
const info = { model: "mlp", dataset: "x", classes: ["a", "b", "c"], inputShape, mean: [0.5], std: [0.25] };
const build = (classes: number, seed: number) => createModel("mlp", { classes, inputShape, seed });
const valuesOf = (model: ReturnType<typeof build>) =>
  Object.fromEntries(stateDict(model).map(({ name, variable }) => [name, [...variable.read().dataSync()]]));

let folder: string;
let file: ClassifierFile;
beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "zoo-initial-"));
  await saveClassifier(join(folder, "whole.safetensors"), build(3, 1), info);
  file = await readClassifier(join(folder, "whole.safetensors"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("weights to begin from", () => {
  it("are all taken where the classes are the same", () => {
    const model = build(3, 2);
    expect(takeWeights(model, file, ["a", "b", "c"], "NAME")).toEqual({ name: "NAME", tensors: 6, itsClasses: 3 });
    expect(valuesOf(model)).toEqual(valuesOf(build(3, 1)));
  });

  it.each([
    ["another number of", ["a", "b"]],
    ["as many other", ["x", "y", "z"]],
  ])("leave the head fresh for %s classes", (_, classes) => {
    const model = build(classes.length, 2);
    expect(takeWeights(model, file, classes)).toEqual({
      name: file.path,
      tensors: 4,
      freshHead: "fc3",
      itsClasses: 3,
    });
    const [taken, fresh, now] = [build(3, 1), build(classes.length, 2), model].map(valuesOf);
    for (const name of ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]) expect(now[name]).toEqual(taken[name]);
    expect(now["fc3.weight"]).toEqual(fresh["fc3.weight"]);
  });

  it("must be the network's, all but the head", async () => {
    const { tensors, metadata } = readSafetensors(await readFile(file.path));
    const part = join(folder, "part.safetensors");
    const renamed = new Map([...tensors].map(([name, tensor]) => [name.replace("fc2.", "fc4."), tensor] as const));
    await writeFile(part, writeSafetensors(renamed, metadata));
    const other = await readClassifier(part);
    expect(() => takeWeights(build(3, 2), other, ["a", "b", "c"], "PART")).toThrow(/^PART: .*2 missing \(fc2/);
    expect(() => takeWeights(build(2, 2), other, ["a", "b"], "PART")).toThrow(
      "PART: all but its head fc3 must be mlp's, and fc2.weight is not in both",
    );
  });

  it("must be those that a run began with, when it goes on", () => {
    const record = { name: "NAME", sha256: file.sha256, mean: [0.5], std: [0.25], inputShape };
    expect(() => checkSameWeights(file, record)).not.toThrow();
    expect(() => checkSameWeights(file, { ...record, sha256: "0".repeat(64) })).toThrow(
      /^NAME has changed since the run was begun with it/,
    );
  });
});
