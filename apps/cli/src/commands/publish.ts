import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLabelledTexts, loadDataset } from "@tfjs-zoo/datasets/node";
import {
  countMacs,
  countParams,
  disposeBert,
  findModel,
  findTranslator,
  InputError,
  type ModelEntry,
} from "@tfjs-zoo/models";
import { type Card, type CardFields, createCard, type WeightDtype, weightDtypes } from "@tfjs-zoo/models/weights";
import {
  autoencoderFrom,
  autoencoderRecipes,
  bertFrom,
  DRAWS,
  diffusionFrom,
  diffusionRecipes,
  encoderRecipes,
  flagOf,
  ganRecipes,
  generatorFrom,
  type InitialWeights,
  languageModelOf,
  loadClassifier,
  mainScore,
  measureDiffusion,
  measureGan,
  type NamedWeights,
  type RecipeName,
  RunFolder,
  readAutoencoder,
  readDiffusion,
  readGan,
  readLanguageModel,
  readTextEncoder,
  readTranslator,
  recipeFor,
  saveAutoencoder,
  saveClassifier,
  saveDiffusion,
  saveGan,
  saveLanguageModel,
  saveTextEncoder,
  saveTokenizer,
  saveTranslator,
  type TextEncoderFile,
  textClassifierFrom,
  textClassifierRecipes,
  textRecipes,
  tokenizerPath,
  translatorFrom,
  translatorRecipes,
} from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  UsageError,
} from "../context.ts";
import { pretrainedFolder } from "../pretrained.ts";
import { weightsFile } from "../target.ts";
import { onHeldOutDocuments, onTestTexts } from "./eval-encoder.ts";
import { onHeldOutText } from "./eval-text.ts";
import { onTestSentences } from "./eval-translation.ts";
import { sampleFigures } from "./measure/card-figures.ts";
import { makesImages } from "./sample/maker.ts";
import { publishedSheet } from "./sample/published-sheet.ts";
import { bitsOnTestImages, imagesLike, onTestImages, onTestSet } from "./test-set.ts";

interface PublishFlags extends CommonFlags {
  dtype: WeightDtype;
  to?: string;
  force?: boolean;
}

export function registerPublish(program: Command): void {
  program
    .command("publish")
    .description("put a finished run's weights and their card where the zoo's weights are")
    .argument("<run>", "a finished run's folder")
    .argument("<name.tag>", "such as resnet20.cifar10")
    .addOption(new Option("--dtype <type>", "of the shipped file").choices(weightDtypes).default("F16"))
    .option("--to <folder>", "where NAME.TAG is put (default: where the zoo's weights are)")
    .option("--force", "replace weights of that name")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(publish);
}

/** Files of a published folder, beside its card. */
const WEIGHTS = "model.safetensors";
const SAMPLES = "samples.png";

