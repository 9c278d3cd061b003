import { existsSync, mkdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findModel, InputError } from "@tfjs-zoo/models";
import {
  type BenchProfileResult,
  type BenchTask,
  type BenchTrainResult,
  benchData,
  benchGrowth,
  benchMemory,
  benchProfile,
  benchTrain,
  type Rate,
  writeFileAtomic,
} from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import { backendOption, type CommonFlags, createOutput, jsonOption, type Output, wholeNumber } from "../context.ts";
import { formatTable } from "../terminal/table.ts";

interface BenchFlags extends CommonFlags {
  batch?: string;
  steps?: string;
  save?: string | true;
}

interface TrainFlags extends BenchFlags {
  precision: string;
  peer: string[];
  profile?: true;
  python?: string;
  torchScript: string;
}

/** The benchmarks of a checkout: this file lies as deep in src as in dist. */
const benchFolder = fileURLToPath(new URL("../../../../test/bench", import.meta.url));

export function registerBench(program: Command): void {
  const bench = program.command("bench").description("measures training: its speed beside peers, its memory");
  common(bench.command("train <model>"))
    .description("training steps a second, taking turns with peers; medians of all steps")
    .option("--precision <name>", "f32, or bf16 on a processor with a matrix unit", "f32")
    .addOption(
      new Option(
        "--peer <name>",
        "stock (tf.layers and optimizer.minimize), torch, or chromium (for wasm and webgpu); more than one can be given",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .option("--python <path>", "the Python that has PyTorch (default: ~/.cache/zoo-peer/bin/python)")
    .addOption(
      new Option("--torch-script <path>", "PyTorch's side").default(
        join(benchFolder, "peers", "torch_train.py"),
        "test/bench/peers/torch_train.py",
      ),
    )
    .option("--profile", "where the time of a step goes, op by op, and no peer")
    .option("--steps <n>", "timed steps of each (default: 30, with --profile 10)")
    .action((model: string, flags: TrainFlags) =>
      flags.profile ? profile(model, flags) : steps("train", model, flags),
    );
  common(bench.command("infer <model>"))
    .description("outputs a second, batch norms folded into convolutions, beside the network as trained and PyTorch")
    .option("--precision <name>", "f32, or bf16 on a processor with a matrix unit", "f32")
    .addOption(
      new Option("--peer <name>", "torch; unfolded is always there")
        .argParser(collect)
        .default(["unfolded"], "unfolded"),
    )
    .option("--python <path>", "the Python that has PyTorch (default: ~/.cache/zoo-peer/bin/python)")
    .addOption(
      new Option("--torch-script <path>", "PyTorch's side").default(
        join(benchFolder, "peers", "torch_train.py"),
        "test/bench/peers/torch_train.py",
      ),
    )
    .option("--steps <n>", "timed batches of each (default: 30)")
    .action((model: string, flags: TrainFlags) => steps("infer", model, flags));
  common(bench.command("memory <model>"))
    .description("tensors and resident memory over many training steps")
    .option("--steps <n>", "training steps (default: 500)")
    .action(memory);
  bench
    .command("data <model>")
    .description("augmented images a second, and how long training waits for them")
    .option("--precision <name>", "f32, or bf16 on a processor with a matrix unit", "f32")
    .option("--steps <n>", "training steps (default: 50)")
    .option("--save [folder]", "keep the result as a file (default: test/bench/results)")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(data);
  bench
    .command("growth")
    .description("images a second and memory against batch size, depth and width")
    .option("--precision <name>", "f32, or bf16 on a processor with a matrix unit", "f32")
    .option("--save [folder]", "keep the result as a file (default: test/bench/results)")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(growth);
  bench
    .command("matrix")
    .description(
      "train and infer of every network, backend, precision and peer that the README's tables show; saves each",
    )
    .option("--python <path>", "the Python that has PyTorch (default: ~/.cache/zoo-peer/bin/python)")
    .option("--steps <n>", "timed steps of each (default: 15)")
    .option("--save [folder]", "where results go (default: test/bench/results)")
    .addOption(jsonOption())
    .action(matrix);
  for (const command of bench.commands) command.exitOverride().showSuggestionAfterError();
}

function common(command: Command): Command {
  return command
    .option("--batch <n>", "images a step (default: 128 on tensorflow, 32 elsewhere)")
    .option("--save [folder]", "keep the result as a file (default: test/bench/results)")
    .addOption(backendOption())
    .addOption(jsonOption());
}

const collect = (value: string, before: string[]): string[] => [...before, value];

async function steps(task: BenchTask, model: string, flags: TrainFlags): Promise<void> {
  const output = createOutput(flags);
  const result = await measure(task, model, flags, output);
  output.result(result, () => trainText(result));
}

async function measure(task: BenchTask, model: string, flags: TrainFlags, output: Output): Promise<BenchTrainResult> {
  const folder = resultsFolder(flags.save);
  const result = await benchTrain({
    model,
    task,
    backend: flags.backend,
    precision: flags.precision,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    peers: flags.peer,
    torch: { script: flags.torchScript, python: flags.python },
    chromium: fileURLToPath(new URL(`../browser/contestant${extname(import.meta.url)}`, import.meta.url)),
    progress: (event) => output.progress.update(event),
  });
  for (const note of result.notes) output.line(note);
  const name = [task, result.model, result.backend, result.precision, `batch${result.batch}`].join("-");
  await save(folder, name, result);
  return result;
}

async function profile(model: string, flags: TrainFlags): Promise<void> {
  if (flags.peer.length > 0) throw new InputError("--profile times our own ops: give it without --peer");
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchProfile({
    model,
    backend: flags.backend,
    precision: flags.precision,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  await save(folder, `profile-${model}-${result.backend}-${result.precision}-batch${result.batch}`, result);
  output.result(result, () => profileText(result));
}

async function data(model: string, flags: TrainFlags): Promise<void> {
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchData({
    model,
    backend: flags.backend,
    precision: flags.precision,
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  await save(folder, `data-${model}-${result.backend}-${result.precision}`, result);
  const { backend, precision, augmented_per_s, trained_per_s, wait_ms, step_ms } = result;
  output.result(result, () =>
    [
      `${augmented_per_s.toLocaleString("en")} images/s cropped, flipped, blanked in part and normalised, on one thread`,
      `${model} on ${backend} in ${precision} trains on ${trained_per_s.toLocaleString("en")} a second: a step of ${step_ms} ms waits ${wait_ms} ms for its batch`,
    ].join("\n"),
  );
}

async function growth(flags: TrainFlags): Promise<void> {
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const { backend, precision } = flags;
  const result = await benchGrowth({ backend, precision, progress: (event) => output.progress.update(event) });
  await save(folder, `growth-${result.backend}-${result.precision}`, result);
  output.result(result, () =>
    Object.entries(result.growth)
      .map(([axis, points]) =>
        formatTable(
          points.map((point) => ({
            [axis]: String(point[axis as "batch" | "depth" | "width"]),
            "images/s": point.items_per_s.toFixed(0),
            "memory, MB": String(point.rss_mb),
          })),
          [axis, "images/s", "memory, MB"].map((key) => ({ key, align: "right" })),
        ),
      )
      .join("\n\n"),
  );
}

/** What the README's tables show, the fastest first. */
const cells: readonly { task: BenchTask; model: string; backend: string; precision: string; peers: string[] }[] = [
  { task: "train", model: "resnet20", backend: "wasm", precision: "f32", peers: ["chromium"] },
  ...["f32", "bf16"].flatMap((precision) => [
    { task: "train" as const, model: "resnet20", backend: "tensorflow", precision, peers: ["stock", "torch"] },
    ...["resnet56", "vgg16-bn-cifar", "densenet40"].map((model) => ({
      task: "train" as const,
      model,
      backend: "tensorflow",
      precision,
      peers: ["torch"],
    })),
  ]),
  ...["resnet20", "resnet56", "vgg16-bn-cifar", "densenet40"].map((model) => ({
    task: "infer" as const,
    model,
    backend: "tensorflow",
    precision: "f32",
    peers: ["unfolded", "torch"],
  })),
];

async function matrix(flags: TrainFlags): Promise<void> {
  const output = createOutput(flags);
  const results: BenchTrainResult[] = [];
  for (const [i, cell] of cells.entries()) {
    const given = {
      ...flags,
      ...cell,
      peer: cell.peers,
      steps: flags.steps ?? "15",
      save: flags.save ?? true,
    } as TrainFlags;
    given.torchScript = join(benchFolder, "peers", "torch_train.py");
    output.line(`${i + 1} of ${cells.length}: ${cell.task} ${cell.model}, ${cell.precision}, ${cell.backend}`);
    results.push(await measure(cell.task, cell.model, given, output));
  }
  output.result(results, () => results.map((result) => trainText(result)).join("\n\n"));
}

async function memory(model: string, flags: BenchFlags): Promise<void> {
  findModel(model);
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchMemory({
    model,
    backend: flags.backend,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    progress: (event) => output.progress.update(event),
  });
  const { backend, batch, steps, rss_mb: rss, heap_mb: heap } = result;
  await save(folder, `memory-${model}-${backend}-batch${batch}`, result);
  output.result(result, () =>
    [
      `${model} on ${backend}, batch ${batch}`,
      `tensors: ${result.num_tensors_10} after step 10, ${result[`num_tensors_${steps}`]} after step ${steps}`,
      `resident memory, MB, after every tenth of ${steps} steps: ${rss.join(", ")}`,
      `of it JavaScript's heap: ${heap.join(", ")}`,
    ].join("\n"),
  );
}

function trainText({ task, model, backend, precision, batch, ours, peers, environment }: BenchTrainResult): string {
  const row = (name: string, rate: Rate, ratio?: number) => ({
    "": name,
    "images/s": rate.items_per_s.toFixed(1),
    "step, ms": rate.step_ms.toFixed(1),
    "middle half, ms": rate.spread_ms.map((ms) => ms.toFixed(1)).join(" to "),
    "ours is faster by": ratio === undefined ? "" : `x ${ratio.toFixed(2)}`,
    version: Object.entries(environment.versions[name] ?? {})
      .map((pair) => pair.join(" "))
      .join(", "),
  });
  const rows = [row("ours", ours), ...Object.entries(peers).map(([name, peer]) => row(name, peer, peer.ratio))];
  const keys = ["", "images/s", "step, ms", "middle half, ms", "ours is faster by", "version"];
  return [
    `${model}, batch ${batch}, ${precision}, ${backend}: one ${task === "train" ? "training step" : "batch of outputs"}, median of ${ours.steps}`,
    formatTable(
      rows,
      keys.map((key) => ({ key, align: key === "" || key === "version" ? "left" : "right" })),
    ),
    `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}`,
  ].join("\n");
}

function profileText({ model, backend, precision, batch, steps, step_ms, ops }: BenchProfileResult): string {
  const rows = ops.map(({ op, calls, ms, share }) => ({
    op,
    calls: calls === 0 ? "" : calls.toFixed(Number.isInteger(calls) ? 0 : 1),
    ms: ms.toFixed(2),
    share: `${(100 * share).toFixed(1)} %`,
  }));
  return [
    `${model}, batch ${batch}, ${precision}, ${backend}: a training step of ${step_ms.toFixed(1)} ms, mean of ${steps}`,
    formatTable(
      rows,
      ["op", "calls", "ms", "share"].map((key) => ({ key, align: key === "op" ? "left" : "right" })),
    ),
  ].join("\n");
}

function count(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(flag, text, 1, 1e6);
}

/** Where --save writes; looked at first, so that nothing is measured in vain. */
function resultsFolder(save: string | true | undefined): string | undefined {
  if (save === undefined) return undefined;
  const folder = save === true ? join(benchFolder, "results") : save;
  // A checkout without results has no folder for them.
  if (save === true && existsSync(benchFolder)) mkdirSync(folder, { recursive: true });
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new InputError(`--save: there is no folder ${folder}; make it or give another`);
  }
  return folder;
}

async function save(folder: string | undefined, name: string, result: object): Promise<void> {
  if (folder !== undefined) await writeFileAtomic(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}
