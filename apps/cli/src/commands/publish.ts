import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { findModel, InputError } from "@tfjs-zoo/models";
import { createCard, type WeightDtype, weightDtypes } from "@tfjs-zoo/models/weights";
import {
  type ClassifierResult,
  flagOf,
  type InitialWeights,
  loadClassifier,
  type Recipe,
  type RecipeName,
  RunFolder,
  recipeFor,
  saveClassifier,
  type TeacherWeights,
} from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import { backendOption, type CommonFlags, createOutput, jsonOption, startBackendFor, UsageError } from "../context.ts";
import { pretrainedFolder } from "../pretrained.ts";
import { weightsFile } from "../target.ts";
import { onTestSet } from "./test-set.ts";

interface PublishFlags extends CommonFlags {
  dtype: WeightDtype;
  force?: boolean;
}

export function registerPublish(program: Command): void {
  program
    .command("publish")
    .description("put a finished run's weights and their card where the zoo's weights are")
    .argument("<run>", "a finished run's folder")
    .argument("<name.tag>", "such as resnet20.cifar10")
    .addOption(new Option("--dtype <type>", "of the shipped file").choices(weightDtypes).default("F16"))
    .option("--force", "replace weights of that name")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(publish);
}

async function publish(runFolder: string, nameTag: string, flags: PublishFlags): Promise<void> {
  const output = createOutput(flags);
  const run = await RunFolder.open(runFolder, "read");
  const { model: name, seed, recipeName } = run.config;
  const [wanted, tag, ...rest] = nameTag.split(".");
  if (wanted !== name || !/^[\w-]+$/.test(tag ?? "") || rest.length > 0) {
    throw new UsageError(
      `publish got the name "${nameTag}"; expected ${name}.TAG for this run, such as ${name}.${run.config.dataset}`,
    );
  }
  const folder = join(pretrainedFolder(), nameTag);
  if (existsSync(folder) && !flags.force) throw new InputError(`${nameTag} is published already: --force replaces it`);
  const command = commandOf(run);
  const file = await weightsFile(runFolder);
  const result = JSON.parse(await readFile(join(run.dir, "result.json"), "utf8")) as ClassifierResult;
  const { name: backend } = await startBackendFor(flags, output);

  const { model, info } = await loadClassifier(file);
  const building = `${folder}.tmp`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  try {
    const weights = join(building, "model.safetensors");
    const bytes = await saveClassifier(weights, model, info, flags.dtype);
    model.dispose();
    // The card's figures are those of the file that ships, so that is what is measured.
    const shipped = await loadClassifier(weights);
    const dataset = await loadDataset(info.dataset, { progress: output.progress.update, size: info.inputShape });
    const { mean, std } = info;
    const { accuracy, top5, loss, images } = await onTestSet(shipped.model, info, dataset, output);
    const measured = { dataset: info.dataset, split: "test", images, epoch: result.epochs };
    const entry = findModel(name);
    const card = await createCard(
      {
        model: name,
        tag,
        task: entry.task,
        inputShape: [...info.inputShape],
        normalisation: { mean: [...mean], std: [...std] },
        classes: [...info.classes],
        parameters: entry.params,
        macs: entry.macs,
        metric: { name: "accuracy", value: accuracy, ...measured },
        otherMetrics: [
          { name: "top5", value: top5, ...measured },
          { name: "loss", value: loss, ...measured },
        ],
        recipe: String(recipeName),
        seed,
        backend: run.config.backend,
        precision: run.config.precision,
        command,
      },
      bytes,
    );
    await writeFile(join(building, "card.json"), `${JSON.stringify(card, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
    output.result({ folder, ...card }, () =>
      [
        `${nameTag}: ${(100 * accuracy).toFixed(2)} % on ${images.toLocaleString("en")} test images as shipped (${flags.dtype}, measured on ${backend}; ${(100 * result.accuracy).toFixed(2)} % at the end of the run)`,
        folder,
      ].join("\n"),
    );
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/**
 * The command that makes a run's weights again: the recipe by name, and every field that differs from it.
 *
 * @throws InputError when it begins from weights, or learns from some, that nobody else has
 */
function commandOf({ config }: RunFolder): string {
  const recipe = config.recipe as unknown as Recipe;
  const named = recipeFor(config.recipeName as RecipeName, config.dataset);
  const changed = (Object.keys(recipe) as (keyof Recipe)[]).filter((field) => recipe[field] !== named[field]);
  return [
    `npm run train -- ${config.model} --dataset ${config.dataset} --recipe ${config.recipeName} --seed ${config.seed}`,
    ...(config.init ? [`--init ${published("--init", config.init as InitialWeights)}`] : []),
    ...(config.teacher ? [`--teacher ${published("--teacher", config.teacher as TeacherWeights)}`] : []),
    ...(config.freeze ? [`--freeze ${(config.freeze as string[]).join(",")}`] : []),
    ...changed.map((field) => `--${flagOf(field)} ${recipe[field]}`),
    ...(config.full ? ["--full"] : []),
    `--precision ${config.precision}`,
  ].join(" ");
}

function published(flag: string, { name }: { name: string }): string {
  if (/^[\w-]+\.[\w-]+$/.test(name) && !name.endsWith(".safetensors")) return name;
  throw new InputError(
    `the run had ${flag} ${name}, which the card's command can't name for others: publish those weights, and train with their NAME.TAG`,
  );
}