/** Samples by which a card's figures are told: of a GAN, and of a network of diffusion, which takes its time. */
const MANY_SAMPLES = 10_000;
const FEW_SAMPLES = 1000;

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
  const parent = flags.to ?? pretrainedFolder();
  const folder = join(parent, nameTag);
  if (existsSync(folder) && !flags.force) throw new InputError(`${nameTag} is published already: --force replaces it`);
  const entry = findModel(name);
  const command = commandOf(run, entry.task);
  const file = await weightsFile(runFolder);
  const { epochs } = JSON.parse(await readFile(join(run.dir, "result.json"), "utf8")) as { epochs: number };
  const { name: backend } = await startBackendFor(flags, output);

  const building = join(parent, `.${nameTag}.tmp`);
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  try {
    const { bytes, fields, said } = await shipmentOf[entry.task]({
      file,
      building,
      epochs,
      dtype: flags.dtype,
      output,
    });
    const samples = makesImages(entry.task) ? SAMPLES : undefined;
    if (samples) await writeFile(join(building, samples), await publishedSheet(join(building, WEIGHTS), output));
    const card: Card = await createCard(
      {
        ...{ model: name, tag, task: entry.task, ...fields, ...(samples && { samples }) },
        ...{ recipe: String(recipeName), seed, backend: run.config.backend, precision: run.config.precision, command },
      },
      bytes,
    );
    await writeFile(join(building, "card.json"), `${JSON.stringify(card, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
    output.result({ folder, ...card }, () =>
      [`${nameTag}: ${said} as shipped (${flags.dtype}, measured on ${backend})`, folder].join("\n"),
    );
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** What is to be shipped, and where to. */
interface Shipment {
  /** the run's weights */
  file: string;
  /** the folder that becomes the published one */
  building: string;
  epochs: number;
  dtype: WeightDtype;
  output: Output;
}

/** What was put there, and what its card says: the figures are those of the file that ships, so that is what is measured. */
interface Shipped {
  bytes: Uint8Array;
  fields: Omit<CardFields, "model" | "tag" | "task" | "recipe" | "seed" | "backend" | "precision" | "command">;
  said: string;
}

const shipmentOf: { [T in ModelEntry["task"]]: (shipment: Shipment) => Promise<Shipped> } = {
  classification: shipClassifier,
  "language-modelling": shipLanguageModel,
  translation: shipTranslator,
  "masked-language-modelling": shipTextEncoder,
  autoencoding: shipAutoencoder,
  diffusion: shipDiffusion,
  adversarial: shipGan,
};

async function shipClassifier({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const { model, info } = await loadClassifier(file);
  const weights = join(building, WEIGHTS);
  const bytes = await saveClassifier(weights, model, info, dtype);
  model.dispose();
  const shipped = await loadClassifier(weights);
  const dataset = await loadDataset(info.dataset, { progress: output.progress.update, size: info.inputShape });
  const { accuracy, top5, loss, images } = await onTestSet(shipped.model, info, dataset, output);
  const measured = { dataset: info.dataset, split: "test", images, epoch };
  const { params: parameters, macs } = findModel(info.model);
  return {
    bytes,
    fields: {
      inputShape: [...info.inputShape],
      normalisation: { mean: [...info.mean], std: [...info.std] },
      classes: [...info.classes],
      ...{ parameters, macs },
      metric: { name: "accuracy", value: accuracy, ...measured },
      otherMetrics: [
        { name: "top5", value: top5, ...measured },
        { name: "loss", value: loss, ...measured },
      ],
    },
    said: `${(100 * accuracy).toFixed(2)} % on ${images.toLocaleString("en")} test images`,
  };
}

async function shipLanguageModel({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const trained = await readLanguageModel(file);
  const weights = join(building, WEIGHTS);
  const model = languageModelOf(trained);
  const bytes = await saveLanguageModel(weights, model, trained.info, dtype);
  model.dispose();
  await saveTokenizer(tokenizerPath(weights), trained.tokenizer);
  const shipped = await readLanguageModel(weights);
  const { dataset, context } = shipped.info;
  const network = languageModelOf(shipped);
  const { loss, perplexity, tokens } = await onHeldOutText(network, shipped, dataset, output);
  const measured = { dataset, split: "validation", images: tokens, epoch };
  const [parameters, macs] = [countParams(network), countMacs(network, context)];
  network.dispose();
  return {
    bytes,
    fields: {
      inputShape: [context],
      normalisation: null,
      tokenizer: "tokenizer.json",
      ...{ parameters, macs },
      metric: { name: "loss", value: loss, ...measured },
      otherMetrics: [{ name: "perplexity", value: perplexity, ...measured }],
    },
    said: `loss ${loss.toFixed(4)} on ${tokens.toLocaleString("en")} held-out tokens`,
  };
}

async function shipTranslator({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const trained = await readTranslator(file);
  if (trained.info.window !== undefined) {
    throw new InputError(`${file} only learned to fill gaps: publish what was trained on pairs`);
  }
  const weights = join(building, WEIGHTS);
  const translator = translatorFrom(trained);
  const bytes = await saveTranslator(weights, translator, trained.info, dtype);
  translator.dispose();
  await saveTokenizer(tokenizerPath(weights), trained.tokenizer);
  const shipped = await readTranslator(weights);
  const { dataset, model } = shipped.info;
  const network = translatorFrom(shipped);
  const evaluation = await onTestSentences(network, shipped, dataset, output);
  const { loss, sentences } = evaluation;
  const score = mainScore(evaluation);
  const measured = { dataset, split: "test", images: sentences, epoch };
  const { tokens } = findTranslator(model);
  const [parameters, macs] = [countParams(network.train), countMacs(network.train, tokens)];
  network.dispose();
  return {
    bytes,
    fields: {
      inputShape: [tokens],
      normalisation: null,
      tokenizer: "tokenizer.json",
      ...{ parameters, macs },
      metric: { ...score, ...measured },
      otherMetrics: [{ name: "loss", value: loss, ...measured }],
    },
    said: `${score.name} ${score.value.toFixed(2)} on ${sentences.toLocaleString("en")} test sentences`,
  };
}

async function shipAutoencoder({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const trained = await readAutoencoder(file);
  const { inputShape, dataset } = trained.info;
  const weights = join(building, WEIGHTS);
  const vae = autoencoderFrom(trained, file);
  const bytes = await saveAutoencoder(weights, vae, trained.info, dtype);
  vae.dispose();
  const shipped = autoencoderFrom(await readAutoencoder(weights), weights);
  const { elbo, reconstruction, kl, nll, testImages } = await onTestImages(shipped, trained.info, dataset, output);
  const measured = { dataset, split: "test", images: testImages, epoch };
  const [parameters, macs] = [countParams(shipped.train), countMacs(shipped.train)];
  shipped.dispose();
  // What it learned is what counts: images of 0 and 1, or grey ones.
  const [bound, likelihood] = [
    { name: "-ELBO", value: elbo, ...measured },
    { name: `-log p(x), ${DRAWS} draws`, value: nll, ...measured },
  ];
  const [metric, other] = trained.info.binary ? [likelihood, bound] : [bound, likelihood];
  return {
    bytes,
    fields: {
      inputShape: [...inputShape],
      normalisation: null,
      ...{ parameters, macs, metric },
      otherMetrics: [
        other,
        { name: "reconstruction", value: reconstruction, ...measured },
        { name: "KL", value: kl, ...measured },
      ],
    },
    said: `${metric.name} ${metric.value.toFixed(2)} nats on ${testImages.toLocaleString("en")} test images`,
  };
}

async function shipDiffusion({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const trained = await readDiffusion(file);
  const { inputShape, dataset, classes } = trained.info;
  const weights = join(building, WEIGHTS);
  const model = diffusionFrom(trained, file);
  const bytes = await saveDiffusion(weights, model, trained.info, dtype);
  model.dispose();
  const shipped = diffusionFrom(await readDiffusion(weights), weights);
  const images = await imagesLike(trained.info, dataset, output);
  const { loss, testImages } = await measureDiffusion(shipped, trained.info, images, (done, total) =>
    output.progress.update({ label: "testing", done, total, unit: "items" }),
  );
  const { bits, images: sent } = await bitsOnTestImages(shipped, trained.info, images, output);
  const [parameters, macs] = [countParams(shipped), countMacs(shipped)];
  shipped.dispose();
  const measured = { dataset, split: "test", epoch };
  const figures = await sampleFigures(weights, images, FEW_SAMPLES, output);
  const [metric, ...otherMetrics] = [
    ...(figures?.metrics ?? []).map((each) => ({ ...each, epoch })),
    { name: "loss", value: loss, ...measured, images: testImages },
    { name: "bits per dimension", value: bits, ...measured, images: sent },
  ];
  return {
    bytes,
    fields: {
      inputShape: [...inputShape],
      normalisation: null,
      ...(classes && { classes: [...classes] }),
      ...{ parameters, macs, metric, otherMetrics },
    },
    said: `${metric.name} ${metric.value.toFixed(3)}, loss ${loss.toFixed(5)} on ${testImages.toLocaleString("en")} test images`,
  };
}

async function shipGan({ file, building, epochs: epoch, dtype, output }: Shipment): Promise<Shipped> {
  const trained = await readGan(file);
  const { inputShape, dataset, classes } = trained.info;
  const weights = join(building, "model.safetensors");
  const gan = generatorFrom(trained, file);
  const bytes = await saveGan(weights, gan, trained.info, dtype);
  gan.generator.dispose();
  const shipped = generatorFrom(await readGan(weights), weights);
  const images = await imagesLike(trained.info, dataset, output);
  const { variety, images: count } = await measureGan(shipped, images);
  const [parameters, macs] = [countParams(shipped.generator), countMacs(shipped.generator)];
  shipped.generator.dispose();
  const ofVariety = { name: "variety", value: variety, dataset, split: "test", images: count, epoch };
  const figures = await sampleFigures(weights, images, MANY_SAMPLES, output);
  const [metric, ...otherMetrics] = [...(figures?.metrics ?? []).map((each) => ({ ...each, epoch })), ofVariety];
  return {
    bytes,
    fields: {
      inputShape: [...inputShape],
      normalisation: null,
      ...(classes && { classes: [...classes] }),
      ...{ parameters, macs },
      metric,
      ...(otherMetrics.length > 0 && { otherMetrics }),
    },
    said: `${metric.name} ${metric.value.toFixed(3)}, variety ${variety.toFixed(3)} of the test images' 1`,
  };
}

