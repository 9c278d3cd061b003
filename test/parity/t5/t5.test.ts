/**
 * Our T5 against Hugging Face's in float64: logits, loss and every gradient, with padded rows; and its decoding with caches
 * against itself without. The tolerance is that of parity.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { beamSearch, greedy, ops, randomStream, type T5, type T5Options, t5, t5Decoder } from "@tfjs-zoo/models";
import {
  fromFloat32,
  importWeights,
  loadWeights,
  saveWeights,
  stateDict,
  torchShape,
  toTorch,
} from "@tfjs-zoo/models/weights";
import { startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, initialValue, type Summaries, summarise } from "../fixture.ts";

const TOLERANCE = 1e-4;

/** What make_t5_fixtures.py wrote. */
interface Fixture {
  name: string;
  options: Required<Pick<T5Options, "sourceVocabulary" | "heads" | "headUnits">> & T5Options;
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

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const read = (path: string) => JSON.parse(readFileSync(here(path), "utf8"));
const fixtures = readdirSync(here("fixtures"))
  .filter((file) => file.endsWith(".json"))
  .map((file): Fixture => ({ ...read(`fixtures/${file}`), name: file.replace(".json", "") }));

describe.each(["tensorflow", "wasm", "cpu"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  describe.each(fixtures)("$name", (fixture) => {
    it("computes Hugging Face's logits, loss and gradients", async ({ skip }) => {
      if (!starts) skip();
      const before = tf.memory().numTensors;
      const models = freshModels(fixture);
      const { source, lengths, given, next } = batchOf(fixture);
      const variables = models.train.trainableWeights.map((weight) => weight.read() as tf.Variable);
      let logits: tf.Tensor | undefined;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(models.train.apply([source, lengths, given], { training: true }) as tf.Tensor);
        const rows = tf.reshape(logits, [-1, fixture.options.sourceVocabulary]);
        return ops.softmaxCrossEntropy({ logits: rows, labels: next }) as tf.Scalar;
      }, variables);
      expect(worstOf(await (logits as tf.Tensor).data(), fixture.logits)).toBeLessThan(TOLERANCE);
      expect(Math.abs((await value.data())[0] - fixture.loss) / fixture.loss).toBeLessThan(TOLERANCE);
      const gradients: Summaries = {};
      for (const { name, variable, layout } of stateDict(models.train)) {
        const values = (await grads[(variable.read() as tf.Variable).name].data()) as Float32Array;
        gradients[name] = summarise(fixture, name, toTorch(values, variable.shape as number[], layout));
      }
      const { name, error } = errorOf(gradients, fixture.gradients);
      expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
      tf.dispose([source, lengths, given, next, value, grads, logits as tf.Tensor]);
      disposeAll(models);
      expect(tf.memory().numTensors).toBe(before);
    });

    it("gives with caches, token by token or several at once, what it gives without", async ({ skip }) => {
      if (!starts) skip();
      const models = freshModels(fixture);
      const { heads, headUnits } = fixture.options;
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const { source, lengths, given } = batchOf(fixture);
        const whole = models.train.apply([source, lengths, given]) as tf.Tensor; // [batch, target, vocabulary]
        const memory = models.encode.apply([source, lengths]) as tf.Tensor[];
        for (const sizes of [Array(fixture.target).fill(1), [2, fixture.target - 2]] as number[][]) {
          let past: tf.Tensor[] = memory.map(() => tf.zeros([fixture.batch, 0, heads * headUnits]));
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
      disposeAll(models);
    });

    it("writes by beams and greedily what its logits without caches say", async ({ skip }) => {
      if (!starts) skip();
      const models = freshModels(fixture);
      const { source, lengths, given, next } = batchOf(fixture);
      const before = tf.memory().numTensors;
      const decoder = t5Decoder(models, source, lengths);
      const options = { begin: 1, end: 0, maxLength: 6 };
      const rows = await greedy(decoder, options);
      const searched = await beamSearch(decoder, { ...options, beams: 3, lengthPenalty: 0.6 });
      tf.dispose([...decoder.start]);
      expect(tf.memory().numTensors).toBe(before);
      for (const written of [rows, searched.map(({ results }) => results[0])]) {
        for (const [row, { tokens, logProbabilities, ended }] of written.entries()) {
          const all = ended ? [...tokens, options.end] : tokens;
          const truth = tf.tidy(() => {
            const ids = tf.tensor2d([[options.begin, ...all.slice(0, -1)]], undefined, "int32");
            const [x, length] = [source, lengths].map((tensor) => tf.slice(tensor, row, 1));
            return tf.logSoftmax(models.train.apply([x, length, ids]) as tf.Tensor).arraySync() as number[][][];
          });
          for (const [i, token] of all.entries()) {
            expect(logProbabilities[i]).toBeCloseTo(truth[0][i][token], 3);
            if (written === rows) expect(truth[0][i][token]).toBeCloseTo(Math.max(...truth[0][i]), 3);
          }
        }
      }
      tf.dispose([source, lengths, given, next]);
      disposeAll(models);
    });
  });
});

