import "@tensorflow/tfjs-backend-cpu";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { type ImageDataset, imageTransform, inMemoryImages } from "@tfjs-zoo/datasets";
import { createModel } from "@tfjs-zoo/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recipes } from "../recipes/recipe.ts";
import { type ClassifierFile, readClassifier, saveClassifier } from "./classifier-file.ts";
import { teacherOf } from "./teacher.ts";

const shape = [8, 8, 3] as const;
const classes = ["a", "b", "c"];
const info = { model: "mlp", dataset: "x", classes, inputShape: shape, mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.3] };
const pixels = Uint8Array.from({ length: 192 }, (_, i) => (37 * i) % 256);
const images = inMemoryImages(pixels, Uint16Array.of(0), shape);
const dataset: ImageDataset = { ...info, name: "pictures", shape, train: images, test: images };

let folder: string;
let file: ClassifierFile;
beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "zoo-teacher-"));
  await saveClassifier(
    join(folder, "t.safetensors"),
    createModel("mlp", { classes: 3, inputShape: shape, seed: 1 }),
    info,
  );
  file = await readClassifier(join(folder, "t.safetensors"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("teacherOf", () => {
  /** What it says of the picture, normalised as a data set's are. */
  const saysOf = (mean: number[], std: number[]): number[] => {
    const teacher = teacherOf(file, { ...dataset, mean, std }, recipes.quick);
    const normalised = new Float32Array(192);
    imageTransform(shape, mean, std)(pixels, 0, normalised, 0);
    const before = tf.memory().numTensors;
    const logits = tf.tidy(() => [...teacher.logits(tf.tensor4d(normalised, [1, ...shape])).dataSync()]);
    expect(tf.memory().numTensors).toBe(before);
    teacher.dispose();
    return logits;
  };

  it("says the same however its student's images are normalised", () => {
    const own = saysOf(info.mean, info.std);
    for (const [k, z] of saysOf([0.1, 0.2, 0.6], [0.5, 0.3, 0.1]).entries()) expect(z).toBeCloseTo(own[k], 4);
  });

  it("must know the data set's images and classes", () => {
    const refused = (changes: Partial<ImageDataset>) => () =>
      teacherOf(file, { ...dataset, ...changes }, recipes.quick, "NAME");
    expect(refused({ shape: [8, 8, 1] })).toThrow(
      "the teacher NAME takes images of 8x8x3, and these are 8x8x1: give one",
    );
    expect(refused({ classes: ["a", "c", "b"] })).toThrow(
      "the teacher NAME tells 3 classes (a, b, c) apart, and pictures has 3 classes (a, c, b): give one",
    );
  });
});