async function shipTextEncoder(shipment: Shipment): Promise<Shipped> {
  const { file, building, dtype } = shipment;
  const trained = await readTextEncoder(file);
  const weights = join(building, WEIGHTS);
  const whole = trained.info.classes ? textClassifierFrom(trained, file) : bertFrom(trained, file);
  const bytes = await saveTextEncoder(weights, "pretrain" in whole ? whole.pretrain : whole, trained.info, dtype);
  if ("pretrain" in whole) disposeBert(whole);
  else whole.dispose();
  await saveTokenizer(tokenizerPath(weights), trained.tokenizer);
  const shipped = await readTextEncoder(weights);
  const { context } = shipped.info;
  const measured = await (shipped.info.classes ? measuredTextClassifier : measuredTextEncoder)(shipped, shipment);
  const { said, ...fields } = measured;
  return {
    bytes,
    fields: { inputShape: [context], normalisation: null, tokenizer: "tokenizer.json", ...fields },
    said,
  };
}

async function measuredTextClassifier(file: TextEncoderFile, { epochs: epoch, output }: Shipment) {
  const { dataset, context, classes = [] } = file.info;
  const model = textClassifierFrom(file, file.path);
  const { accuracy, loss, texts } = await onTestTexts(model, file, dataset, output);
  const on = { dataset, split: "test", images: texts, epoch };
  const [parameters, macs] = [countParams(model), countMacs(model, context)];
  model.dispose();
  return {
    ...{ classes, parameters, macs },
    metric: { name: "accuracy", value: accuracy, ...on },
    otherMetrics: [{ name: "loss", value: loss, ...on }],
    said: `${(100 * accuracy).toFixed(2)} % on ${texts.toLocaleString("en")} test texts`,
  };
}

