import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { countMacs, countParams } from "../count.ts";
import type { Gan, ModelEntry, Translator, Vae } from "../model-entry.ts";
import { softmaxCrossEntropy } from "../ops/softmax-cross-entropy.ts";
import { randomStream } from "../random.ts";
import { type Bert, disposeBert } from "../sequence/bert.ts";
import { loadWeights, saveWeights } from "../weights/index.ts";

/** What a registered network must do, by name: each resolves to what is wrong, nothing when all is well. */
export interface ModelCheck {
  readonly name: string;
  run(entry: ModelEntry): Promise<string[]>;
}

/** The checks of every network in the registry, on the backend in use. */
export const modelChecks: readonly ModelCheck[] = [
  { name: "has the shapes, parameters and multiply-adds that its entry states", run: onEachSide(checkEntry) },
  { name: "gets the same weights from the same seed, others from another", run: onEachSide(checkSeed) },
  { name: "has a finite gradient for every trainable weight and leaks nothing", run: onEachSide(checkTraining) },
  { name: "gives equal outputs after its weights were saved and loaded", run: onEachSide(checkWeights) },
  { name: "is rebuilt by its layers' configurations", run: onEachSide(checkConfig) },
];

function onEachSide(check: (entry: ModelEntry, side?: Side) => Promise<string[]>): ModelCheck["run"] {
  return async (entry) => {
    const problems: string[] = [];
    for (const side of sidesOf(entry)) {
      const found = await check(entry, side);
      problems.push(...found.map((problem) => (side === undefined ? problem : `the ${side}: ${problem}`)));
    }
    return problems;
  };
}

const BATCH = 2;

/** A network as the checks see it: the graph that is trained, which has all weights, and that whose cost is stated. */
interface Checked {
  model: tfl.LayersModel;
  counted: tfl.LayersModel;
  dispose(): void;
}

/** Of a GAN the checks see one network at a time. */
type Side = "generator" | "discriminator";
const sidesOf = (entry: ModelEntry): (Side | undefined)[] =>
  entry.task === "adversarial" ? ["generator", "discriminator"] : [undefined];

function checked(network: tfl.LayersModel | Translator | Bert | Vae | Gan, side: Side = "generator"): Checked {
  if ("generator" in network) {
    return { model: network[side], counted: network[side], dispose: () => network.dispose() };
  }
  if ("pretrain" in network) {
    return { model: network.pretrain, counted: network.encode, dispose: () => disposeBert(network) };
  }
  const model = "train" in network ? network.train : network;
  return { model, counted: model, dispose: () => void network.dispose() };
}

/** The network that a check runs: a narrow one where there is one. */
const built = (entry: ModelEntry, side?: Side, options: { seed?: number | null } = {}): Checked =>
  checked((entry.narrow ?? entry.build)(options), side);

async function checkEntry(entry: ModelEntry, side?: Side): Promise<string[]> {
  const { model, counted, dispose } = checked(entry.build({ seed: null }), side);
  const found = {
    name: model.name,
    input: model.inputs[0].shape,
    output: model.outputs[0].shape,
    params: countParams(model),
    macs: countMacs(counted, tokensOf(entry)),
  };
  const shapes = shapesOf(entry, side);
  dispose();
  const running = built(entry, side);
  const outputs = await outputsOf(running.model);
  const expected = running.model.outputs.reduce((sum, output) => sum + rowsOf(output) * classesOf(output), 0);
  running.dispose();
  const finite = outputs.length === expected && outputs.every(Number.isFinite);
  return [
    ...differences(found, { ...statedBy(entry, side), ...shapes }),
    ...(finite ? [] : [`outputs ${outputs}, expected ${expected} finite logits`]),
  ];
}

/** The name and the costs that an entry states. */
function statedBy(entry: ModelEntry, side?: Side): { name: string; params: number; macs: number } {
  const { params, macs } = side === "discriminator" && entry.task === "adversarial" ? entry.discriminator : entry;
  return { name: side === undefined ? entry.name : `${entry.name}_${side}`, params, macs };
}

/** The shapes of the first input and the first output, as the entry states them. */
function shapesOf(entry: ModelEntry, side?: Side): { input: (number | null)[]; output: (number | null)[] } {
  if (entry.task === "classification") return { input: [null, ...entry.inputShape], output: [null, entry.classes] };
  if (entry.task === "autoencoding") return { input: [null, ...entry.inputShape], output: [null, entry.latent] };
  if (entry.task === "diffusion") return { input: [null, ...entry.inputShape], output: [null, ...entry.inputShape] };
  if (entry.task === "adversarial") {
    const [images, z] = [
      [null, ...entry.inputShape],
      [null, entry.latent],
    ];
    return side === "discriminator" ? { input: images, output: [null, 1] } : { input: z, output: images };
  }
  return { input: [null, null], output: [null, null, entry.vocabulary] };
}

/** Tokens of one input, as the entry counts it. */
function tokensOf(entry: ModelEntry): number {
  if ("inputShape" in entry) return 1;
  return entry.task === "translation" ? entry.tokens : entry.context;
}

