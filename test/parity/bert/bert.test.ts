/**
 * Our BERT against Hugging Face's in float64: logits, losses and every gradient, with padded rows; and a file with the
 * hub's names. The tolerance is that of parity.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import {
  type Bert,
  type BertClassifierOptions,
  type BertOptions,
  bert,
  bertClassifier,
  countMacs,
  countParams,
  disposeBert,
  findTextEncoder,
  ops,
  randomStream,
} from "@tfjs-zoo/models";
import {
  fromFloat32,
  importWeights,
  loadWeights,
  readSafetensors,
  saveWeights,
  stateDict,
  torchShape,
  toTorch,
  writeSafetensors,
} from "@tfjs-zoo/models/weights";
import { loadTokenizer, startBackend } from "@tfjs-zoo/training/node";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createOutput } from "../../../apps/cli/src/context.ts";
import { importTextEncoder } from "../../../apps/cli/src/import-text-encoder.ts";
import { backendStarts } from "../backend-starts.ts";
import { errorOf, initialValue, type Summaries, summarise } from "../fixture.ts";

const TOLERANCE = 1e-4;

/** What make_bert_fixtures.py wrote. */
interface Texts<Options> {
  options: Options & { vocabulary: number };
  seed: number;
  batch: number;
  tokens: number;
  lengths: number[];
}
interface Pretraining extends Texts<BertOptions> {
  /** [batch][hidden], words −1 where there is none */
  places: number[][];
  words: number[][];
  next: number[];
  logits: { words: number[]; next: number[] };
  losses: { words: number; next: number };
  gradients: Summaries;
}
interface Classification extends Texts<BertClassifierOptions> {
  labels: number[];
  logits: number[];
  loss: number;
  gradients: Summaries;
}

const folder = fileURLToPath(new URL("fixtures/", import.meta.url));
const read = <T>(file: string): T => JSON.parse(readFileSync(folder + file, "utf8"));
const pretrainings = readdirSync(folder).filter((file) => file.startsWith("pretrain-"));

