import type { ModelEntry } from "@tfjs-zoo/models";
import type { Card } from "@tfjs-zoo/models/weights";
import { type Comparison, headings, rowsOf, setupOf, worthOf } from "@tfjs-zoo/training/node";
import { type Column, markdownTable } from "./blocks.ts";

/** What `zoo bench train …` and `zoo bench infer … --save` write, as far as a table shows it. */
export interface TrainResult {
  task?: "train" | "infer";
  model: string;
  backend: string;
  precision: string;
  batch: number;
  ours: { items_per_s: number; step_ms: number };
  peers: {
    stock?: { ratio: number };
    torch?: { ratio: number };
    unfolded?: { ratio: number };
    chromium?: { ratio: number };
  };
  environment: Environment & { versions?: { [contestant: string]: { [name: string]: string } } };
}

/** What a figure was measured on, as far as a line says it. */
interface Environment {
  cpu: string;
  cores: number;
  node: string;
  device?: string;
}

/** What `zoo bench memory … --save` writes. */
export interface MemoryResult {
  model: string;
  backend: string;
  batch: number;
  steps: number;
  num_tensors_10: number;
  [numTensors: `num_tensors_${number}`]: number;
  rss_mb: number[];
  environment?: Environment;
}

/** What `zoo bench data … --save` writes. */
export interface DataResult {
  model: string;
  backend: string;
  precision: string;
  augmented_per_s: number;
  trained_per_s: number;
  wait_ms: number;
  step_ms: number;
  environment?: Environment;
}

interface GrowthPoint {
  batch: number;
  depth: number;
  width: number;
  items_per_s: number;
  rss_mb: number;
}

/** What `zoo bench growth --save` writes. */
export interface GrowthResult {
  backend: string;
  precision: string;
  growth: { title: string; axis: "batch" | "depth" | "width"; points: GrowthPoint[] }[];
  environment?: Environment;
}

/** What `zoo speedrun --save` writes. */
export interface SpeedrunResult {
  model: string;
  precision: string;
  epochs: number;
  mean_accuracy: number;
  mean_seconds: number;
  seeds: { seed: number; accuracy: number; seconds: number; train_seconds: number }[];
  environment: Environment;
}

/** What figures are of, by task, where they are not of images. */
const measuredOn: { [task: string]: string } = {
  translation: "sentences",
  "language-modelling": "tokens",
  "masked-language-modelling": "tokens",
};

/** Digits behind the point, by metric, where they are not three. */
const digits: { [metric: string]: number } = { BLEU: 2, "-ELBO": 2, "-log p(x), 50 draws": 2 };

const whole = (n: number) => n.toLocaleString("en");
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const megas = (n: number) => `${(n / 1e6).toFixed(n < 1e6 ? 2 : 1)} M`;
const bytes = (n: number) => (n < 1e6 ? `${Math.round(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`);
const code = (text: string) => `\`${text}\``;
const right = (title: string): Column => ({ title, align: "right" });
const left = (title: string): Column => ({ title });

/** How long a page takes to its first answer, as measure-open.ts saves it. */
export interface PageResult {
  page: string;
  model: string;
  backend: string;
  first_ms: number;
  kept_ms: number;
  kept_all_ms: number[];
  environment: { cpu: string; cores: number; chromium: string };
}

/** From opening a page to its first answer, in a sentence each. */
export function pageText(results: readonly PageResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return results
    .map(({ page, model, backend, first_ms, kept_ms, kept_all_ms, environment: { cpu, cores, chromium } }) =>
      [
        `From opening _${page}_ to its first answer by ${code(model)} on ${backend}: ${seconds(first_ms)} s at the first visit, and`,
        `${seconds(kept_ms)} s with everything kept on the device (median of ${kept_all_ms.length}; localhost, Chromium ${chromium}, ${cpu}, ${cores} cores).`,
      ].join(" "),
    )
    .join("\n\n");
}

/** What `zoo bench decode … --save` writes. */
export interface DecodeResult {
  decode: true;
  model: string;
  backend: string;
  tokens: number;
  cached_per_s: number;
  uncached_per_s: number;
  ratio: number;
  environment: Environment;
}