async function checkSeed(entry: ModelEntry, side?: Side): Promise<string[]> {
  const bytes: Uint8Array[] = [];
  for (const seed of [1, 1, 2]) {
    const { model, dispose } = built(entry, side, { seed });
    bytes.push(await saveWeights(model));
    dispose();
  }
  const [first, again, other] = bytes;
  return [
    ...(equal(first, again) ? [] : ["two builds with one seed differ"]),
    ...(equal(first, other) ? ["builds with two seeds are equal"] : []),
  ];
}

async function checkTraining(entry: ModelEntry, side?: Side): Promise<string[]> {
  const before = held();
  const { model, dispose } = built(entry, side);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const inputs = inputsFor(model);
  const labels = model.outputs.map((output) => {
    const values = Array.from({ length: rowsOf(output) }, (_, row) => (row % 2) * (classesOf(output) - 1));
    return tf.tensor1d(values, "int32");
  });
  const loss = () => {
    const losses = logitsOf(model, inputs, true).map((logits, i) =>
      // What is no choice among classes is to be 0.
      "inputShape" in entry && entry.task !== "classification"
        ? tf.sum(tf.square(logits))
        : softmaxCrossEntropy({ logits, labels: labels[i] }),
    );
    return tf.addN(losses) as tf.Scalar;
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
  dispose();
  if (held() !== before) problems.push(`${held() - before} tensor(s) remain after the model was disposed`);
  return problems;
}

async function checkWeights(entry: ModelEntry, side?: Side): Promise<string[]> {
  const saved = built(entry, side, { seed: 1 });
  const loaded = built(entry, side, { seed: null });
  loadWeights(loaded.model, await saveWeights(saved.model));
  const [before, after] = [await outputsOf(saved.model), await outputsOf(loaded.model)];
  saved.dispose();
  loaded.dispose();
  return equal(before, after) ? [] : ["the outputs differ"];
}

async function checkConfig(entry: ModelEntry, side?: Side): Promise<string[]> {
  const { model, dispose } = built(entry, side);
  const problems = model.layers.flatMap((layer) => {
    const config = layer.getConfig();
    const type = layer.constructor as unknown as {
      fromConfig<T>(type: unknown, config: tf.serialization.ConfigDict): T;
    };
    const copy = type.fromConfig<tfl.layers.Layer>(layer.constructor, JSON.parse(JSON.stringify(config)));
    const again = JSON.stringify(copy.getConfig());
    return again === JSON.stringify(config) ? [] : [`${layer.name}: ${again}, expected ${JSON.stringify(config)}`];
  });
  dispose();
  return problems;
}

/** What a network says, for each of its outputs: [rows, classes]. */
function logitsOf(model: tfl.LayersModel, inputs: tf.Tensor | tf.Tensor[], training: boolean): tf.Tensor2D[] {
  const outputs = [model.apply(inputs, { training }) as tf.Tensor | tf.Tensor[]].flat();
  return outputs.map((logits) => tf.reshape(logits, [-1, logits.shape.at(-1) as number]));
}

/** The logits of two random images or texts in inference mode. */
async function outputsOf(model: tfl.LayersModel): Promise<Float32Array> {
  const inputs = inputsFor(model);
  const logits = tf.tidy(() => tf.concat(logitsOf(model, inputs, false).map((rows) => tf.reshape(rows, [-1]))));
  const values = (await logits.data()) as Float32Array;
  tf.dispose([inputs, logits]);
  return values;
}

/** Of a text. */
const TOKENS = 5;

/** How many rows of logits two inputs have, and of how many classes. */
const rowsOf = ({ shape }: tfl.SymbolicTensor): number =>
  shape.slice(1, -1).reduce<number>((rows, size) => rows * (size ?? TOKENS), BATCH);
const classesOf = ({ shape }: tfl.SymbolicTensor): number => shape.at(-1) as number;

/** What other ids than those of tokens are below, by the names of inputs: of a sentence in its text, and of a place. */
const LIMITS: { [name: string]: number } = { token_types: 2, places: TOKENS };

/** Two random inputs: images [2, height, width, channels], or the ids of texts [2, time] and their lengths [2]. */
function inputsFor(model: tfl.LayersModel): tf.Tensor | tf.Tensor[] {
  const random = randomStream(1, "model check", model.name);
  const vocabulary = classesOf(model.outputs[0]);
  const inputs = model.inputs.map(({ shape: given, dtype }, i) => {
    if (dtype === "int32" && given.length === 1) return tf.tensor1d([TOKENS, TOKENS - 2], "int32");
    if (dtype === "int32") {
      const ids = Int32Array.from({ length: BATCH * TOKENS }, () =>
        random.integer(LIMITS[model.inputNames[i]] ?? vocabulary),
      );
      return tf.tensor2d(ids, [BATCH, TOKENS], "int32");
    }
    const shape = [BATCH, ...(given.slice(1) as number[])];
    return tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
      shape,
    );
  });
  return inputs.length === 1 ? inputs[0] : inputs;
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
