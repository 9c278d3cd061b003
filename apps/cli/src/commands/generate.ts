import { chooseToken, GptReader, InputError, randomStream } from "@tfjs-zoo/models";
import { TextStream } from "@tfjs-zoo/models/text";
import { languageModelOf, readLanguageModel } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  numberAbove,
  startBackendFor,
  threadsOption,
  UsageError,
  wholeNumber,
} from "../context.ts";
import { weightsFile } from "../target.ts";
import { untilInterrupted } from "./training.ts";

interface GenerateFlags extends CommonFlags {
  prompt: string;
  tokens: string;
  temperature: string;
  topK: string;
  topP: string;
  seed: string;
}

export function registerGenerate(program: Command): void {
  program
    .command("generate")
    .description("text by a language model, token by token")
    .argument("<weights>", "NAME.TAG, a name with one published TAG, a run's folder or a .safetensors file")
    .option("--prompt <text>", "what it goes on from", "\n")
    .option("--tokens <n>", "how many to write", "500")
    .option("--temperature <T>", "below 1 it keeps to what is likely, 0: always to the likeliest", "0.8")
    .option("--top-k <n>", "choose among the n likeliest tokens, 0: all", "0")
    .option("--top-p <share>", "choose among the likeliest tokens that have this share of the probability", "1")
    .option("--seed <n>", "of its choices", "0")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(generate);
}

async function generate(target: string, flags: GenerateFlags): Promise<void> {
  const output = createOutput(flags);
  const choice = asUsage(() => choiceOf(flags));
  const count = wholeNumber("--tokens", flags.tokens, 1, 1_000_000);
  const seed = wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1);
  const file = await readLanguageModel(await weightsFile(target));
  const { tokenizer } = file;
  const prompt = tokenizer.encode(flags.prompt);
  if (prompt.length === 0) throw new InputError('--prompt "" has no token to go on from: give some text');
  await startBackendFor(flags, output);
  const network = languageModelOf(file);
  const reader = new GptReader(network);
  const random = randomStream(seed, "generate");
  const ids = [...prompt];
  const stream = new TextStream(tokenizer);
  const show = (text: string) => !flags.json && process.stdout.write(text);
  const began = performance.now();
  try {
    await untilInterrupted(output, async (signal) => {
      let logits = await reader.read([...prompt]);
      show(stream.push(...prompt));
      while (ids.length < prompt.length + count && !signal.aborted) {
        const id = chooseToken(logits, choice, random);
        ids.push(id);
        show(stream.push(id));
        if (id === tokenizer.special.eos) break;
        if (ids.length < prompt.length + count) logits = await reader.read([id]);
      }
      show(stream.end());
    });
  } finally {
    reader.dispose();
    network.dispose();
  }
  const written = ids.length - prompt.length;
  const perSecond = written / ((performance.now() - began) / 1000);
  const text = tokenizer.decode(ids.slice(prompt.length));
  output.result({ prompt: flags.prompt, text, tokens: written, tokens_per_s: perSecond }, () => "");
}

function choiceOf({ temperature, topK, topP }: GenerateFlags) {
  const T = temperature.trim() === "0" ? 0 : numberAbove("--temperature", temperature, 0);
  const share = numberAbove("--top-p", topP, 0);
  if (share > 1) throw new UsageError(`--top-p got "${topP}"; expected a share above 0, at most 1`);
  return { temperature: T, topK: wholeNumber("--top-k", topK, 0), topP: share };
}
