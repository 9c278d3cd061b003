import { basename } from "node:path";
import { evaluationBatches, type ImageDataset } from "@tfjs-zoo/datasets";
import { decodePicture } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { type ClassifierInfo, evaluate, predictions } from "@tfjs-zoo/training/node";
import { expectFinite } from "../../expect-finite.ts";
import { batchSizeFor, percent, type Sample, type ShownPicture, type Subject, shownPicture } from "./subject.ts";

/** Of a test set, so many that the network gets right, and as many that it gets wrong. */
const EACH = 4;

type Model = Subject["model"];

/** @throws InputError for a file that is no picture */
export async function photos(model: Model, info: ClassifierInfo, paths: readonly string[]): Promise<ShownPicture[]> {
  const shown: ShownPicture[] = [];
  for (const [i, path] of paths.entries()) {
    const pixels = await decodePicture(path, info.inputShape);
    const clean = basename(path)
      .replace(/\.\w+$/, "")
      .replace(/[^\w-]+/g, "-")
      .slice(0, 40);
    shown.push(shownPicture(model, info, pixels, { name: basename(path), stem: `photo-${i + 1}-${clean}` }));
  }
  return shown;
}

/** @throws InputError for an index that the test set hasn't */
export async function testImages(
  model: Model,
  info: ClassifierInfo,
  { test, name }: ImageDataset,
  indices: readonly number[],
): Promise<ShownPicture[]> {
  const shown: ShownPicture[] = [];
  for (const index of indices) {
    if (index >= test.count) {
      throw new InputError(`there is no test image ${index}: ${name} has ${test.count}, from 0 to ${test.count - 1}`);
    }
    const pixels = new Uint8Array(test.shape.reduce((a, b) => a * b));
    await test.read([index], pixels);
    const about = { name: `test image ${index}`, stem: `test-${index}`, label: test.labels[index] };
    shown.push(shownPicture(model, info, pixels, about));
  }
  return shown;
}

/** The places in the test set of some images that a network gets right, each of another class, and of its surest mistakes. */
export async function tellingImages(
  model: Model,
  info: ClassifierInfo,
  sample: Sample,
  progress: Subject["progress"],
): Promise<number[]> {
  const { inputShape, mean, std, classes } = info;
  const batches = evaluationBatches({ set: sample, mean, std, batchSize: batchSizeFor(inputShape) });
  const result = await evaluate(model, inputShape, batches, {
    onBatch: (done) => progress.update({ label: "choosing pictures", done, total: sample.count, unit: "items" }),
  });
  expectFinite(result.probabilities, info);
  const said = predictions(result, classes.length);
  const places = said.map((_, i) => i);
  const seen = new Set<number>();
  const right = places.filter((i) => {
    const [label, first] = [result.labels[i], !seen.has(result.labels[i])];
    if (said[i] !== label || !first) return false;
    seen.add(label);
    return true;
  });
  const certainty = (i: number) => result.probabilities[i * classes.length + said[i]];
  const wrong = places.filter((i) => said[i] !== result.labels[i]).sort((a, b) => certainty(b) - certainty(a));
  return [...right.slice(0, EACH), ...wrong.slice(0, EACH)].map((i) => sample.indices[i]);
}

/** A picture's heading: what it is, and what the network says. */
export function heading({ name, label, said, probability }: ShownPicture, classes: readonly string[]): string {
  const is = label === undefined ? "" : `, ${classes[label]}`;
  const verdict = label === undefined || label === said ? "" : ", which is wrong";
  return `${name}${is}: said ${classes[said]} (${percent(probability)})${verdict}`;
}