/** How fast networks of text write, with earlier states kept and without. */
export function decodeTable(results: readonly DecodeResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  const table = markdownTable(
    [left("writes"), left("backend"), right("tokens"), right("tokens/s"), right("all computed again"), right("ratio")],
    results.map(({ model, backend, tokens, cached_per_s, uncached_per_s, ratio }) => [
      code(model),
      backend,
      whole(tokens),
      cached_per_s.toFixed(0),
      uncached_per_s.toFixed(0),
      `× ${ratio.toFixed(2)}`,
    ]),
  );
  return [table, ...new Set(results.map(machineText))].join("\n\n");
}

/** Published comparisons: the table of each, and what its differences are worth. */
export function comparisonText(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "No comparison has been published yet.";
  return comparisons
    .map((comparison) => {
      const columns = headings.map((heading, i) => (i === 0 ? left(heading) : right(heading)));
      return [setupOf(comparison), markdownTable(columns, rowsOf(comparison)), worthOf(comparison)].join("\n\n");
    })
    .join("\n\n");
}

/** The same trainings in several precisions, a comparison each: every seed, and the mean. */
export function precisionText(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "Not measured yet.";
  const [{ models, dataset, test_images: images, environment }] = comparisons;
  const [{ model, epochs, runs }] = models;
  const table = markdownTable(
    [left("precision"), ...runs.map(({ seed }) => right(`seed ${seed}`)), right("mean")],
    comparisons.map(({ precision, models: [{ runs: own, accuracy }] }) => [
      precision,
      ...own.map(({ accuracy: each }) => percent(each)),
      percent(accuracy.mean),
    ]),
  );
  const machine = machineText({ environment: environment as unknown as Environment });
  return `${table}\n\n${code(model)}, ${epochs} epochs of ${dataset}, accuracy on ${whole(images)} test images, ${machine}.`;
}

/** What `zoo train` writes into a run, as far as a line shows it. */
export interface RunResult {
  model: string;
  accuracy: number;
  testImages: number;
  epochs: number;
  seed: number;
  seconds: number;
  environment: Environment;
}

/** A run that anyone can make again, in a sentence. */
export function runText({ model, accuracy, testImages, epochs, seed, seconds, environment }: RunResult): string {
  return `The report of ${code(`npm run train -- ${model}`)}: ${percent(accuracy)} of ${whole(testImages)} test images after ${epochs} epochs and ${(seconds / 60).toFixed(0)} minutes, seed ${seed}, on ${machineText({ environment })}.`;
}

/** What `zoo measure … --save` writes, as far as a table shows it. */
export interface SamplesResult {
  weights: string;
  sampler?: string;
  steps?: number;
  guidance?: number;
  samples: number;
  reference: number;
  features: string;
  fid: number;
  precision: number;
  recall: number;
  classShares: number[];
  confidence: number;
  asked?: { right: number; accuracy: number };
}

/** How good and how diverse images are that networks make. */
export function samplesTable(results: readonly SamplesResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  const one = (share: number) => `${(100 * share).toFixed(1)} %`;
  const made = ({ sampler, steps, guidance }: SamplesResult) =>
    [...(sampler ? [sampler, `${steps} steps`] : []), ...(guidance ? [`guidance ${guidance}`] : [])].join(", ");
  const sorted = [...results].sort(
    (a, b) =>
      a.weights.localeCompare(b.weights) || (a.guidance ?? 0) - (b.guidance ?? 0) || (a.steps ?? 0) - (b.steps ?? 0),
  );
  return markdownTable(
    [
      left("weights"),
      left("made by"),
      right("samples"),
      right("FID"),
      left("features of"),
      right("precision"),
      right("recall"),
      right("rarest and most frequent class"),
      right("classifier's confidence"),
      right("of the class asked for"),
    ],
    sorted.map((result) => [
      code(result.weights),
      made(result),
      whole(result.samples),
      result.fid.toFixed(2),
      code(result.features),
      one(result.precision),
      one(result.recall),
      `${one(Math.min(...result.classShares))}, ${one(Math.max(...result.classShares))}`,
      one(result.confidence),
      result.asked ? `${one(result.asked.right)} (real: ${one(result.asked.accuracy)})` : "",
    ]),
  );
}

