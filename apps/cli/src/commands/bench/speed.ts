import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchSpeedResult, type BenchTask, benchSpeed, type Rate } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import { createOutput, type Output } from "../../context.ts";
import { formatTable } from "../../terminal/table.ts";
import {
  type BenchFlags,
  batchOption,
  count,
  precisionOption,
  pythonOption,
  resultOptions,
  resultsFolder,
  saveResult,
  torchScriptOption,
} from "./common.ts";
import { profile } from "./profile.ts";

export interface SpeedFlags extends BenchFlags {
  peer: string[];
  profile?: true;
  python?: string;
  torchScript: string;
}

/** `bench train` and `bench infer`: ours and the peers in turns. */
export function registerSpeed(bench: Command): void {
  speed(bench.command("train <model>"))
    .description("training steps a second, taking turns with peers; medians of all steps")
    .addOption(
      new Option(
        "--peer <name>",
        "stock (tf.layers and optimizer.minimize), torch, or chromium (for wasm and webgpu); more than one can be given",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .option("--profile", "where the time of a step goes, op by op, and no peer")
    .option("--steps <n>", "timed steps of each (default: 30, with --profile 10)")
    .action((model: string, flags: SpeedFlags) =>
      flags.profile ? profile(model, flags) : show("train", model, flags),
    );
  speed(bench.command("infer <model>"))
    .description("outputs a second, batch norms folded into convolutions, beside the network as trained and PyTorch")
    .addOption(
      new Option("--peer <name>", "torch; unfolded is always there")
        .argParser(collect)
        .default(["unfolded"], "unfolded"),
    )
    .option("--steps <n>", "timed batches of each (default: 30)")
    .action((model: string, flags: SpeedFlags) => show("infer", model, flags));
}

function speed(command: Command): Command {
  return resultOptions(
    command
      .addOption(batchOption())
      .addOption(precisionOption())
      .addOption(pythonOption())
      .addOption(torchScriptOption()),
  );
}

const collect = (value: string, before: string[]): string[] => [...before, value];

async function show(task: BenchTask, model: string, flags: SpeedFlags): Promise<void> {
  const output = createOutput(flags);
  const result = await measureSpeed(task, model, flags, output);
  output.result(result, () => speedText(result));
}

/** Measures one network, and saves the result where the flags say so. */
export async function measureSpeed(
  task: BenchTask,
  model: string,
  flags: SpeedFlags,
  output: Output,
): Promise<BenchSpeedResult> {
  const folder = resultsFolder(flags.save);
  const result = await benchSpeed({
    model,
    task,
    backend: flags.backend,
    precision: flags.precision,
    batch: count("--batch", flags.batch),
    steps: count("--steps", flags.steps),
    peers: flags.peer,
    torch: { script: flags.torchScript, python: flags.python },
    chromium: fileURLToPath(new URL(`../../browser/contestant${extname(import.meta.url)}`, import.meta.url)),
    progress: (event) => output.progress.update(event),
  });
  for (const note of result.notes) output.line(note);
  const { backend, precision, batch } = result;
  await saveResult(folder, [task, model, backend, precision, `batch${batch}`], result);
  return result;
}

export function speedText(result: BenchSpeedResult): string {
  const { task, model, backend, precision, batch, unit, ours, peers, environment } = result;
  const row = (name: string, rate: Rate, ratio?: number) => ({
    "": name,
    [`${unit}/s`]: rate.items_per_s.toFixed(1),
    "step, ms": rate.step_ms.toFixed(1),
    "middle half, ms": rate.spread_ms.map((ms) => ms.toFixed(1)).join(" to "),
    "ours is faster by": ratio === undefined ? "" : `x ${ratio.toFixed(2)}`,
    version: Object.entries(environment.versions[name] ?? {})
      .map((pair) => pair.join(" "))
      .join(", "),
  });
  const rows = [row("ours", ours), ...Object.entries(peers).map(([name, peer]) => row(name, peer, peer.ratio))];
  const keys = ["", `${unit}/s`, "step, ms", "middle half, ms", "ours is faster by", "version"];
  const what = task === "train" ? "training step" : "batch of outputs";
  return [
    `${model}, batch ${batch}, ${precision}, ${backend}: one ${what}, median of ${ours.steps}`,
    formatTable(
      rows,
      keys.map((key) => ({ key, align: key === "" || key === "version" ? "left" : "right" })),
    ),
    `${environment.cpu}, ${environment.cores} cores, Node ${environment.node}`,
  ].join("\n");
}
