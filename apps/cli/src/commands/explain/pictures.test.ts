import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePicture } from "@tfjs-zoo/datasets/node";
import { mlp, randomStream } from "@tfjs-zoo/models";
import { type ClassifierInfo, encodePng, startBackend, writeFileAtomic } from "@tfjs-zoo/training/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { photos } from "./pictures.ts";

const info: ClassifierInfo = {
  model: "mlp",
  dataset: "noise",
  classes: ["one", "two"],
  inputShape: [6, 6, 3],
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-photos-"));
  await startBackend("cpu");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("a photo is explained as predict sees it, to the last bit", async () => {
  const random = randomStream("photo", 1);
  const noise = Uint8Array.from({ length: 50 * 40 * 3 }, () => random.integer(256));
  const photo = join(folder, "photo.png");
  await writeFileAtomic(photo, encodePng(noise, [40, 50, 3]));
  const model = mlp({ inputShape: info.inputShape, classes: 2, seed: 1 });
  const [{ input }] = await photos(model, info, [photo]);
  const seen = await decodePicture(photo, info.inputShape);
  expect(Array.from(input, (value) => Math.round(255 * value))).toEqual(Array.from(seen));
  model.dispose();
});
