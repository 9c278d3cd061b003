import { InputError } from "@tfjs-zoo/models";
import {
  LONGEST_SENTENCE,
  readTranslator,
  sourceIds,
  type TranslateOptions,
  type TranslatorFile,
  translateIds,
  translationText,
  translatorFrom,
} from "@tfjs-zoo/training/node";
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
import { pretrainedCards } from "../pretrained.ts";
import { weightsFile } from "../target.ts";

interface TranslateFlags extends CommonFlags {
  weights?: string[];
  beams: string;
  lengthPenalty: string;
  best: string;
  copy: boolean;
}

export function registerTranslate(program: Command): void {
  program
    .command("translate")
    .description("sentences into another language, by every translator that is published or named")
    .argument("<sentences...>", "each in quotes")
    .option("--weights <weights...>", "NAME.TAG, a run's folder or a .safetensors file; more than one can be given")
    .option("--beams <n>", "hypotheses that are followed at a time, 1: always the likeliest word", "5")
    .option("--length-penalty <alpha>", "how much longer translations are favoured", "0.6")
    .option("--best <n>", "translations of each sentence", "1")
    .option("--no-copy", "leave out a word that a vocabulary of words lacks; as a rule it is copied from the sentence")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(translate);
}

async function translate(sentences: string[], flags: TranslateFlags): Promise<void> {
  const output = createOutput(flags);
  const search = asUsage(() => searchOf(flags));
  const empty = sentences.findIndex((sentence) => sentence.trim() === "");
  if (empty >= 0) throw new InputError(`sentence ${empty + 1} is empty: give some text in quotes`);
  const targets = flags.weights ?? (await published());
  const files: TranslatorFile[] = [];
  for (const target of targets) files.push(await readTranslator(await weightsFile(target)));
  await startBackendFor(flags, output);
  const all: Spoken[] = [];
  for (const [i, file] of files.entries()) all.push(await spoken(targets[i], file, sentences, search, flags.copy));
  output.result(
    sentences.map((sentence, row) => ({
      sentence,
      by: all.map(({ translations, ...of }) => ({ ...of, translations: translations[row] })),
    })),
    () => all.flatMap((of) => linesOf(of, all.length > 1)).join("\n"),
  );
}

/** What one translator made of all sentences. */
interface Spoken {
  weights: string;
  model: string;
  direction: string;
  /** the best first, for each sentence */
  translations: { text: string; score: number }[][];
}

async function spoken(
  weights: string,
  file: TranslatorFile,
  sentences: readonly string[],
  search: TranslateOptions,
  copy: boolean,
): Promise<Spoken> {
  const { tokenizer, ids, info } = file;
  const sources = sentences.map((sentence) => sourceIds(sentence, tokenizer, ids));
  const long = sources.findIndex(({ length }) => length > LONGEST_SENTENCE);
  if (long >= 0) {
    throw new InputError(
      `sentence ${long + 1} has ${sources[long].length} tokens; a sentence has ${LONGEST_SENTENCE} at most: give its sentences one by one`,
    );
  }
  const translator = translatorFrom(file);
  try {
    const rows = await translateIds(translator, sources, ids, search);
    const translations: Spoken["translations"] = [];
    for (const [i, { results }] of rows.entries()) {
      const texts: Spoken["translations"][number] = [];
      for (const result of results) {
        const text = await translationText({ translator, tokenizer, ids, copy }, sentences[i], sources[i], result);
        texts.push({ text, score: result.score });
      }
      translations.push(texts);
    }
    return { weights, model: info.model, direction: info.direction, translations };
  } finally {
    translator.dispose();
  }
}

const linesOf = ({ model, direction, translations }: Spoken, named: boolean): string[] =>
  translations.flat().map(({ text }) => (named ? `${model} ${direction}: ${text}` : text));

async function published(): Promise<string[]> {
  const names = (await pretrainedCards())
    .filter(({ task }) => task === "translation")
    .map(({ model, tag }) => `${model}.${tag}`);
  if (names.length > 0) return names;
  throw new UsageError(
    "no translator is published yet: name one's run with --weights (npm run train -- transformer-small)",
  );
}

function searchOf({ beams, lengthPenalty, best }: TranslateFlags) {
  const followed = wholeNumber("--beams", beams, 1, 64);
  return {
    beams: followed,
    lengthPenalty: lengthPenalty.trim() === "0" ? 0 : numberAbove("--length-penalty", lengthPenalty, 0),
    best: wholeNumber("--best", best, 1, followed),
  };
}
