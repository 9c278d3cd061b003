import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { type ImageSet, inMemoryImages, type ProgressEvent } from "@tfjs-zoo/datasets";
import { mlp, randomStream } from "@tfjs-zoo/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FeatureNetwork } from "./classifier-features.ts";
import { measureLines } from "./measure-lines.ts";
import { measureSamples, type RealImages } from "./measure-samples.ts";

const shape = [8, 8, 1] as const;
const classes = ["left", "right"];
let classifier: FeatureNetwork;
let before = 0;

beforeAll(async () => {
  await tf.setBackend("cpu");
  const model = mlp({ inputShape: shape, classes: 2 });
  const info = { inputShape: shape, mean: [0.25], std: [0.25], classes };
  classifier = { name: "mlp.halves", model, info };
  before = tf.memory().numTensors;
});

afterAll(() => void classifier.model.dispose());

/** Noise that is brighter in the left half or in the right one. */
function halves(count: number, name: string, { ofLeft = 0.5 } = {}): ImageSet {
  const random = randomStream(0, "halves", name);
  const pixels = new Uint8Array(count * 64);
  for (let n = 0; n < count; n++) {
    const left = random.uniform() < ofLeft;
    for (let i = 0; i < 64; i++) pixels[n * 64 + i] = random.integer(i % 8 < 4 === left ? 250 : 60);
  }
  return inMemoryImages(pixels, new Uint16Array(count), shape);
}

const real: RealImages = { training: halves(150, "training"), heldOut: halves(120, "held out") };
const measure = (samples: ImageSet, more = {}) => measureSamples({ samples, real, classifier, ...more });

async function repeated(set: ImageSet, which: readonly number[]): Promise<ImageSet> {
  const pixels = new Uint8Array(which.length * 64);
  await set.read(which, pixels);
  return inMemoryImages(pixels, new Uint16Array(which.length), shape);
}

describe("measureSamples", () => {
  it("of new images of the data finds nothing wrong, says how far it is, and leaves nothing behind", async () => {
    const labels = new Set<string>();
    const progress = ({ label, done, total }: ProgressEvent) => {
      labels.add(label);
      expect(done).toBeLessThanOrEqual(total as number);
    };
    const measures = await measure(halves(130, "new"), { progress, inception: { ...classifier, name: "another" } });
    expect(tf.memory().numTensors).toBe(before);
    expect(labels).toContain("mlp.halves on training images");
    expect(labels).toContain("nearest pixels");
    expect(measures).toMatchObject({ features: "mlp.halves", samples: 130, reference: 120, collapse: [] });
    expect(measures.precision).toBeGreaterThan(0.6);
    expect(measures.recall).toBeGreaterThan(0.6);
    expect(Math.abs(measures.kid.mean)).toBeLessThan(2 * measures.kid.spread);
    expect(measures.inception).toMatchObject({ features: "another", fid: measures.fid, recall: measures.recall });
    expect(measures.memorised.pixels.memorised || measures.memorised.features.memorised).toBe(false);
    const lines = measureLines(measures).join("\n");
    expect(lines).toMatch(/^FID [\d.]+ on features of mlp.halves: not comparable with published FID \(130 samples/);
    expect(lines).toMatch(/\nFID [\d.]+ on features of another: comparable with published FID of as many/);
    expect(lines).toContain("\nno sign of mode collapse\n");
    expect(lines).toMatch(/\nnot learned by heart: [^\n]+$/);
  });

  it("of training images finds that they are copies, and of which", async () => {
    const which = [5, 17, 80, 81, 82, 149, 3, 44];
    const measures = await measure(await repeated(real.training, which), { compared: 6 });
    const { samples, pixels, features } = measures.memorised;
    expect(samples).toHaveLength(6);
    for (const { neighbours, copies, memorised } of [pixels, features]) {
      expect([...neighbours.index]).toEqual([...samples].map((i) => which[i]));
      expect([copies, memorised]).toEqual([1, true]);
    }
    expect(measureLines(measures).at(-1)).toBe("learned by heart: 100.0 % of samples are copies of a training image");
  });

  it("of one image again and again finds a collapse", async () => {
    const measures = await measure(await repeated(halves(1, "one"), new Array(60).fill(0)));
    expect(measures.recall).toBe(0);
    expect(measures.collapse.at(-1)).toBe("only 0.0 % of real images lie among the samples");
    expect(measureLines(measures).join("\n")).toContain("signs of mode collapse: ");
  });

  it("says how many samples are of the class that was asked for, beside real images", async () => {
    const [realLabels, askedLabels] = [Uint16Array.from({ length: 120 }, (_, i) => i % 2), new Uint16Array(130)];
    const heldOut = { ...real.heldOut, labels: realLabels };
    const samples = { ...halves(130, "new"), labels: askedLabels };
    const measures = await measure(samples, { asked: true, real: { ...real, heldOut } });
    expect(measures.asked?.right).toBeCloseTo(measures.classShares[0], 12);
    expect(measures.asked?.accuracy).toBeGreaterThan(0);
    expect(measureLines(measures).join("\n")).toMatch(
      / of samples are of the class that was asked for; of real images it/,
    );
    expect((await measure(samples)).asked).toBeUndefined();
  });

  it("of noise finds that no sample is real", async () => {
    const random = randomStream(0, "noise");
    const pixels = Uint8Array.from({ length: 60 * 64 }, () => 255 * random.integer(2));
    const measures = await measure(inMemoryImages(pixels, new Uint16Array(60), shape));
    expect(measures.precision).toBe(0);
    expect(measures.fid).toBeGreaterThan(3 * (await measure(halves(60, "sixty"))).fid);
  });

  it("refuses images of another shape", async () => {
    const large = inMemoryImages(new Uint8Array(256 * 8), new Uint16Array(8), [16, 16, 1]);
    await expect(measure(large)).rejects.toThrow(
      /^samples of 16x16x1 and real images of 8x8x1: expected images of one shape$/,
    );
  });
});
