import { checkDatasetName } from "@tfjs-zoo/datasets/node";
import { findGan } from "@tfjs-zoo/models";
import {
  COLLAPSED,
  type EpochEvent,
  type GanRecipe,
  type GanResult,
  ganRecipes,
  overrideGanRecipe,
  type RunFolder,
  recipeNameIn,
  trainGan,
} from "@tfjs-zoo/training/node";
import { choice, type Output, UsageError, wholeNumber } from "../../context.ts";
import { formatDuration } from "../../terminal/format.ts";
import { withJudge } from "../measure/judge.ts";
import { endText, recipeOverrides, shown } from "../training.ts";
import { refuseOthers, type TrainFlags } from "./flags.ts";
import { type ImagePlan, trainImageMakerIn } from "./image-maker.ts";

interface Plan extends ImagePlan {
  recipe: GanRecipe;
  /** numbers of a z */
  latent: number;
  /** whether both networks are told the classes of images */
  conditional: boolean;
}

/** Trains a GAN: in a run that goes on, or in a new one. */
export const trainGanIn = (open: RunFolder | undefined, modelName: string, flags: TrainFlags, output: Output) =>
  trainImageMakerIn<Plan, GanResult>(open, flags, output, {
    planOf: () => planOf(modelName, flags),
    sizeFor: ({ model }) => findGan(model).inputShape,
    train: (training) => withJudge(training.dataset, (classifier) => trainGan({ ...training, classifier })),
    about: ({ latent, conditional, recipe }, { classes }) =>
      `${latent} numbers an image, told ${conditional ? classes.length : "no"} classes, ${recipe.loss} loss`,
    epochText,
    finish,
  });

function planOf(modelName: string, flags: TrainFlags): Plan {
  refuseOthers(flags, ["latent", "conditional"], modelName);
  const entry = findGan(modelName);
  const dataset = flags.dataset ?? (entry.inputShape[2] === 1 ? "fashion-mnist" : "cifar10");
  checkDatasetName(dataset);
  const name = recipeNameIn(flags.recipe ?? entry.recipe, ganRecipes);
  const recipe = overrideGanRecipe(ganRecipes[name], recipeOverrides(flags));
  if (recipe.gradientPenalty > 0 && !entry.scoresAlone) {
    throw new UsageError(
      `--gradient-penalty ${recipe.gradientPenalty} needs a critic that scores each image by itself, and that of ${entry.name} has batch norm: take wgan-mnist, or another --recipe (${entry.recipe})`,
    );
  }
  return {
    ...{ model: entry.name, dataset, recipeName: name, recipe },
    latent: wholeNumber("--latent", flags.latent ?? String(entry.latent), 1, 4096),
    conditional: flags.conditional ?? false,
    seed: wholeNumber("--seed", flags.seed, 0, 2 ** 31 - 1),
    full: true,
    precision: choice("--precision", flags.precision, ["auto", "f32", "bf16"]),
  };
}

function epochText({ epoch, trainMetrics, validation, seconds }: EpochEvent, epochs: number): string {
  const { discriminator, generator, real, fake, penalty } = trainMetrics;
  // Of a few steps there may be none of the generator's.
  const ofGenerator = generator === undefined ? "not trained yet" : generator.toFixed(3);
  const slope = penalty === undefined ? "" : `, penalty ${penalty.toFixed(3)}`;
  const variety = validation?.variety ?? 1;
  const alike = variety < COLLAPSED ? `\n${collapsedText(["its images are alike"])}` : "";
  return `epoch ${epoch}/${epochs}: discriminator ${discriminator.toFixed(3)}, generator ${ofGenerator}, scores ${real.toFixed(2)} of real images and ${fake.toFixed(2)} of made ones${slope}, variety ${variety.toFixed(2)} (${formatDuration(seconds)})${alike}`;
}

const collapsedText = (signs: readonly string[]): string =>
  `the generator may have collapsed (${signs.join("; ")}): look at samples/, and try --recipe hinge, another --seed or a lower --learning-rate`;

function finish(run: RunFolder, result: GanResult, output: Output): void {
  const { variety, collapse, epochs, seconds, itemsPerSecond } = result;
  if (collapse.length > 0) output.line(collapsedText(collapse));
  output.result({ variety, collapse, epochs, seconds, items_per_s: itemsPerSecond, run: run.dir }, () =>
    endText(
      run,
      `variety ${variety.toFixed(3)} (of real images 1) after ${epochs} epochs, ${formatDuration(seconds)} of training (${itemsPerSecond.toFixed(0)} images/s)`,
      `npm run sample -- ${shown(run.dir)} --out sheet.png`,
    ),
  );
}
