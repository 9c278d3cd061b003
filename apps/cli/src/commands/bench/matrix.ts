import { InputError } from "@tfjs-zoo/models";
import { type BenchSpeedResult, type BenchTask, graphicsCard } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { choice, createOutput, jsonOption } from "../../context.ts";
import { pythonOption, SAVE, torchScriptOption } from "./common.ts";
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

/** What a graphics card is measured on. */
const onCard = ["resnet20", "resnet56", "vgg16-bn-cifar"];

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
  ...onCard.map((model): Cell => ({ task: "train", model, backend: "webgpu", precision: "f32", peer: ["torch"] })),
];

/** `bench matrix`: all of them, each saved as it is done. */
export function registerMatrix(bench: Command): void {
  bench
    .command("matrix [models...]")
    .description(
      "all networks, backends, precisions and peers of the README's tables of speed, or those of some networks, saved as they come; what this machine can't run is left out",
    )
    .addOption(pythonOption())
    .addOption(torchScriptOption())
    .option("--steps <n>", "timed steps of each", "15")
    .option("--save [folder]", SAVE)
    .addOption(jsonOption())
    .action(matrix);
}

/** A cell that could not be measured, and why. */
interface LeftOut {
  cell: string;
  reason: string;
}

async function matrix(models: string[], flags: SpeedFlags): Promise<void> {
  const output = createOutput(flags);
  const known = [...new Set(cells.map(({ model }) => model))];
  for (const model of models) choice("models", model, known);
  const asked = cells.filter(({ model }) => models.length === 0 || models.includes(model));
  const results: BenchSpeedResult[] = [];
  const leftOut: LeftOut[] = [];
  for (const [i, cell] of asked.entries()) {
    const { task, model, precision, backend } = cell;
    const name = `${task} ${model}, ${precision}, ${backend}`;
    output.line(`${i + 1} of ${asked.length}: ${name}`);
    try {
      if (backend === "webgpu") await graphicsCard();
      results.push(await measureSpeed(task, model, { ...flags, ...cell, save: flags.save ?? true }, output));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      output.line(`  left out: ${error.message}`);
      leftOut.push({ cell: name, reason: error.message });
    }
  }
  if (results.length === 0) throw new InputError(`nothing could be measured; ${leftOut[0].cell}: ${leftOut[0].reason}`);
  output.result({ results, leftOut }, () =>
    [...results.map(speedText), ...leftOut.map(({ cell, reason }) => `${cell}: left out: ${reason}`)].join("\n\n"),
  );
}