/** The networks of the registry. */
export function modelsTable(entries: readonly ModelEntry[]): string {
  return markdownTable(
    [left("name"), right("parameters"), right("MACs"), left("what it is")],
    entries.map(({ name, params, macs, summary }) => [code(name), whole(params), megas(macs), summary]),
  );
}

/** The weights that ship, from their cards. */
export function resultsTable(cards: readonly Card[]): string {
  if (cards.length === 0) return "No weights are published yet.";
  const table = markdownTable(
    [
      left("weights"),
      right("parameters"),
      right("MACs"),
      left("data set"),
      right("figure"),
      right("file"),
      left("command"),
    ],
    cards.map(({ model, tag, task, parameters, macs, metric, tokenizer, bytes: size, command }) => [
      code(`${model}.${tag}`),
      whole(parameters),
      megas(macs),
      `${metric.dataset}, ${metric.split}`,
      metric.name === "accuracy"
        ? `${percent(metric.value)} of ${whole(metric.images)} ${tokenizer ? "texts" : "images"}`
        : `${metric.name} ${metric.value.toFixed(digits[metric.name] ?? 3)} on ${whole(metric.images)} ${measuredOn[task] ?? "images"}${metric.how ? ` (${metric.how})` : ""}`,
      bytes(size),
      code(command),
    ]),
  );
  const sheets = cards.flatMap(({ model, tag, samples }) =>
    samples ? [`![images that ${model}.${tag} made](models/pretrained/${model}.${tag}/${samples})`] : [],
  );
  if (sheets.length === 0) return table;
  return `${table}\n\nWhat those of them make that make images:\n\n${sheets.join(" ")}`;
}

/** Speed beside the peers', and on what it was measured: of each processor, that of most figures first. */
export function benchmarksTable(results: readonly TrainResult[], memories: readonly MemoryResult[] = []): string {
  if (results.length + memories.length === 0) return "No benchmark has been saved yet.";
  const ofProcessor = new Map<string, TrainResult[]>();
  for (const result of results) {
    const { cpu } = result.environment;
    ofProcessor.set(cpu, [...(ofProcessor.get(cpu) ?? []), result]);
  }
  const processors = [...ofProcessor.values()].sort((a, b) => b.length - a.length);
  return [...processors.map(processorText), ...memories.map(memoryText)].join("\n\n");
}

/** Speed on one processor. */
function processorText(results: readonly TrainResult[]): string {
  const trains = results.filter(({ task }) => task !== "infer");
  const inferences = results.filter(({ task }) => task === "infer");
  const inChromium = trains.some(({ peers }) => peers.chromium);
  const ratio = (peer?: { ratio: number }) => (peer ? `× ${peer.ratio.toFixed(2)}` : "");
  const table = markdownTable(
    [
      left("model"),
      left("backend"),
      left("precision"),
      right("batch"),
      right("images or tokens/s"),
      right("step, ms"),
      right("to stock TensorFlow.js"),
      right("to PyTorch"),
      ...(inChromium ? [right("to the same in Chromium")] : []),
    ],
    trains.map(({ model, backend, precision, batch, ours, peers, environment: { device } }) => [
      code(model),
      device === undefined ? backend : `${backend} (${device})`,
      precision,
      whole(batch),
      ours.items_per_s.toFixed(ours.items_per_s < 100 ? 1 : 0),
      ours.step_ms.toFixed(ours.step_ms < 100 ? 1 : 0),
      ratio(peers.stock),
      ratio(peers.torch),
      ...(inChromium ? [ratio(peers.chromium)] : []),
    ]),
  );
  const inference = markdownTable(
    [
      left("inference of"),
      left("backend"),
      left("precision"),
      right("batch"),
      right("images/s"),
      right("to the network as trained"),
      right("to PyTorch"),
    ],
    inferences.map(({ model, backend, precision, batch, ours, peers }) => [
      code(model),
      backend,
      precision,
      whole(batch),
      ours.items_per_s.toFixed(0),
      ratio(peers.unfolded),
      ratio(peers.torch),
    ]),
  );
  const machines = [...new Set(results.map(machineText))].map((machine) => `Measured on ${machine}.`);
  return [...(trains.length > 0 ? [table] : []), ...(inferences.length > 0 ? [inference] : []), ...machines].join(
    "\n\n",
  );
}

