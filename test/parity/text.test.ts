/**
 * Our networks of text against Hugging Face's and PyTorch's in float64: forward, loss and every gradient. The tolerance is that of
 * parity.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { gpt, ops, randomStream, seq2seq } from "@tfjs-zoo/models";
import { fromFloat32, importWeights, loadWeights, stateDict, torchShape, toTorch } from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "./backend-starts.ts";
import { errorOf, initialValue, type Summaries, summarise } from "./fixture.ts";

const TOLERANCE = 1e-4;
const folder = fileURLToPath(new URL("text-fixtures/", import.meta.url));
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));

/** What make_text_fixtures.py wrote. */
interface Fixture {
  options: { vocabulary: number };
  seed: number;
  batch: number;
  time: number;
  labelSmoothing: number;
  /** [batch · time · vocabulary] */
  logits: number[];
  loss: number;
  gradients: Summaries;
}

/** The same of a network that translates. */
interface PairFixture extends Omit<Fixture, "options" | "labelSmoothing"> {
  options: { sourceVocabulary: number };
  /** tokens of a source, and how many of each count */
  source: number;
  lengths: number[];
}

const translators = readdirSync(folder).filter((file) => file.startsWith("seq2seq"));

const names = readdirSync(folder).filter(
  (file) => file.startsWith("gpt2") && file.endsWith(".json") && file !== "gpt2-hub.json",
);

describe.each(["tensorflow", "wasm", "cpu"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(translators)("%s: logits, loss and gradients are PyTorch's", async (file, { skip }) => {
    if (!starts) skip();
    const fixture: PairFixture = read(file);
    const { options, batch, source, lengths, time } = fixture;
    const { train, dispose } = seq2seq({ ...options, seed: null });
    withValues(train, fixture);
    const vocabulary = options.sourceVocabulary;
    const targets = idsOf(fixture, "target", time + 1, vocabulary);
    const next = targets.map((row) => row.slice(1));
    next[0][time - 1] = -1;
    const inputs = [
      tf.tensor2d(idsOf(fixture, "source", source, vocabulary), [batch, source], "int32"),
      tf.tensor1d(lengths, "int32"),
      tf.tensor2d(
        targets.map((row) => row.slice(0, -1)),
        [batch, time],
        "int32",
      ),
    ];
    const labels = tf.tensor1d(next.flat(), "int32");
    await expectSame(train, fixture, inputs, labels, {});
    tf.dispose([inputs, labels]);
    dispose();
  });

  it.for(names)("%s: logits, loss and gradients are the reference's", async (file, { skip }) => {
    if (!starts) skip();
    const fixture: Fixture = read(file);
    const { options, labelSmoothing } = fixture;
    const model = withValues(gpt({ ...options, seed: null }), fixture);
    const { ids, next } = batchOf(fixture);
    await expectSame(model, fixture, ids, next, { labelSmoothing });
    tf.dispose([ids, next]);
    model.dispose();
  });
});

it("a file of the hub gives the hub's logits", async () => {
  await startBackend("wasm", { setup: false });
  const model = gpt({ vocabulary: 11, context: 8, dim: 8, depth: 2, heads: 2, seed: null });
  const report = importWeights(model, new Uint8Array(readFileSync(join(folder, "gpt2-hub.safetensors"))));
  expect(report.rules).toEqual(["without transformer."]);
  expect(report.unused).toEqual(["transformer.h.0.attn.bias", "transformer.h.1.attn.bias"]);
  const { ids, logits: expected } = read("gpt2-hub.json") as { ids: number[]; logits: number[] };
  const logits = tf.tidy(() => model.predict(tf.tensor2d(ids, [2, 8], "int32")) as tf.Tensor);
  expect(worstOf(await logits.data(), expected)).toBeLessThan(TOLERANCE);
  logits.dispose();
  model.dispose();
});

/** Expects a fixture's logits, loss and gradients. */
async function expectSame(
  model: tfl.LayersModel,
  fixture: Pick<Fixture, "seed" | "logits" | "loss" | "gradients">,
  inputs: tf.Tensor | tf.Tensor[],
  labels: tf.Tensor1D,
  attrs: { labelSmoothing?: number },
): Promise<void> {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  let logits: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    logits = tf.keep(model.apply(inputs, { training: true }) as tf.Tensor);
    const rows = tf.reshape(logits, [-1, logits.shape[2] as number]);
    return ops.softmaxCrossEntropy({ logits: rows, labels }, attrs) as tf.Scalar;
  }, variables);
  expect(worstOf(await (logits as tf.Tensor).data(), fixture.logits)).toBeLessThan(TOLERANCE);
  expect(Math.abs((await value.data())[0] - fixture.loss) / fixture.loss).toBeLessThan(TOLERANCE);
  const gradients: Summaries = {};
  for (const { name, variable, layout } of stateDict(model)) {
    const gradient = (await grads[(variable.read() as tf.Variable).name].data()) as Float32Array;
    gradients[name] = summarise(fixture, name, toTorch(gradient, variable.shape as number[], layout));
  }
  const { name, error } = errorOf(gradients, fixture.gradients);
  expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
  tf.dispose([value, grads, logits as tf.Tensor]);
}

/** The ids of texts [batch][length]. */
function idsOf(
  { seed, batch }: Pick<Fixture, "seed" | "batch">,
  what: string,
  length: number,
  vocabulary: number,
): number[][] {
  const random = randomStream(seed, "fixture", what);
  return Array.from({ length: batch }, () => Array.from({ length }, () => random.integer(vocabulary)));
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}

function withValues(model: tfl.LayersModel, fixture: Pick<Fixture, "seed">): tfl.LayersModel {
  const tensors = new Map(
    stateDict(model).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      return [name, { dtype: "F32" as const, shape, data: fromFloat32(initialValue(fixture, name, shape), "F32") }];
    }),
  );
  loadWeights(model, { tensors, metadata: {} });
  return model;
}

/** ids [batch, time], and what comes after each; the first half of the first text's has no label. */
function batchOf({ seed, batch, time, options }: Fixture): { ids: tf.Tensor2D; next: tf.Tensor1D } {
  const all = idsOf({ seed, batch }, "ids", time + 1, options.vocabulary);
  const labels = all.map((row) => row.slice(1));
  labels[0].fill(-1, 0, Math.floor(time / 2));
  return {
    ids: tf.tensor2d(
      all.map((row) => row.slice(0, -1)),
      [batch, time],
      "int32",
    ),
    next: tf.tensor1d(labels.flat(), "int32"),
  };
}
