import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countMacs, countParams } from "../count.ts";
import { registerWasmKernels } from "../kernels/wasm/index.ts";
import { seedDropout } from "../layers/index.ts";
import { randomStream } from "../random.ts";
import { loadWeights, saveWeights, stateDict } from "../weights/index.ts";
import { ddimSample } from "./ddim-sampler.ts";
import { noiseSchedule } from "./noise-schedule.ts";
import { type UnetOptions, unet, unetDenoiser, unetVariants } from "./unet.ts";

beforeAll(async () => {
  registerWasmKernels();
  await tf.setBackend("wasm");
});

const narrow: UnetOptions = {
  ...{ imageShape: [4, 6, 2], channels: 4, multipliers: [1, 2], blocks: 1, groups: 2 },
  ...{ attentionResolutions: [2], seed: 1 },
};

/** Two images of noise. */
const images = () => {
  const random = randomStream(2, "images");
  return tf.tensor(
    Float32Array.from({ length: 2 * 4 * 6 * 2 }, () => random.normal()),
    [2, 4, 6, 2],
  );
};

describe.each(Object.entries(unetVariants))("%s", (name, { params, macs, ...sizes }) => {
  it("has the parameters, multiply-adds and shapes that its table states", () => {
    const model = unet({ ...sizes, name, seed: null });
    expect([countParams(model), countMacs(model)]).toEqual([params, macs]);
    expect(model.inputs.map(({ shape }) => shape)).toEqual([[null, ...sizes.imageShape], [null]]);
    expect(model.outputs[0].shape).toEqual([null, ...sizes.imageShape]);
    expect(model.name).toBe(name);
    model.dispose();
  });
});