/** How cost grows with each size. */
export function growthTable(results: readonly GrowthResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  const machines = results.map(({ environment }) => environment).filter((machine) => machine !== undefined);
  const rows = results.flatMap(({ backend, precision, growth }) =>
    growth.map(({ title, axis, points }) => [
      `${title} ${axis} ${points.map((point) => point[axis]).join(", ")}`,
      backend,
      precision,
      points.map(({ items_per_s }) => items_per_s.toFixed(0)).join(", "),
      points.map(({ rss_mb }) => whole(rss_mb)).join(", "),
    ]),
  );
  const table = markdownTable(
    [left("network"), left("backend"), left("precision"), left("images/s"), left("resident memory, MB")],
    rows,
  );
  return [table, ...new Set(machines.map((environment) => `Measured on ${machineText({ environment })}.`))].join(
    "\n\n",
  );
}

/** Whether training waits for its images. */
export function dataText(results: readonly DataResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  return results
    .map(({ model, backend, precision, augmented_per_s, trained_per_s, wait_ms, step_ms, environment }) =>
      [
        `${code(model)} on ${backend} in ${precision} trains on ${whole(trained_per_s)} images a second; its step of`,
        `${step_ms.toFixed(0)} ms waits ${wait_ms.toFixed(1)} ms for them (${whole(augmented_per_s)} a second when nothing else is done).`,
        ...(environment ? [`${machineText({ environment })}.`] : []),
      ].join(" "),
    )
    .join("\n\n");
}

/** Each training of a speedrun, and their mean. */
export function speedrunTable(results: readonly SpeedrunResult[]): string {
  if (results.length === 0) return "Not measured yet.";
  const minutes = (seconds: number) => (seconds / 60).toFixed(1);
  return results
    .map(({ model, precision, epochs, mean_accuracy, mean_seconds, seeds, environment: { cpu, cores, node } }) => {
      const trained = seeds.reduce((sum, { train_seconds }) => sum + train_seconds, 0) / seeds.length;
      const table = markdownTable(
        [left("seed"), right("test accuracy"), right("minutes"), right("of which training")],
        [
          ...seeds.map(({ seed, accuracy, seconds, train_seconds }) => [
            String(seed),
            percent(accuracy),
            minutes(seconds),
            minutes(train_seconds),
          ]),
          ["mean", percent(mean_accuracy), minutes(mean_seconds), minutes(trained)],
        ],
      );
      return `${table}\n\n${code(model)}, ${epochs} epochs in ${precision}, on ${cpu} (${cores} cores), Node ${node}.`;
    })
    .join("\n\n");
}

function machineText({ environment: { cpu, cores, node, versions = {} } }: Pick<TrainResult, "environment">): string {
  const libraries = new Set(
    Object.values(versions)
      .flatMap((names) => Object.entries(names))
      .filter(([name]) => name !== "node")
      .map(([name, version]) => `${name} ${version}`),
  );
  return [`${cpu} (${cores} cores)`, `Node ${node}`, ...[...libraries].sort()].join(", ");
}

function memoryText(result: MemoryResult): string {
  const { model, backend, batch, steps, rss_mb: rss } = result;
  const machine = result.environment ? ` (${machineText({ environment: result.environment })})` : "";
  const [early, late] = [result.num_tensors_10, result[`num_tensors_${steps}`]];
  return `Memory of ${code(model)} on ${backend}, batch ${batch}: ${early} tensors after step 10 and ${late} after step ${steps}; resident ${rss[0]} MB after a tenth of the steps, ${rss.at(-1)} MB at the end${machine}.`;
}
