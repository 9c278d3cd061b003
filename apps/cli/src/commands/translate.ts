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
    .description(
      "what becomes of sentences, by the weights that are named, or by the published translators that know their language",
    )
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
  const results = sentences.map((sentence, row) => {
    const by = all.map(({ translations, ...of }) => ({ ...of, translations: translations[row] }));
    return { sentence, by: flags.weights ? by : likeliestDirection(by) };
  });
  output.result(results, () => results.flatMap(({ by }) => linesOf(by)).join("\n"));
}

/** What one translator made of one sentence. */
interface Translated {
  weights: string;
  model: string;
  direction: string;
  /** the best first */
  translations: { text: string; score: number }[];
}

/**
 * Of translators in several directions, those of the one whose best translation is the likeliest: a network that is given
 * another language than its own finds nothing likely.
 */
function likeliestDirection(by: readonly Translated[]): Translated[] {
  const best = by.reduce((best, of) => (of.translations[0].score > best.translations[0].score ? of : best));
  return by.filter(({ direction }) => direction === best.direction);
}

/** What one translator made of all sentences. */
interface Spoken extends Omit<Translated, "translations"> {
  /** for each sentence */
  translations: Translated["translations"][];
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
      const texts: Translated["translations"] = [];
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

const linesOf = (by: readonly Translated[]): string[] =>
  by.flatMap(({ model, direction, translations }) =>
    translations.map(({ text }) => (by.length > 1 ? `${model} ${direction}: ${text}` : text)),
  );

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
