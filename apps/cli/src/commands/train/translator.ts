import type { PairDataset } from "@tfjs-zoo/datasets";
import { checkPairDatasetName, loadPairDataset } from "@tfjs-zoo/datasets/node";
import { findTranslator } from "@tfjs-zoo/models";
import { type Tokenizer, trainBpe, trainWords } from "@tfjs-zoo/models/text";
import {
  mainScore,
  type NamedWeights,
  overrideTextRecipe,
  type RunFolder,
  readTranslator,
  recipeNameIn,
  savedTokenizer,
  type TextRecipe,
  type TranslatorFile,
  type TranslatorResult,
  trainTranslator,
  translatorRecipes,
} from "@tfjs-zoo/training/node";
import { asUsage, choice, type Output, UsageError, wholeNumber } from "../../context.ts";
import { weightsFile } from "../../target.ts";
import { formatDuration } from "../../terminal/format.ts";
import { cutText, endText, goesOnText, recipeOverrides, shown, stepsShown, textEpochsShown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { digestOf, machineFor, trainInRun } from "./runs.ts";
import { learnsSpans, trainSpansIn } from "./span-corruption.ts";

interface Plan {
  model: string;
  dataset: string;
  /** "de-en", or the data set's own where none is given */
  direction?: string;
  recipeName: string;
  recipe: TextRecipe;
  /** the weights that it began with, as they were given */
  init?: NamedWeights;
  /** of one that is learned */
  tokenizer?: "bpe" | "words";
  /** tokens of both languages together */
  vocabulary: number;
  seed: number;
  precision: string;
}

/** Trains a translator: in a run that goes on, or in a new one. Running text a T5 learns by filling gaps. */
export async function trainTranslatorIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  if (learnsSpans(modelName, open?.config.dataset ?? flags.dataset)) {
    return trainSpansIn(open, modelName, flags, output);
  }
  const read = open || flags.init === undefined ? undefined : await readTranslator(await weightsFile(flags.init));
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags, read));
  const { init } = plan;
  const initial = init && (async () => read ?? (await readTranslator(await weightsFile(init.name))));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const { direction } = plan;
  const progress = output.progress.update;
  const dataset = await loadPairDataset(plan.dataset, { direction, progress });
  const tokenizer =
    (open && (await savedTokenizer(open))) ??
    (initial ? (await initial()).tokenizer : learnedTokenizer(plan, dataset, output));
  const config = { ...plan, recipe: { ...plan.recipe }, full: false };
  const parts = [dataset.train, dataset.validation, dataset.test];
  const data = digestOf(parts.flatMap(({ source, target }) => [...source, ...target]));
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, data, flags, machine, output },
    (run, going) =>
      trainTranslator({
        ...{ run, dataset, tokenizer, initial, within, ...going },
        onStart({ resumedAt, pairs, leftOut, heldOut, cut }) {
          const { model, recipeName, seed } = plan;
          const too = leftOut > 0 ? ` (${leftOut} too long)` : "";
          output.line(
            `${model} on ${dataset.name}, ${dataset.source} to ${dataset.target}, recipe ${recipeName}, ${precision}, seed ${seed}: ${pairs.toLocaleString("en")} pairs${too}, ${heldOut.toLocaleString("en")} held out, ${tokenizer.vocabularySize} tokens: ${shown(run.dir)}`,
          );
          if (cut > 0) output.line(cutText(cut, "validate or test on"));
          if (init) output.line(`begins from ${init.name}, with its tokens`);
          if (resumedAt) output.line(goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "tokens"),
        onEpoch: textEpochsShown(output, epochs),
        onTest: (done, total) => progress({ label: "translating the test", done, total, unit: "items" }),
      }),
    finish,
  );
}

function planOf(modelName: string, flags: TrainFlags, initial?: TranslatorFile): Plan {
  refuseOthers(flags, ["init", "tokenizer", "vocabulary", "direction"], modelName);
  const entry = findTranslator(modelName);
  const dataset = flags.dataset ?? "multi30k";
  checkPairDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? "quick", translatorRecipes);
  if (initial) checkInitial(initial, entry.name, flags);
  return {
    model: entry.name,
    dataset,
    ...(flags.direction !== undefined && { direction: flags.direction }),
    recipeName: name,
    recipe: overrideTextRecipe(translatorRecipes[name], recipeOverrides(flags)),
    ...(initial && { init: { name: String(flags.init), sha256: initial.sha256 } }),
    tokenizer: initial ? undefined : choice<"bpe" | "words">("--tokenizer", flags.tokenizer ?? "bpe", ["bpe", "words"]),
    vocabulary: initial?.info.vocabulary ?? wholeNumber("--vocabulary", flags.vocabulary ?? "8000", 260, 2 ** 17),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

function checkInitial({ info }: TranslatorFile, model: string, { init, ...flags }: TrainFlags): void {
  if (info.model !== model) {
    throw new UsageError(
      `--init ${init} has weights of ${info.model}, not of ${model}: train ${info.model}, or give others`,
    );
  }
  const decided = (["vocabulary", "tokenizer"] as const).find((flag) => flags[flag] !== undefined);
  if (decided) throw new UsageError(`--init ${init} brings its ${info.vocabulary} tokens: leave --${decided} out`);
}

/** One for both languages, of the sentences that are learned from. */
function learnedTokenizer({ tokenizer, vocabulary }: Plan, { train }: PairDataset, output: Output): Tokenizer {
  const texts = [...train.source, ...train.target];
  const addPrefixSpace = true;
  if (tokenizer === "words") return trainWords(texts, vocabulary, { addPrefixSpace });
  return trainBpe(texts, vocabulary, {
    addPrefixSpace,
    progress: (done, total) => output.progress.update({ label: "learning tokens", done, total, unit: "items" }),
  });
}

function finish(run: RunFolder, result: TranslatorResult, output: Output): void {
  const { bleu, exactMatch, rougeL, loss, epochs, seconds, itemsPerSecond, testSentences } = result;
  const { name, value } = mainScore(result);
  output.result({ bleu, exactMatch, rougeL, loss, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `test ${name} ${value.toFixed(2)} on ${testSentences.toLocaleString("en")} sentences, loss ${loss.toFixed(4)}, after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} tokens/s)`,
      `npm run translate -- "…" --weights ${shown(run.dir)}`,
    ),
  );
}
