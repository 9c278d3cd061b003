/** Inception's features as FID takes them, and its auxiliary classifier, against PyTorch in float64. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { inMemoryImages } from "@tfjs-zoo/datasets";
import { inceptionV3, inceptionV3Fid, randomStream } from "@tfjs-zoo/models";
import { fromFloat32, loadWeights, stateDict, torchShape } from "@tfjs-zoo/models/weights";
import { classifierFeatures } from "@tfjs-zoo/training";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { initialValue } from "../fixture.ts";

/** What make_inception_fixtures.py wrote. */
interface Fixture {
  seed: number;
  width: number;
  classes: number;
  images: number;
  /** `float32` is how far PyTorch's own float32 is from its float64, as the test measures it */
  features: { shape: [height: number, width: number, channels: number]; features: number[][]; float32: number }[];
  auxiliary: { names: string[]; logits: number[][]; auxiliaryLogits: number[][] };
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("fixtures/inception.json", import.meta.url), "utf8"));
const { seed, width, classes, images } = fixture;

/** Relative to the largest value: float32 is off by some 1e-6 (`float32` of the fixture), another pooling by 1e-2. */
const TOLERANCE = 1e-5;

describe.each(["tensorflow", "wasm"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(fixture.features)("features of images of $shape are those that FID is of", async (given, { skip }) => {
    if (!starts) skip();
    await tf.setBackend(backend);
    const { shape } = given;
    const model = filled(inceptionV3Fid({ width, classes, seed: null }));
    const random = randomStream(seed, "pixels", ...shape);
    const pixels = Uint8Array.from({ length: images * shape[0] * shape[1] * shape[2] }, () => random.integer(256));
    const half = [0.5, 0.5, 0.5];
    const info = { inputShape: [299, 299, 3], mean: half, std: half, classes: new Array(classes).fill("") } as const;
    const { features } = await classifierFeatures(
      { name: "inception-v3-fid", model, info },
      inMemoryImages(pixels, new Uint16Array(images), shape),
    );
    expect([features.count, features.dimensions]).toEqual([images, (2048 * width) / 32]);
    expect(given.float32).toBeLessThan(TOLERANCE);
    expect(worstOf(features.values, given.features)).toBeLessThan(TOLERANCE);
    model.dispose();
  });

  it("the auxiliary classifier's logits are torchvision's, and so are its weights' names", async ({ skip }) => {
    if (!starts) skip();
    await tf.setBackend(backend);
    const { names, logits, auxiliaryLogits } = fixture.auxiliary;
    const model = filled(inceptionV3({ width, classes, auxLogits: true, seed: null }));
    expect(
      stateDict(model)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...names].sort());
    const random = randomStream(seed, "fixture", "images", 0);
    const values = Float32Array.from({ length: 2 * 299 * 299 * 3 }, () => random.normal());
    const x = tf.tensor4d(values, [2, 299, 299, 3]);
    const outputs = model.predict(x) as tf.Tensor[];
    expect(worstOf(await outputs[0].data(), logits)).toBeLessThan(TOLERANCE);
    expect(worstOf(await outputs[1].data(), auxiliaryLogits)).toBeLessThan(TOLERANCE);
    tf.dispose([x, outputs]);
    model.dispose();
  });
});

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly (readonly number[])[]): number {
  const flat = expected.flat();
  const errors = flat.map((value, i) => Math.abs(value - actual[i]));
  return errors.every(Number.isFinite)
    ? Math.max(...errors) / Math.max(...flat.map(Math.abs))
    : Number.POSITIVE_INFINITY;
}

function filled(model: tfl.LayersModel): tfl.LayersModel {
  const tensors = new Map(
    stateDict(model).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      return [name, { dtype: "F32" as const, shape, data: fromFloat32(initialValue({ seed }, name, shape), "F32") }];
    }),
  );
  loadWeights(model, { tensors, metadata: {} });
  return model;
}