describe("a U-Net", () => {
  it("has the names of the PyTorch port", () => {
    const model = unet({ ...narrow, classes: 3 });
    const names = stateDict(model).map((entry) => entry.name);
    model.dispose();
    const expected = [
      ...["temb.dense.0.weight", "temb.dense.1.bias", "label_emb.weight", "conv_in.weight"],
      ...["down.0.block.0.norm1.weight", "down.0.block.0.temb_proj.weight", "down.0.downsample.conv.weight"],
      ...["down.1.block.0.nin_shortcut.weight", "down.1.attn.0.norm.weight", "down.1.attn.0.q.weight"],
      ...["mid.block_1.conv1.weight", "mid.attn_1.proj_out.bias", "mid.block_2.conv2.bias"],
      ...["up.1.block.1.norm2.bias", "up.1.attn.1.k.weight", "up.1.upsample.conv.weight", "up.0.block.0.conv1.weight"],
      ...["norm_out.weight", "conv_out.bias"],
    ];
    for (const name of expected) expect(names).toContain(name);
    expect(names.filter((name) => name.includes("attn.")).every((name) => /^(down|up)\.1\.attn/.test(name))).toBe(true);
  });

  it("begins with next to nothing, from its seed", async () => {
    const x = images();
    const models = [1, 1, 2].map((seed) => unet({ ...narrow, seed }));
    const [first, again, other] = await Promise.all(models.map((model) => saveWeights(model)));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const output = unetDenoiser(models[0])(x, 3);
    const largest = Math.max(...(await output.data()).map(Math.abs));
    expect(largest).toBeLessThan(1e-3);
    expect(largest).toBeGreaterThan(0);
    tf.dispose([x, output]);
    for (const model of models) model.dispose();
  });

  it("depends on image, time and class, and without a class on the null class", async () => {
    const before = tf.memory().numTensors;
    const model = withLargeWeights({ ...narrow, classes: 3 });
    const denoise = unetDenoiser(model);
    const x = images();
    const asked = async (t: number, labels?: number[]) => {
      const ids = labels && tf.tensor1d(labels, "int32");
      const output = denoise(x, t, ids);
      expect(output.shape).toEqual([2, 4, 6, 2]);
      const values = [...(await output.data())];
      tf.dispose([output, ids ?? []]);
      return values;
    };
    const given = await asked(5, [0, 1]);
    expect(given.every(Number.isFinite)).toBe(true);
    expect(await asked(5, [0, 1])).toEqual(given);
    expect(await asked(6, [0, 1])).not.toEqual(given);
    const swapped = await asked(5, [0, 2]);
    expect(swapped.slice(0, 48)).toEqual(given.slice(0, 48));
    expect(swapped.slice(48)).not.toEqual(given.slice(48));
    expect(await asked(5)).toEqual(await asked(5, [3, 3]));
    x.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("drops units in training only, by the seed", () => {
    const model = withLargeWeights({ ...narrow, dropout: 0.5 });
    const given = [images(), tf.tensor1d([3, 7], "int32")];
    const values = (training: boolean, step: number) => {
      seedDropout(model, 1, step);
      return tf.tidy(() => [...(model.apply(given, { training }) as tf.Tensor).dataSync()]);
    };
    expect(values(true, 0)).toEqual(values(true, 0));
    expect(values(true, 1)).not.toEqual(values(true, 0));
    expect(values(false, 1)).toEqual(values(false, 0));
    tf.dispose(given);
    model.dispose();
  });

  it("gives what it gave after its weights were saved and loaded", async () => {
    const [saved, loaded] = [withLargeWeights({ ...narrow, classes: 2 }), unet({ ...narrow, classes: 2, seed: null })];
    loadWeights(loaded, await saveWeights(saved));
    const x = images();
    const [a, b] = [saved, loaded].map((model) => unetDenoiser(model)(x, 9));
    expect(await b.data()).toEqual(await a.data());
    tf.dispose([x, a, b]);
    for (const model of [saved, loaded]) model.dispose();
  });

  it("is asked by a sampler with guidance", async () => {
    const model = withLargeWeights({ ...narrow, classes: 3 });
    const before = tf.memory().numTensors;
    const sampled = await ddimSample({
      denoise: unetDenoiser(model),
      schedule: noiseSchedule("cosine", 10),
      shape: [2, 4, 6, 2],
      steps: 3,
      random: (...path) => randomStream(1, ...path),
      guidance: { labels: [0, 2], classes: 3, strength: 2 },
    });
    expect((await sampled.data()).every((value) => Math.abs(value) <= 1)).toBe(true);
    sampled.dispose();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it("that knows no classes refuses them in one line", () => {
    const model = unet(narrow);
    const [x, labels] = [images(), tf.tensor1d([0, 1], "int32")];
    expect(() => unetDenoiser(model)(x, 1, labels)).toThrow(
      "unet was given classes, and knows none: it was trained without",
    );
    tf.dispose([x, labels]);
    model.dispose();
  });

  it.each<[UnetOptions, string]>([
    [
      { imageShape: [6, 6, 1], multipliers: [1, 2, 2] },
      "images of 6×6 and 3 levels; expected a height and width that can be halved 2 time(s)",
    ],
    [{ channels: 6, groups: 4 }, "6 channels in 4 groups; expected a multiple of the groups"],
    [{ channels: 3, groups: 3 }, "3 channels; expected an even number of at least 4"],
    [{ attentionResolutions: [3] }, "attention at a height of 3; expected heights among 4, 2"],
    [{ multipliers: [] }, "no multipliers; expected one for each of its levels, such as 1, 2, 2"],
    [{ blocks: 0 }, "0 for blocks; expected positive integers"],
    [{ classes: 0 }, "0 for classes; expected positive integers"],
  ])("refuses %j in one line", (wrong, says) => {
    expect(() => unet({ ...narrow, ...wrong })).toThrow(`a U-Net got ${says}`);
  });
});

/** A network that says something: as a new one its residuals are next to nothing. */
function withLargeWeights(options: UnetOptions) {
  const model = unet(options);
  for (const weight of model.weights) {
    if (!/(conv2|proj_out|conv_out)\/weight$/.test(weight.originalName)) continue;
    const larger = tf.tidy(() => tf.mul(weight.read(), 1e5));
    weight.write(larger);
    larger.dispose();
  }
  return model;
}