describe.each(["tensorflow", "wasm", "cpu"] as const)("on %s", (backend) => {
  let starts = false;
  beforeAll(async () => {
    starts = await backendStarts(backend);
  });

  it.for(pretrainings)("%s: logits, losses and gradients are the reference's", async (file, { skip }) => {
    if (!starts) skip();
    const before = tf.memory().numTensors;
    const fixture = read<Pretraining>(file);
    const { encode, pretrain } = bert({ ...fixture.options, dropout: 0, seed: null });
    withValues(pretrain, fixture);
    const inputs = [...textsOf(fixture), tf.tensor2d(fixture.places, undefined, "int32")];
    const [words, next] = [fixture.words.flat(), fixture.next].map((labels) => tf.tensor1d(labels, "int32"));
    await expectSame(pretrain, fixture, inputs, ([wordLogits, nextLogits]) => {
      const rows = tf.reshape(wordLogits, [-1, fixture.options.vocabulary]); // [batch · hidden, vocabulary]
      const losses = {
        words: ops.softmaxCrossEntropy({ logits: rows, labels: words }),
        next: ops.softmaxCrossEntropy({ logits: nextLogits, labels: next }),
      };
      for (const what of ["words", "next"] as const) {
        expect(losses[what].dataSync()[0] / fixture.losses[what]).toBeCloseTo(1, 4);
      }
      expect(worstOf(wordLogits.dataSync(), fixture.logits.words)).toBeLessThan(TOLERANCE);
      expect(worstOf(nextLogits.dataSync(), fixture.logits.next)).toBeLessThan(TOLERANCE);
      return tf.add(losses.words, losses.next);
    });
    tf.dispose([inputs, words, next]);
    for (const model of [encode, pretrain]) model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("the classifier's logits, loss and gradients are the reference's", async ({ skip }) => {
    if (!starts) skip();
    const before = tf.memory().numTensors;
    const fixture = read<Classification>("classifier.json");
    const model = withValues(bertClassifier({ ...fixture.options, dropout: 0, seed: null }), fixture);
    const [inputs, labels] = [textsOf(fixture), tf.tensor1d(fixture.labels, "int32")];
    await expectSame(model, fixture, inputs, ([logits]) => {
      const loss = ops.softmaxCrossEntropy({ logits, labels });
      expect(loss.dataSync()[0] / fixture.loss).toBeCloseTo(1, 4);
      expect(worstOf(logits.dataSync(), fixture.logits)).toBeLessThan(TOLERANCE);
      return loss;
    });
    tf.dispose([inputs, labels]);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a file of the hub", () => {
  type Hub = Texts<BertOptions> & Pick<Pretraining, "logits">;
  const file = new Uint8Array(readFileSync(`${folder}bert-hub.safetensors`));
  beforeAll(() => startBackend("wasm", { setup: false }));

  const expectLogits = ({ pretrain }: Bert, fixture: Hub) =>
    tf.tidy(() => {
      const { batch, tokens, logits } = fixture;
      const everywhere = Array.from({ length: batch }, () => Array.from({ length: tokens }, (_, place) => place));
      const inputs = [...textsOf(fixture), tf.tensor2d(everywhere, undefined, "int32")];
      const [words, next] = pretrain.apply(inputs) as tf.Tensor[];
      expect(worstOf(words.dataSync(), logits.words)).toBeLessThan(TOLERANCE);
      expect(worstOf(next.dataSync(), logits.next)).toBeLessThan(TOLERANCE);
    });

  it("gives the hub's logits, old names of norms and all", () => {
    const fixture = read<Hub>("bert-hub.json");
    const models = bert({ ...fixture.options, seed: null });
    const report = importWeights(models.pretrain, file);
    expect(report.rules).toEqual(["gamma, beta -> weight, bias"]);
    expect(report.unused).toEqual(["cls.predictions.decoder.weight"]); // the word embeddings once more
    expectLogits(models, fixture);
    for (const model of Object.values(models)) model.dispose();
  });

  it("that has the encoder alone, without its prefix, is the encoder's", async () => {
    const { options } = read<Hub>("bert-hub.json");
    const [whole, alone] = [0, 1].map(() => bert({ ...options, seed: null }));
    importWeights(whole.pretrain, file);
    const tensors = [...readSafetensors(file).tensors].filter(([name]) => name.startsWith("bert."));
    const bare = writeSafetensors(new Map(tensors.map(([name, tensor]) => [name.replace("bert.", ""), tensor])));
    const report = importWeights(alone.encode, bare);
    expect([...report.rules].sort()).toEqual(["gamma, beta -> weight, bias", "with bert."]);
    expect(report.unused).toEqual([]);
    expect(await saveWeights(alone.encode)).toEqual(await saveWeights(whole.encode));
    for (const models of [whole, alone]) for (const model of Object.values(models)) model.dispose();
  });

  it("is what zoo import makes of it, with the vocab.txt beside it", async () => {
    const fixture = read<Hub>("bert-hub.json");
    const folder = await mkdtemp(join(tmpdir(), "zoo-bert-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [path, out] = ["model.safetensors", "mine/weights.safetensors"].map((name) => join(folder, name));
    await mkdir(join(folder, "mine"));
    const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e", "f"];
    await writeFile(join(folder, "vocab.txt"), `${words.join("\n")}\n`);
    const entry = findTextEncoder("bert-base-uncased");
    const narrow = { ...entry, context: 9, build: entry.narrow };
    const output = createOutput({ json: true });
    const imported = await importTextEncoder(narrow, { path, bytes: file, out, flags: { backend: "wasm" }, output });
    expect(imported).toMatchObject({ model: "bert-base-uncased", vocabulary: 11, context: 9, format: "safetensors" });
    expect((await loadTokenizer(join(folder, "mine", "tokenizer.json"))).encode("fc")).toEqual(Int32Array.of(1));
    const network = entry.narrow({ seed: null });
    loadWeights(network.pretrain, readFileSync(out));
    expectLogits(network, fixture);
    disposeBert(network);
  });

  it("begins a classifier, whose head stays fresh", () => {
    const { options } = read<Hub>("bert-hub.json");
    const models = bert({ ...options, seed: 1 });
    const classifier = bertClassifier({ ...options, classes: 3, seed: 2 });
    const learned = new Map(
      stateDict(models.pretrain).map(({ name, variable, layout }) => {
        const shape = torchShape(variable.shape as number[], layout);
        const values = toTorch(variable.read().dataSync() as Float32Array, variable.shape as number[], layout);
        return [name, { dtype: "F32" as const, shape, data: fromFloat32(values, "F32") }];
      }),
    );
    const { missing, extra } = loadWeights(classifier, { tensors: learned, metadata: {} }, { strict: false });
    expect(missing).toEqual(["classifier.weight", "classifier.bias"]);
    expect(extra.every((name) => name.startsWith("cls."))).toBe(true);
    for (const model of [...Object.values(models), classifier]) model.dispose();
  });
});

describe("a new BERT", () => {
  const options = { vocabulary: 400, context: 9, dim: 8, depth: 2, heads: 2, hidden: 12 };
  beforeAll(() => startBackend("wasm", { setup: false }));

  it("has the published parameters and multiply-adds, by the formula of its sizes", () => {
    const models = bert({ ...options, seed: null });
    const { vocabulary: v, context, dim: d, depth, hidden } = options;
    const layer = 4 * (d + 1) * d + (d + 1) * hidden + (hidden + 1) * d + 4 * d;
    const tables = (v + context + 2) * d + 2 * d;
    const heads = 2 * (d + 1) * d + 2 * d + v + 2 * (d + 1);
    expect(countParams(models.pretrain)).toBe(tables + depth * layer + heads);
    const time = 5;
    const perToken = depth * (4 * d ** 2 + 2 * d * hidden);
    const encoder = time * perToken + depth * 2 * time ** 2 * d + d ** 2;
    expect(countMacs(models.encode, time)).toBe(encoder);
    expect(countMacs(models.pretrain, time)).toBe(encoder + time * (d ** 2 + v * d) + 2 * d); // all words hidden
    for (const model of Object.values(models)) model.dispose();
  });

  it("gets the same weights from the same seed, and has dropout in training alone", async () => {
    const [first, again, other] = [1, 1, 2].map((seed) => bert({ ...options, seed, dropout: 0.5 }));
    const bytes = await Promise.all([first, again, other].map(({ pretrain }) => saveWeights(pretrain)));
    expect(bytes[1]).toEqual(bytes[0]);
    expect(bytes[2]).not.toEqual(bytes[0]);
    tf.tidy(() => {
      const inputs = [...textsOf({ options, seed: 1, batch: 2, tokens: 5, lengths: [5, 3] })];
      const states = (training: boolean) => (first.encode.apply(inputs, { training }) as tf.Tensor[])[0].dataSync();
      expect(states(false)).toEqual(states(false));
      expect(states(true)).not.toEqual(states(false));
    });
    for (const models of [first, again, other]) for (const model of Object.values(models)) model.dispose();
  });

  it("does not look at padding", () => {
    const { encode, pretrain } = bert({ ...options, seed: 3 });
    tf.tidy(() => {
      const [ids, types] = textsOf({ options, seed: 1, batch: 2, tokens: 5, lengths: [] });
      const lengths = tf.tensor1d([3, 2], "int32");
      const other = tf.concat([tf.slice(ids, [0, 0], [-1, 3]), tf.onesLike(tf.slice(ids, [0, 3]))], 1);
      const [[states, pooled], [same, pooledToo]] = [ids, other].map(
        (given) => encode.apply([given, types, lengths]) as tf.Tensor[],
      );
      const seen = (x: tf.Tensor) => [...tf.slice(x, [0, 0, 0], [1, 3, -1]).dataSync()];
      expect(seen(same)).toEqual(seen(states));
      expect([...pooledToo.dataSync()]).toEqual([...pooled.dataSync()]);
    });
    for (const model of [encode, pretrain]) model.dispose();
  });

  it("refuses sizes that do not fit, and texts that are too long, in one line", () => {
    expect(() => bert({ ...options, heads: 3 })).toThrow(/^a BERT got 8 channels and 3 heads; expected a multiple/);
    const { encode, pretrain } = bert({ ...options, seed: null });
    const inputs = textsOf({ options, seed: 1, batch: 1, tokens: 10, lengths: [10] });
    expect(() => encode.apply(inputs)).toThrow(/a text of 10 tokens, and bert.embeddings.position_embeddings knows/);
    tf.dispose(inputs);
    for (const model of [encode, pretrain]) model.dispose();
  });
});

/** Calls for the loss of a network's outputs, and expects a fixture's gradients. */
async function expectSame(
  model: tfl.LayersModel,
  fixture: Pick<Pretraining, "seed" | "gradients">,
  inputs: tf.Tensor[],
  lossOf: (outputs: tf.Tensor[]) => tf.Tensor,
): Promise<void> {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const { value, grads } = tf.variableGrads(() => {
    const outputs = model.apply(inputs, { training: true }) as tf.Tensor | tf.Tensor[];
    return lossOf(Array.isArray(outputs) ? outputs : [outputs]) as tf.Scalar;
  }, variables);
  const gradients: Summaries = {};
  for (const { name, variable, layout } of stateDict(model)) {
    const gradient = (await grads[(variable.read() as tf.Variable).name].data()) as Float32Array;
    gradients[name] = summarise(fixture, name, toTorch(gradient, variable.shape as number[], layout));
  }
  const { name, error } = errorOf(gradients, fixture.gradients);
  expect(error, `gradient of ${name}`).toBeLessThan(TOLERANCE);
  tf.dispose([value, grads]);
}

/** ids and token types [batch, tokens], lengths [batch] */
function textsOf({ options, seed, batch, tokens, lengths }: Texts<BertOptions>): tf.Tensor[] {
  const ids = (what: string, below: number) => {
    const random = randomStream(seed, "fixture", what);
    const values = Int32Array.from({ length: batch * tokens }, () => random.integer(below));
    return tf.tensor2d(values, [batch, tokens], "int32");
  };
  return [ids("ids", options.vocabulary), ids("types", 2), tf.tensor1d(lengths, "int32")];
}

/** The largest error, relative to the largest value. */
function worstOf(actual: ArrayLike<number>, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((z, i) => (Number.isNaN(actual[i]) ? Infinity : Math.abs(z - actual[i]))));
  return worst / Math.max(...expected.map(Math.abs));
}

function withValues(model: tfl.LayersModel, fixture: Pick<Pretraining, "seed">): tfl.LayersModel {
  const tensors = new Map(
    stateDict(model).map(({ name, variable, layout }) => {
      const shape = torchShape(variable.shape as number[], layout);
      return [name, { dtype: "F32" as const, shape, data: fromFloat32(initialValue(fixture, name, shape), "F32") }];
    }),
  );
  loadWeights(model, { tensors, metadata: {} });
  return model;
}
