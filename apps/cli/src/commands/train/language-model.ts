import type { TextDataset } from "@tfjs-zoo/datasets";
import { checkTextDatasetName, loadTextDataset } from "@tfjs-zoo/datasets/node";
import { findLanguageModel } from "@tfjs-zoo/models";
import { CharTokenizer, type Tokenizer, trainBpe } from "@tfjs-zoo/models/text";
import {
  type LanguageModelResult,
  overrideTextRecipe,
  type RunFolder,
  recipeNameIn,
  savedTokenizer,
  type TextRecipe,
  textRecipes,
  trainLanguageModel,
} from "@tfjs-zoo/training/node";
import { asUsage, choice, type Output, UsageError, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, goesOnText, recipeOverrides, shown, stepsShown, textEpochsShown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { digestOf, machineFor, trainInRun } from "./runs.ts";

interface Plan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: TextRecipe;
  tokenizer: "characters" | "bpe";
  /** tokens that bpe learns */
  vocabulary: number;
  context: number;
  seed: number;
  precision: string;
}

/** Trains a language model: in a run that goes on, or in a new one. */
export async function trainLanguageModelIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const dataset = await loadTextDataset(plan.dataset, { progress: (event) => output.progress.update(event) });
  const tokenizer = (open && (await savedTokenizer(open))) ?? learnedTokenizer(plan, dataset, output);
  const config = { ...plan, recipe: { ...plan.recipe }, full: false };
  const data = digestOf([dataset.train, dataset.validation]);
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, data, flags, machine, output },
    (run, going) =>
      trainLanguageModel({
        ...{ run, dataset, tokenizer, within, ...going },
        onStart({ resumedAt, tokens, heldOut }) {
          const { model, recipeName, seed, context } = plan;
          output.line(
            `${model} on ${dataset.name}, recipe ${recipeName}, ${precision}, seed ${seed}: ${tokens.toLocaleString("en")} tokens of ${tokenizer.vocabularySize}, ${heldOut.toLocaleString("en")} held out, context ${context}: ${shown(run.dir)}`,
          );
          if (resumedAt) output.line(goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "tokens"),
        onEpoch: textEpochsShown(output, epochs),
        onTest: (done, total) => output.progress.update({ label: "testing", done, total, unit: "items" }),
      }),
    finish,
  );
}

function planOf(modelName: string, flags: TrainFlags): Plan {
  refuseOthers(flags, ["context", "tokenizer", "vocabulary"], modelName);
  const entry = findLanguageModel(modelName);
  const dataset = flags.dataset ?? "tiny-shakespeare";
  checkTextDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? "quick", textRecipes);
  const tokenizer = choice("--tokenizer", flags.tokenizer ?? "characters", ["characters", "bpe"]);
  if (flags.vocabulary !== undefined && tokenizer !== "bpe") {
    throw new UsageError("--vocabulary says how many tokens bpe learns: add --tokenizer bpe, or leave it out");
  }
  return {
    model: entry.name,
    dataset,
    recipeName: name,
    recipe: overrideTextRecipe(textRecipes[name], recipeOverrides(flags)),
    tokenizer,
    vocabulary: wholeNumber("--vocabulary", flags.vocabulary ?? "4096", 257, 2 ** 17),
    context: wholeNumber("--context", flags.context ?? String(entry.context), 1, 2 ** 14),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

/** Made from the text that is learned; a character that only the held-out text has could not be predicted. */
function learnedTokenizer(
  { tokenizer, vocabulary }: Plan,
  { train, validation }: TextDataset,
  output: Output,
): Tokenizer {
  if (tokenizer === "bpe") {
    return trainBpe([train], vocabulary, {
      progress: (done, total) => output.progress.update({ label: "learning tokens", done, total, unit: "items" }),
    });
  }
  return CharTokenizer.fromText(train + validation);
}

function finish(run: RunFolder, result: LanguageModelResult, output: Output): void {
  const { loss, perplexity, epochs, seconds, itemsPerSecond, testTokens } = result;
  output.result({ loss, perplexity, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `held-out loss ${loss.toFixed(4)} (perplexity ${perplexity.toFixed(2)}) on ${testTokens.toLocaleString("en")} tokens after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} tokens/s)`,
      `npm run generate -- ${shown(run.dir)}`,
    ),
  );
}
