import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { countMacs, countParams } from "../count.ts";
import type { ModelEntry } from "../model-entry.ts";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { randomStream } from "../random.ts";
import { loadWeights, saveWeights } from "../weights/index.ts";

/** What a registered network must do, by name: each resolves to what is wrong, nothing when all is well. */
export interface ModelCheck {
  readonly name: string;
  run(entry: ModelEntry): Promise<string[]>;
}

/** The checks of every network in the registry, on the backend in use. */
export const modelChecks: readonly ModelCheck[] = [
  { name: "has the shapes, parameters and multiply-adds that its entry states", run: checkEntry },
  { name: "gets the same weights from the same seed, others from another", run: checkSeed },
  { name: "has a finite gradient for every trainable weight and leaks nothing", run: checkTraining },
  { name: "gives equal outputs after its weights were saved and loaded", run: checkWeights },
  { name: "is rebuilt by its layers' configurations", run: checkConfig },
];

const BATCH = 2;

/** The network that a check runs: a narrow one where there is one. */
const built = (entry: ModelEntry, options: { seed?: number | null } = {}) => (entry.narrow ?? entry.build)(options);

async function checkEntry(entry: ModelEntry): Promise<string[]> {
  const model = entry.build({ seed: null });
  const found = {
    name: model.name,
    input: model.inputs[0].shape,
    output: model.outputs[0].shape,
    params: countParams(model),
    macs: countMacs(model, entry.task === "classification" ? 1 : entry.context),
  };
  const { name, params, macs } = entry;
  const shapes =
    entry.task === "classification"
      ? { input: [null, ...entry.inputShape], output: [null, entry.classes] }
      : { input: [null, null], output: [null, null, entry.vocabulary] };
  model.dispose();
  const running = built(entry);
  const outputs = await outputsOf(running);
  const expected = rowsOf(running) * (running.outputs[0].shape.at(-1) as number);
  running.dispose();
  const finite = outputs.length === expected && outputs.every(Number.isFinite);
  return [
    ...differences(found, { name, params, macs, ...shapes }),
    ...(finite ? [] : [`outputs ${outputs}, expected ${expected} finite logits`]),
  ];
}

async function checkSeed(entry: ModelEntry): Promise<string[]> {
  const bytes: Uint8Array[] = [];
  for (const seed of [1, 1, 2]) {
    const model = built(entry, { seed });
    bytes.push(await saveWeights(model));
    model.dispose();
  }
  const [first, again, other] = bytes;
  return [
    ...(equal(first, again) ? [] : ["two builds with one seed differ"]),
    ...(equal(first, other) ? ["builds with two seeds are equal"] : []),
  ];
}

async function checkTraining(entry: ModelEntry): Promise<string[]> {
  const before = held();
  const model = built(entry);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const inputs = inputsFor(model);
  const classes = model.outputs[0].shape.at(-1) as number;
  const labels = tf.tensor1d(
    Array.from({ length: rowsOf(model) }, (_, row) => (row % 2) * (classes - 1)),
    "int32",
  );
  const loss = () => {
    const logits = tf.reshape(model.apply(inputs, { training: true }) as tf.Tensor, [-1, classes]); // [rows, classes]
    return softmaxCrossEntropy({ logits, labels }) as tf.Scalar;
  };
  const problems: string[] = [];
  let afterFirst = held();
  for (const step of [1, 2]) {
    const { value, grads } = tf.variableGrads(loss, variables);
    for (const weight of model.trainableWeights) {
      const values = await grads[(weight.read() as tf.Variable).name].data();
      if (!values.every(Number.isFinite)) problems.push(`the gradient of ${weight.originalName} is not finite`);
      else if (values.every((g) => g === 0)) problems.push(`the gradient of ${weight.originalName} is 0`);
    }
    tf.dispose([value, grads]);
    if (step === 1) afterFirst = held();
  }
  if (held() !== afterFirst) problems.push(`a step leaves ${held() - afterFirst} tensor(s) behind`);
  tf.dispose([inputs, labels]);
  model.dispose();
  if (held() !== before) problems.push(`${held() - before} tensor(s) remain after the model was disposed`);
  return problems;
}

async function checkWeights(entry: ModelEntry): Promise<string[]> {
  const saved = built(entry, { seed: 1 });
  const loaded = built(entry, { seed: null });
  loadWeights(loaded, await saveWeights(saved));
  const [before, after] = [await outputsOf(saved), await outputsOf(loaded)];
  saved.dispose();
  loaded.dispose();
  return equal(before, after) ? [] : ["the outputs differ"];
}

async function checkConfig(entry: ModelEntry): Promise<string[]> {
  const model = built(entry);
  const problems = model.layers.flatMap((layer) => {
    const config = layer.getConfig();
    const type = layer.constructor as unknown as {
      fromConfig<T>(type: unknown, config: tf.serialization.ConfigDict): T;
    };
    const copy = type.fromConfig<tfl.layers.Layer>(layer.constructor, JSON.parse(JSON.stringify(config)));
    const again = JSON.stringify(copy.getConfig());
    return again === JSON.stringify(config) ? [] : [`${layer.name}: ${again}, expected ${JSON.stringify(config)}`];
  });
  model.dispose();
  return problems;
}

/** The logits of two random images or texts in inference mode. */
async function outputsOf(model: tfl.LayersModel): Promise<Float32Array> {
  const inputs = inputsFor(model);
  const logits = tf.tidy(() => model.apply(inputs, { training: false }) as tf.Tensor);
  const values = (await logits.data()) as Float32Array;
  tf.dispose([inputs, logits]);
  return values;
}

/** Of a text. */
const TOKENS = 5;

/** How many rows of logits two inputs have. */
const rowsOf = (model: tfl.LayersModel): number => (model.outputs[0].shape.length === 3 ? BATCH * TOKENS : BATCH);

/** Two random images [2, height, width, channels], or the ids of two texts [2, time]. */
function inputsFor(model: tfl.LayersModel): tf.Tensor {
  const random = randomStream(1, "model check", model.name);
  const [{ shape: given, dtype }] = model.inputs;
  if (dtype === "int32") {
    const vocabulary = model.outputs[0].shape.at(-1) as number;
    const ids = Int32Array.from({ length: BATCH * TOKENS }, () => random.integer(vocabulary));
    return tf.tensor2d(ids, [BATCH, TOKENS], "int32");
  }
  const shape = [BATCH, ...(given.slice(1) as number[])];
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );
}

function differences(found: { [field: string]: unknown }, expected: { [field: string]: unknown }): string[] {
  return Object.keys(expected).flatMap((field) => {
    const [a, b] = [found[field], expected[field]].map((value) => JSON.stringify(value));
    return a === b ? [] : [`${field} ${a}, expected ${b}`];
  });
}

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const held = (): number => tf.memory().numTensors;
