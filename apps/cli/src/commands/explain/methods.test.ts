import * as tf from "@tensorflow/tfjs-core";
import { inMemoryImages } from "@tfjs-zoo/datasets";
import { airbench94, type BuildOptions, classifiers, mlp, randomStream } from "@tfjs-zoo/models";
import { type ClassifierInfo, explainReport, figuresOf, startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { expectPossible, looksOf, methods, possible } from "./methods.ts";
import { testImages } from "./pictures.ts";
import { type Subject, sampleOf, shownPicture } from "./subject.ts";
import { where } from "./where.ts";

beforeAll(() => startBackend("wasm", { progress: () => {} }));

/** A network of each family, in its narrow form where there is one. */
const entries = [...classifiers.values()].sort((a, b) => Number("narrow" in a) - Number("narrow" in b));
const families = [...new Map(entries.map((entry) => [entry.family, entry])).values()];

/** Networks that have no narrow form in the registry, and are slow. */
const narrowForms: { [name: string]: (options: BuildOptions) => Subject["model"] } = {
  airbench94: (options) => airbench94({ widths: [4, 6, 8], ...options }),
};

function subjectOf({
  name,
  build,
  narrow = narrowForms[name] ?? build,
}: (typeof families)[number]): Omit<Subject, "pictures"> {
  const model = narrow({ seed: 1, classes: 3 });
  const [, height, width, channels] = model.inputs[0].shape as [null, number, number, number];
  const classes = model.outputs[0].shape[1] as number;
  const each = Array.from({ length: channels }, () => 0.5);
  const info: ClassifierInfo = {
    model: model.name,
    dataset: "noise",
    classes: Array.from({ length: classes }, (_, k) => ["猿", "c++", "c#"][k]),
    inputShape: [height, width, channels],
    mean: each,
    std: each,
  };
  const random = randomStream("noise", 1);
  const images = 3;
  const set = inMemoryImages(
    Uint8Array.from({ length: images * height * width * channels }, () => random.integer(256)),
    Uint16Array.from({ length: images }, (_, i) => i),
    info.inputShape,
  );
  return { model, info, sample: sampleOf(set, images), seed: 0, steps: 2, progress: { update: () => {} } };
}

describe("what zoo explain does unless told otherwise", () => {
  it.each(families)("suits $family ($name)", async (entry) => {
    const subject = subjectOf(entry);
    const { model, info, sample } = subject;
    const told: string[] = [];
    const chosen = possible(model, undefined, (line) => told.push(line));
    const ruledOut = methods.filter((method) => !chosen.includes(method));
    const flat = ["vit", "mlp-mixer"].includes(entry.family);
    expect(ruledOut).toEqual(flat ? ["grad-cam", "feature-maps"] : []);
    expect(told).toHaveLength(flat ? 1 : 0);

    const test = sample as NonNullable<typeof sample>;
    const dataset = {
      name: "noise",
      shape: info.inputShape,
      classes: info.classes,
      mean: info.mean,
      std: info.std,
      train: test,
      test,
    };
    const pictures = await testImages(model, info, dataset, [1]);
    const before = tf.memory().numTensors;
    const sections = [];
    for (const { look } of looksOf({ ...subject, pictures }, chosen)) sections.push((await look()).section);
    expect(tf.memory().numTensors).toBe(before);
    const explanation = { title: "", subtitle: "", sections };
    const files = figuresOf(explanation).map(({ file }) => file);
    expect(new Set(files).size).toBe(files.length);
    expect(explainReport(explanation).match(/<img /g)).toHaveLength(files.length);
    model.dispose();
  });
});

it("a method that a network has nothing for is refused before anything is computed", () => {
  const model = mlp({ inputShape: [4, 4, 2], classes: 3, seed: null });
  expect(() => expectPossible("filters", model)).toThrow(/takes images of 2 channels/);
  expect(() => expectPossible("grad-cam", model)).toThrow(/no layer whose output is a map over places/);
  const told: string[] = [];
  expect(possible(model, undefined, (line) => told.push(line))).not.toContain("filters");
  expect(told).toHaveLength(2);
  model.dispose();
});

it("the maps of two classes of a picture are two files, whatever the classes are called", async () => {
  const subject = subjectOf(families.find(({ family }) => family === "lenet") as (typeof families)[number]);
  const { model } = subject;
  const { info } = subject;
  const pixels = new Uint8Array(info.inputShape.reduce((a, b) => a * b));
  const shown = shownPicture(model, info, pixels, { name: "dark", stem: "dark" });
  for (const classes of [
    ["猿", "豚", "鳥"],
    ["c++", "c#", "c"],
  ]) {
    const pictures = [{ ...shown, label: (shown.said + 1) % 3 }];
    const { section } = await where({ ...subject, info: { ...info, classes }, pictures }, ["grad-cam"]);
    const files = figuresOf({ title: "", subtitle: "", sections: [section] }).map(({ file }) => file);
    expect(new Set(files).size).toBe(3);
  }
  model.dispose();
});
