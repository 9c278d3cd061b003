/**
 * Our Transformer against PyTorch's in float64: logits, loss and every gradient, with padded rows; and its decoding with
 * caches against itself without. The tolerance is that of parity.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import {
  beamSearch,
  countMacs,
  greedy,
  ops,
  randomStream,
  type Transformer,
  type TransformerOptions,
  transformer,
  transformerDecoder,
} from "@tfjs-zoo/models";
import { fromFloat32, loadWeights, saveWeights, stateDict, torchShape, toTorch } from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, initialValue, type Summaries, summarise } from "../fixture.ts";

const TOLERANCE = 1e-4;

/** What make_transformer_fixtures.py wrote. */
interface Fixture {
  name: string;
  options: TransformerOptions;
  seed: number;
  batch: number;
  /** tokens */
  source: number;
  target: number;
  /** of the sources */
  lengths: number[];
  /** [batch · target · vocabulary] */
  logits: number[];
  loss: number;
  gradients: Summaries;
}

const folder = fileURLToPath(new URL("fixtures/", import.meta.url));
const fixtures = readdirSync(folder).map(
  (file): Fixture => ({ ...JSON.parse(readFileSync(`${folder}${file}`, "utf8")), name: file.replace(".json", "") }),
);

describe.each(["tensorflow", "wasm", "cpu"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  describe.each(fixtures)("$name", (fixture) => {
    it("computes PyTorch's logits, loss and gradients", async ({ skip }) => {
      if (!starts) skip();
      const before = tf.memory().numTensors;
      const models = freshModels(fixture);
      const { source, lengths, given, next } = batchOf(fixture);
      const variables = models.train.trainableWeights.map((weight) => weight.read() as tf.Variable);
      let logits: tf.Tensor | undefined;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(models.train.apply([source, lengths, given], { training: true }) as tf.Tensor);
        const rows = tf.reshape(logits, [fixture.batch * fixture.target, fixture.options.targetVocabulary]);
        return ops.softmaxCrossEntropy({ logits: rows, labels: tf.reshape(next, [-1]) }) as tf.Scalar;
      }, variables);
      expect(worstOf((logits as tf.Tensor).dataSync(), fixture.logits)).toBeLessThan(TOLERANCE);
      expect(Math.abs(value.dataSync()[0] - fixture.loss) / fixture.loss).toBeLessThan(TOLERANCE);
      const gradients: Summaries = {};
      for (const { name, variable, layout } of stateDict(models.train)) {
        const values = grads[(variable.read() as tf.Variable).name].dataSync() as Float32Array;
        gradients[name] = summarise(fixture, name, toTorch(values, variable.shape as number[], layout));
      }
      const { name, error } = errorOf(gradients, fixture.gradients);
      expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
      tf.dispose([source, lengths, given, next, value, grads, logits as tf.Tensor]);
      for (const model of Object.values(models)) model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it("gives with caches, token by token or several at once, what it gives without", async ({ skip }) => {
      if (!starts) skip();
      const models = freshModels(fixture);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const { source, lengths, given } = batchOf(fixture);
        const whole = models.train.apply([source, lengths, given]) as tf.Tensor; // [batch, target, vocabulary]
        const [, ...memory] = models.encode.apply([source, lengths]) as tf.Tensor[];
        for (const sizes of [Array(fixture.target).fill(1), [2, fixture.target - 2]] as number[][]) {
          let past: tf.Tensor[] = memory.flatMap(() => [0, 1].map(() => tf.zeros([fixture.batch, 0, 8])));
          const pieces: tf.Tensor[] = [];
          let first = 0;
          for (const size of sizes) {
            const ids = tf.slice(given, [0, first], [-1, size]);
            const [logits, ...present] = models.step.apply([ids, lengths, ...memory, ...past]) as tf.Tensor[];
            [past, first] = [present, first + size];
            pieces.push(logits);
          }
          expect(worstOf(tf.concat(pieces, 1).dataSync(), [...whole.dataSync()])).toBeLessThan(1e-5);
        }
      });
      expect(tf.memory().numTensors).toBe(before);
      for (const model of Object.values(models)) model.dispose();
    });

    it("writes by beams and greedily what its logits without caches say", async ({ skip }) => {
      if (!starts) skip();
      const models = freshModels(fixture);
      const { source, lengths, given, next } = batchOf(fixture);
      const before = tf.memory().numTensors;
      const decoder = transformerDecoder(models, source, lengths);
      const options = { begin: 1, end: 0, maxLength: 6 };
      const rows = await greedy(decoder, options);
      const searched = await beamSearch(decoder, { ...options, beams: 3, lengthPenalty: 0.6 });
      tf.dispose([...decoder.start]);
      expect(tf.memory().numTensors).toBe(before);
      const best = searched.map(({ results }) => results[0]);
      for (const written of [rows, best]) {
        for (const [row, { tokens, logProbabilities, ended }] of written.entries()) {
          const all = ended ? [...tokens, options.end] : tokens;
          const ofRow = (x: tf.Tensor) => tf.slice(x, row, 1);
          const truth = tf.tidy(() => {
            const ids = tf.tensor2d([[options.begin, ...all.slice(0, -1)]], undefined, "int32");
            const logits = models.train.apply([ofRow(source), ofRow(lengths), ids]) as tf.Tensor;
            return tf.logSoftmax(logits).arraySync() as number[][][];
          });
          for (const [i, token] of all.entries()) {
            expect(logProbabilities[i]).toBeCloseTo(truth[0][i][token], 3);
            if (written === rows) expect(truth[0][i][token]).toBeCloseTo(Math.max(...truth[0][i]), 3);
          }
        }
      }
      tf.dispose([source, lengths, given, next]);
      for (const model of Object.values(models)) model.dispose();
    });
  });
});

