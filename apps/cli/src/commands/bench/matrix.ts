import type { BenchSpeedResult, BenchTask } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { createOutput, jsonOption } from "../../context.ts";
import { pythonOption, torchScriptOption } from "./common.ts";
import { measureSpeed, type SpeedFlags, speedText } from "./speed.ts";

interface Cell {
  task: BenchTask;
  model: string;
  backend: string;
  precision: string;
  peer: string[];
}

const networks = ["resnet20", "resnet56", "vgg16-bn-cifar", "densenet40"];

const texts = ["gpt", "seq2seq", "transformer"];

const makers = ["vae", "dcgan-mnist", "ddpm"];

/** What the README's tables show. */
const cells: readonly Cell[] = [
  { task: "train", model: "resnet20", backend: "wasm", precision: "f32", peer: ["chromium"] },
  ...["f32", "bf16"].flatMap((precision) =>
    networks.map((model): Cell => {
      const peer = model === "resnet20" && precision === "f32" ? ["stock", "torch"] : ["torch"];
      return { task: "train", model, backend: "tensorflow", precision, peer };
    }),
  ),
  ...["f32", "bf16"].flatMap((precision) =>
    [...texts, ...makers].map(
      (model): Cell => ({ task: "train", model, backend: "tensorflow", precision, peer: ["torch"] }),
    ),
  ),
  ...networks.map(
    (model): Cell => ({
      task: "infer",
      model,
      backend: "tensorflow",
      precision: "f32",
      peer: ["unfolded", "torch"],
    }),
  ),
];

/** `bench matrix`: all of them, each saved as it is done. */
export function registerMatrix(bench: Command): void {
  bench
    .command("matrix")
    .description("all networks, backends, precisions and peers of the README's tables, saved as they come")
    .addOption(pythonOption())
    .addOption(torchScriptOption())
    .option("--steps <n>", "timed steps of each", "15")
    .option("--save [folder]", "where results go (default: test/bench/results)")
    .addOption(jsonOption())
    .action(matrix);
}

async function matrix(flags: SpeedFlags): Promise<void> {
  const output = createOutput(flags);
  const results: BenchSpeedResult[] = [];
  for (const [i, cell] of cells.entries()) {
    const { task, model, precision, backend } = cell;
    output.line(`${i + 1} of ${cells.length}: ${task} ${model}, ${precision}, ${backend}`);
    results.push(await measureSpeed(task, model, { ...flags, ...cell, save: flags.save ?? true }, output));
  }
  output.result(results, () => results.map(speedText).join("\n\n"));
}
