import { datasetNames, labelledTextNames, pairDatasetNames, textDatasetNames } from "@tfjs-zoo/datasets/node";
import { findModel } from "@tfjs-zoo/models";
import {
  autoencoderRecipeFields,
  diffusionRecipeFields,
  ganRecipeFields,
  ganRecipes,
  recipes,
  textRecipeFields,
  textRecipes,
} from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { asUsage, backendOption, createOutput, jsonOption, threadsOption, UsageError } from "../../context.ts";
import { recipeOptions } from "../training.ts";
import { trainAutoencoderIn } from "./autoencoder.ts";
import { trainClassifierIn } from "./classifier.ts";
import { trainDiffusionIn } from "./diffusion.ts";
import type { TrainFlags } from "./flags.ts";
import { trainGanIn } from "./gan.ts";
import { trainLanguageModelIn } from "./language-model.ts";
import { resumed } from "./runs.ts";
import { trainTextEncoderIn } from "./text-encoder.ts";
import { trainTranslatorIn } from "./translator.ts";

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a network, test it, and write weights and a report")
    .argument("[model]", "a name of `zoo list`")
    .option(
      "--recipe <name>",
      `how to train: ${Object.keys(recipes).join(", ")} (default: quick; fine-tune with --init); of a GAN ${Object.keys(ganRecipes).join(", ")}; for text ${Object.keys(textRecipes).join(", ")}`,
    )
    .option(
      "--dataset <name>",
      `${datasetNames.join(", ")} or folder:PATH; for text ${textDatasetNames.join(", ")} or text:PATH; to translate ${pairDatasetNames.join(", ")} or pairs:PATH; to tell texts apart ${labelledTextNames.join(", ")} or labels:PATH (default: what the model is for)`,
    )
    .option(
      "--init <weights>",
      "begin from weights: NAME.TAG, a run's folder or a .safetensors file; the head is fresh where the classes differ",
    )
    .option("--freeze <parts>", "what stays as --init has it: stem, all-but-head, or layers' paths (layer1,layer2.0)")
    .option("--teacher <weights>", "learn from a network too, of the same classes: as for --init")
    .option("--seed <n>", "of everything random", "0")
    .option("--full", "train on the held-out images too: for weights that ship")
    .option("--run <folder>", "the run's folder (default: a new one in --runs)")
    .option("--runs <folder>", "where new runs go", "runs")
    .option("--resume <run>", "go on with a run that was interrupted")
    .option("--precision <name>", "f32, bf16, or auto: bf16 where the processor multiplies it", "auto")
    .option("--minutes <n>", "train for about so long: as many epochs as fit, in place of the recipe's")
    .option(
      "--context <tokens>",
      "text: the most tokens that a language model looks back on, or of a text; of a T5, those of a piece with gaps (128)",
    )
    .option(
      "--tokenizer <name>",
      "text: what its tokens are: characters or bpe (default: characters); to translate bpe or words (default: bpe)",
    )
    .option(
      "--vocabulary <n>",
      "text: how many tokens are learned (default: 4096; to translate 8000, of both languages; of a BERT its own)",
    )
    .option("--direction <from-to>", "from which language into which, such as de-en (default: the data set's)")
    .option("--latent <n>", "autoencoders and GANs: the numbers of an image (default: the network's own)")
    .option(
      "--likelihood <name>",
      "autoencoders: what a pixel is, bernoulli or gaussian (default: bernoulli for digits and clothes)",
    )
    .option("--conditional", "GANs: with the classes of images")
    .option("--unconditional", "diffusion: without the classes of images")
    .option("--checkpoint-every <steps>", "steps between checkpoints inside an epoch", "200")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(train);
  recipeOptions(command, [], {
    ...ganRecipeFields,
    ...diffusionRecipeFields,
    ...autoencoderRecipeFields,
    ...textRecipeFields,
  });
}

const trainingOf = {
  classification: trainClassifierIn,
  "language-modelling": trainLanguageModelIn,
  translation: trainTranslatorIn,
  "masked-language-modelling": trainTextEncoderIn,
  autoencoding: trainAutoencoderIn,
  diffusion: trainDiffusionIn,
  adversarial: trainGanIn,
};

async function train(modelName: string | undefined, flags: TrainFlags, command: Command): Promise<void> {
  const output = createOutput(flags);
  const run = flags.resume === undefined ? undefined : await resumed(flags.resume, modelName, command);
  try {
    const name = run?.config.model ?? modelName;
    if (name === undefined) throw new UsageError("train needs a model: npm run train -- resnet20");
    const { task } = asUsage(() => findModel(name));
    await trainingOf[task](run, name, flags, output);
  } finally {
    await run?.close();
  }
}