async function measuredTextEncoder(file: TextEncoderFile, { epochs: epoch, output }: Shipment) {
  const { dataset, context } = file.info;
  const network = bertFrom(file, file.path);
  const { words, next } = await onHeldOutDocuments(network, file, dataset, output);
  const on = (images: number) => ({ dataset, split: "validation", images, epoch });
  const [parameters, macs] = [countParams(network.pretrain), countMacs(network.encode, context)];
  disposeBert(network);
  return {
    ...{ parameters, macs },
    metric: { name: "loss", value: words.loss, ...on(words.count) },
    otherMetrics: [
      { name: "hidden words found", value: words.accuracy, ...on(words.count) },
      { name: "loss of what follows", value: next.loss, ...on(next.count) },
      { name: "told what follows", value: next.accuracy, ...on(next.count) },
    ],
    said: `loss ${words.loss.toFixed(4)} on ${words.count.toLocaleString("en")} hidden words, ${(100 * words.accuracy).toFixed(2)} % of them found`,
  };
}

/**
 * The command that makes a run's weights again: the recipe by name, and every field that differs from it.
 *
 * @throws InputError when it begins from weights, or learns from some, that nobody else has
 */
function commandOf({ config }: RunFolder, task: Card["task"]): string {
  const recipe = config.recipe;
  const named: object =
    task === "classification"
      ? recipeFor(config.recipeName as RecipeName, config.dataset)
      : recipesOf(task, config.dataset)[String(config.recipeName)];
  // A field that the recipe did not know yet when the run began is as it was then.
  const changed = Object.entries(named).filter(([field, value]) => field in recipe && recipe[field] !== value);
  return [
    `npm run train -- ${config.model} --dataset ${config.dataset} --recipe ${config.recipeName} --seed ${config.seed}`,
    ...(config.init ? [`--init ${published("--init", config.init as InitialWeights)}`] : []),
    ...(config.teacher ? [`--teacher ${published("--teacher", config.teacher as NamedWeights)}`] : []),
    ...(config.freeze ? [`--freeze ${(config.freeze as string[]).join(",")}`] : []),
    ...(task === "language-modelling" ? [`--context ${config.context}`, ...tokenizerFlags(config)] : []),
    ...(config.direction ? [`--direction ${config.direction}`] : []),
    ...(task === "translation" && !config.init ? translationFlags(config) : []),
    ...(task === "masked-language-modelling" && !config.init
      ? [`--context ${config.context} --vocabulary ${config.vocabulary}`]
      : []),
    ...(task === "autoencoding" ? [`--latent ${config.latent} --likelihood ${config.likelihood}`] : []),
    ...(task === "diffusion" && !config.conditional ? ["--unconditional"] : []),
    ...changed.map(([field]) => `--${flagOf(field)} ${recipe[field]}`),
    ...(task === "adversarial" ? [`--latent ${config.latent}`, ...(config.conditional ? ["--conditional"] : [])] : []),
    ...(config.full && task !== "adversarial" ? ["--full"] : []),
    `--precision ${config.precision}`,
    ...(config.backend === "tensorflow" ? [] : [`--backend ${config.backend}`]),
  ].join(" ");
}

const translationFlags = ({ tokenizer, vocabulary }: { [field: string]: unknown }): string[] => [
  ...(tokenizer === "words" ? ["--tokenizer words"] : []),
  `--vocabulary ${vocabulary}`,
];

/** The recipes among which the name of a run is. */
function recipesOf(task: Card["task"], dataset: string): { readonly [name: string]: object } {
  if (task === "autoencoding") return autoencoderRecipes;
  if (task === "diffusion") return diffusionRecipes;
  if (task === "adversarial") return ganRecipes;
  if (task === "translation") return translatorRecipes;
  if (task === "language-modelling") return textRecipes;
  return isLabelledTexts(dataset) ? textClassifierRecipes : encoderRecipes;
}

const tokenizerFlags = ({ tokenizer, vocabulary }: { [field: string]: unknown }): string[] =>
  tokenizer === "bpe" ? [`--tokenizer bpe --vocabulary ${vocabulary}`] : [];

function published(flag: string, { name }: { name: string }): string {
  if (/^[\w-]+\.[\w-]+$/.test(name) && !name.endsWith(".safetensors")) return name;
  throw new InputError(
    `the run had ${flag} ${name}, which the card's command can't name for others: publish those weights, and train with their NAME.TAG`,
  );
}