describe("relative positions", () => {
  const kinds = read("fixtures/hub/buckets.json") as {
    buckets: number;
    maxDistance: number;
    causal: boolean;
    first: number;
    expected: number[];
  }[];

  it.each(kinds)("$buckets buckets up to $maxDistance are Hugging Face's, causal $causal", (kind) => {
    expect(kind.expected.map((_, i) => ops.relativeBucket(kind.first + i, kind))).toEqual(kind.expected);
  });

  it.each([
    [
      { buckets: 7 },
      /^relative positions got 7 buckets for distances up to 128; expected an even number of at least 4/,
    ],
    [{ buckets: 1, causal: true }, /expected at least 2/],
    [{ buckets: 32, maxDistance: 8 }, /a distance above 8/],
  ])("refuse %j in one line", (kind, says) => {
    expect(() => ops.relativeBucket(-9, kind)).toThrow(says);
  });
});

describe("a T5", () => {
  beforeAll(() => startBackend("wasm", { setup: false }));

  it("takes a file of the hub, which gives the hub's logits", async () => {
    const { seed, options, logits, names } = read("fixtures/hub/hub.json");
    const [shape] = fixtures;
    const models = t5({ ...options, seed: null });
    const report = importWeights(models.train, new Uint8Array(readFileSync(here("fixtures/hub/hub.safetensors"))));
    expect(report.unused.sort()).toEqual(names.filter((name: string) => /embed_tokens|lm_head/.test(name)));
    const { source, lengths } = batchOf({ ...shape, seed, options }, "hub ");
    const target = idsOf({ ...shape, seed }, "hub target", shape.target, options.sourceVocabulary);
    const found = tf.tidy(() => models.train.apply([source, lengths, target]) as tf.Tensor);
    expect(worstOf(await found.data(), logits)).toBeLessThan(TOLERANCE);
    disposeAll(models);
  });

  it("gets the same weights from the same seed, and every graph has them", async () => {
    const { options } = fixtures[0];
    const [first, again, other] = [1, 1, 2].map((seed) => t5({ ...options, seed }));
    const bytes = await Promise.all([first, again, other].map(({ train }) => saveWeights(train)));
    expect(bytes[1]).toEqual(bytes[0]);
    expect(bytes[2]).not.toEqual(bytes[0]);
    const names = new Set(stateDict(first.train).map(({ name }) => name));
    for (const graph of [first.encode, first.step]) {
      for (const { name } of stateDict(graph)) expect(names).toContain(name);
    }
    for (const models of [first, again, other]) disposeAll(models);
  });

  it("refuses vocabularies that differ in one line", () => {
    expect(() => t5({ sourceVocabulary: 5, targetVocabulary: 6 })).toThrow(/one vocabulary, and got 5 and 6 tokens/);
  });
});

function disposeAll(models: T5): void {
  for (const model of Object.values(models)) model.dispose();
}

/** The fixture's networks with the fixture's weights. */
function freshModels(fixture: Fixture): T5 {
  const models = t5({ ...fixture.options, dropout: 0, seed: null });
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

function idsOf({ seed, batch }: Pick<Fixture, "seed" | "batch">, name: string, tokens: number, vocabulary: number) {
  const random = randomStream(seed, "fixture", name);
  const values = Int32Array.from({ length: batch * tokens }, () => random.integer(vocabulary));
  return tf.tensor2d(values, [batch, tokens], "int32");
}

/** The fixture's sources; targets, and what comes after each of their tokens, -1 where that does not count. */
function batchOf(fixture: Omit<Fixture, "name">, prefix = "") {
  const { batch, source, target, lengths, options } = fixture;
  const all = idsOf(fixture, `${prefix}target`, target + 1, options.sourceVocabulary);
  const next = all.arraySync().flatMap((row) => row.slice(1));
  next[target - 1] = -1;
  const given = tf.slice(all, [0, 0], [batch, target]);
  all.dispose();
  return {
    source: idsOf(fixture, `${prefix}source`, source, options.sourceVocabulary),
    lengths: tf.tensor1d(lengths, "int32"),
    given,
    next: tf.tensor1d(next, "int32"),
  };
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}
