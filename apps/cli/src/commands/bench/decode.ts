import { findModel } from "@tfjs-zoo/models";
import { benchDecode } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { createOutput } from "../../context.ts";
import { type BenchFlags, count, resultOptions, resultsFolder, saveResult } from "./common.ts";

interface DecodeFlags extends BenchFlags {
  tokens?: string;
  rounds?: string;
}

/** `bench decode`: what it is worth to keep what was computed for earlier tokens. */
export function registerDecode(bench: Command): void {
  resultOptions(bench.command("decode <model>"))
    .description("tokens a second that a network of text writes, with the states of earlier tokens kept and without")
    .option("--tokens <n>", "tokens of the text (default: 40 to translate, 48 by a language model)")
    .option("--rounds <n>", "times that it is written, each way (default: 5)")
    .action(decode);
}

async function decode(model: string, flags: DecodeFlags): Promise<void> {
  findModel(model);
  const output = createOutput(flags);
  const folder = resultsFolder(flags.save);
  const result = await benchDecode({
    model,
    backend: flags.backend,
    tokens: count("--tokens", flags.tokens),
    rounds: count("--rounds", flags.rounds),
    progress: (event) => output.progress.update(event),
  });
  const { backend, tokens, cached_per_s: cached, uncached_per_s: uncached, ratio } = result;
  await saveResult(folder, ["decode", model, backend], result);
  output.result(
    result,
    () =>
      `${model} on ${backend}, a text of ${tokens} tokens: ${cached} tokens/s with earlier states kept, ${uncached} without (x ${ratio.toFixed(2)})`,
  );
}
