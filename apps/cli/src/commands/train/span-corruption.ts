import { checkTextDatasetName, loadTextDataset, textDatasetNames } from "@tfjs-zoo/datasets/node";
import { findTranslator } from "@tfjs-zoo/models";
import { sentinelTokens, trainBpe } from "@tfjs-zoo/models/text";
import {
  type LanguageModelResult,
  overrideTextRecipe,
  type RunFolder,
  recipeNameIn,
  savedTokenizer,
  type TextRecipe,
  textRecipes,
  trainSpanCorruption,
  WINDOWS,
} from "@tfjs-zoo/training/node";
import { asUsage, choice, type Output, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { endText, goesOnText, recipeOverrides, shown, stepsShown, textEpochsShown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { digestOf, machineFor, trainInRun } from "./runs.ts";

interface Plan {
  model: string;
  dataset: string;
  recipeName: string;
  recipe: TextRecipe;
  vocabulary: number;
  /** tokens of a piece of text */
  context: number;
  seed: number;
  precision: string;
}

/** Whether a network learns a data set by span corruption: a T5, and the set is running text. */
export const learnsSpans = (model: string, dataset: unknown): boolean =>
  typeof dataset === "string" &&
  findTranslator(model).family === "t5" &&
  (textDatasetNames.includes(dataset) || dataset.startsWith("text:"));

/** Trains a T5 to fill gaps in running text: in a run that goes on, or in a new one. */
export async function trainSpansIn(
  open: RunFolder | undefined,
  modelName: string,
  flags: TrainFlags,
  output: Output,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(() => planOf(modelName, flags));
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const progress = output.progress.update;
  const dataset = await loadTextDataset(plan.dataset, { progress });
  const tokenizer =
    (open && (await savedTokenizer(open))) ??
    trainBpe([dataset.train], plan.vocabulary, {
      specialTokens: ["<pad>", "<s>", "</s>", ...sentinelTokens],
      addPrefixSpace: true,
      progress: (done, total) => progress({ label: "learning tokens", done, total, unit: "items" }),
    });
  const config = { ...plan, recipe: { ...plan.recipe }, full: false };
  const data = digestOf([dataset.train, dataset.validation]);
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, data, flags, machine, output },
    (run, going) =>
      trainSpanCorruption({
        ...{ run, dataset, tokenizer, within, ...going },
        onStart({ resumedAt, tokens, heldOut }) {
          const { model, recipeName, seed, context } = plan;
          output.line(
            `${model} fills gaps in ${dataset.name}, recipe ${recipeName}, ${precision}, seed ${seed}: ${tokens.toLocaleString("en")} tokens of ${tokenizer.vocabularySize}, ${heldOut.toLocaleString("en")} held out, in pieces of ${context}: ${shown(run.dir)}`,
          );
          if (resumedAt) output.line(goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "tokens"),
        onEpoch: textEpochsShown(output, epochs),
      }),
    finish,
  );
}

function planOf(modelName: string, flags: TrainFlags): Plan {
  refuseOthers(flags, ["context", "vocabulary"], modelName);
  const dataset = String(flags.dataset);
  checkTextDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? "quick", textRecipes);
  return {
    model: findTranslator(modelName).name,
    dataset,
    recipeName: name,
    recipe: overrideTextRecipe(textRecipes[name], recipeOverrides(flags)),
    vocabulary: wholeNumber("--vocabulary", flags.vocabulary ?? "4096", 259 + sentinelTokens.length, 2 ** 17),
    context: wholeNumber("--context", flags.context ?? "128", WINDOWS.least, WINDOWS.most),
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

function finish(run: RunFolder, result: LanguageModelResult, output: Output): void {
  const { loss, perplexity, epochs, seconds, itemsPerSecond, testTokens } = result;
  output.result({ loss, perplexity, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `held-out loss ${loss.toFixed(4)} (perplexity ${perplexity.toFixed(2)}) on ${testTokens.toLocaleString("en")} hidden tokens after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} tokens of text/s)`,
      `npm run translate -- "some words <extra_id_0> some others" --weights ${shown(run.dir)}`,
    ),
  );
}