describe("a new Transformer", () => {
  const options = {
    sourceVocabulary: 5,
    targetVocabulary: 5,
    units: 8,
    heads: 2,
    hidden: 8,
    encoderLayers: 1,
    decoderLayers: 1,
  };
  beforeAll(() => startBackend("wasm", { setup: false }));

  it("gets the same weights from the same seed, and every graph has them", async () => {
    const [first, again, other] = [1, 1, 2].map((seed) => transformer({ ...options, seed, tied: true }));
    const bytes = await Promise.all([first, again, other].map(({ train }) => saveWeights(train)));
    expect(bytes[1]).toEqual(bytes[0]);
    expect(bytes[2]).not.toEqual(bytes[0]);
    const names = new Set(stateDict(first.train).map(({ name }) => name));
    for (const graph of [first.encode, first.step]) {
      for (const { name } of stateDict(graph)) expect(names).toContain(name);
    }
    for (const models of [first, again, other]) for (const model of Object.values(models)) model.dispose();
  });

  it("begins with embeddings as large as the waves, and has the paper's multiply-adds", () => {
    const [vocabulary, d, hidden, time] = [400, options.units, options.hidden, 7];
    const models = transformer({ ...options, sourceVocabulary: vocabulary, targetVocabulary: vocabulary, tied: true });
    const table = models.train.getLayer("embedding").getWeights()[0];
    const deviation = tf.tidy(() => tf.sqrt(tf.mean(tf.square(table))).dataSync()[0]);
    expect(deviation * Math.sqrt(d)).toBeCloseTo(1, 1);
    const attention = 4 * d ** 2 * time + 2 * time ** 2 * d; // projections in and out, Q Kᵀ and P V
    const layers = 3 * attention + 2 * (2 * d * hidden * time);
    expect(countMacs(models.train, time)).toBe(layers + vocabulary * d * time);
    for (const model of Object.values(models)) model.dispose();
  });

  it("refuses sizes that do not fit in one line", () => {
    expect(() => transformer({ ...options, heads: 3 })).toThrow(/^a Transformer got 8 units and 3 heads/);
    expect(() => transformer({ ...options, targetVocabulary: 6, tied: true })).toThrow(/vocabularies of 5 and 6/);
  });
});

/** The fixture's networks with the fixture's weights. */
function freshModels(fixture: Fixture): Transformer {
  const models = transformer({ ...fixture.options, dropout: 0, seed: null });
  const tensors = new Map(
    stateDict(models.train).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      const data = fromFloat32(initialValue(fixture, name, shape), "F32");
      return [name, { dtype: "F32" as const, shape, data }];
    }),
  );
  loadWeights(models.train, { tensors, metadata: {} });
  return models;
}

/** The fixture's sources, and targets in two: what is given and what comes next, one token later. */
function batchOf({ seed, batch, source, target, lengths, options }: Fixture) {
  const ids = (name: string, tokens: number, vocabulary: number) => {
    const random = randomStream(seed, "fixture", name);
    const values = Int32Array.from({ length: batch * tokens }, () => random.integer(vocabulary));
    return tf.tensor2d(values, [batch, tokens], "int32");
  };
  const all = ids("target", target + 1, options.targetVocabulary);
  const [given, next] = [0, 1].map((first) => tf.slice(all, [0, first], [-1, target]));
  all.dispose();
  return {
    source: ids("source", source, options.sourceVocabulary),
    lengths: tf.tensor1d(lengths, "int32"),
    given,
    next,
  };
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}
