import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { disposeBert, InputError, type ModelEntry } from "@tfjs-zoo/models";
import {
  autoencoderFrom,
  bertFrom,
  type ClassifierFile,
  DRAWS,
  diffusionFrom,
  type Evaluation,
  ensembleOf,
  generatorFrom,
  inferenceNetworkOf,
  languageModelOf,
  mainScore,
  measureDiffusion,
  measureGan,
  readAutoencoder,
  readClassifier,
  readDiffusion,
  readGan,
  readLanguageModel,
  readTextEncoder,
  readTranslator,
  type TestViews,
  taskOfFile,
  testViews,
  textClassifierFrom,
  translatorFrom,
} from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  threadsOption,
  UsageError,
} from "../context.ts";
import { weightsFile } from "../target.ts";
import { formatTable } from "../terminal/table.ts";
import { onHeldOutDocuments, onTestTexts } from "./eval-encoder.ts";
import { onHeldOutText } from "./eval-text.ts";
import { onHeldOutGaps, onTestSentences } from "./eval-translation.ts";
import { withJudge } from "./measure/judge.ts";
import { bitsLine, bitsOnTestImages, imagesLike, onTestImages, onTestSet } from "./test-set.ts";
import { percent } from "./training.ts";

interface EvalFlags extends CommonFlags {
  dataset?: string;
  testViews: TestViews;
  bits?: boolean;
}

export function registerEval(program: Command): void {
  program
    .command("eval")
    .description(
      "the accuracy of weights on a test set (of several, that of their ensemble too), a language model's loss, a translator's BLEU, what a BERT finds, an autoencoder's bounds, how well noise is taken away",
    )
    .argument("<weights...>", "NAME.TAG, a run's folder or a .safetensors file")
    .option("--dataset <name>", "another test set than that of the weights' own data set")
    .addOption(
      new Option("--test-views <views>", "average over views of an image: itself, with its mirror image, both shifted")
        .choices(testViews)
        .default("plain"),
    )
    .option("--bits", "diffusion: bits per dimension too, by the variational bound; takes minutes")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(evaluateWeights);
}

async function evaluateWeights(targets: string[], flags: EvalFlags): Promise<void> {
  const output = createOutput(flags);
  const paths: string[] = [];
  for (const target of targets) paths.push(await weightsFile(target));
  const tasks: ModelEntry["task"][] = [];
  for (const path of paths) tasks.push(await taskOfFile(path));
  const noDiffusion = tasks.findIndex((task) => task !== "diffusion");
  if (flags.bits && noDiffusion >= 0) {
    throw new UsageError(`--bits is for networks of diffusion, and ${targets[noDiffusion]} is none: leave it out`);
  }
  const text = tasks.findIndex((task) => task !== "classification");
  if (text >= 0) {
    if (targets.length > 1) {
      throw new UsageError(`${targets[text]} is no image classifier and makes no ensemble: give it alone`);
    }
    if (flags.testViews !== "plain") {
      throw new UsageError(
        `--test-views ${flags.testViews} is for image classifiers, and ${targets[text]} is none: leave it out`,
      );
    }
    return evaluatorOf[tasks[0] as keyof typeof evaluatorOf](paths[0], flags, output);
  }
  const files: ClassifierFile[] = [];
  for (const path of paths) files.push(await readClassifier(path));
  for (const [i, { info }] of files.entries()) checkSameClasses(info.classes, targets[i], files[0], targets[0]);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? files[0].info.dataset;
  const members: Evaluation[] = [];
  let dataset: ImageDataset | undefined;
  for (const [i, file] of files.entries()) {
    const size = file.info.inputShape;
    // Pictures of a folder come in the size that each network sees.
    if (dataset?.shape.join() !== size.join()) {
      dataset = await loadDataset(name, { progress: output.progress.update, size });
    }
    members.push(await evaluated(file, targets[i], dataset as ImageDataset, flags.testViews, output));
  }
  const images = `on ${members[0].images.toLocaleString("en")} images of ${name}`;
  if (members.length === 1) {
    const { accuracy, top5, loss } = members[0];
    output.result(
      figuresOf(members[0]),
      () => `accuracy ${percent(accuracy)}, top-5 ${percent(top5)}, loss ${loss.toFixed(4)} ${images}`,
    );
    return;
  }
  const ensemble = ensembleOf(members);
  output.result(
    {
      ensemble: figuresOf(ensemble),
      members: members.map((member, i) => ({ weights: targets[i], ...figuresOf(member) })),
    },
    () => `${tableOf(members, targets, ensemble)}\n${images}`,
  );
}

const evaluatorOf = {
  translation: evaluateTranslator,
  "language-modelling": evaluateLanguageModel,
  "masked-language-modelling": evaluateTextEncoder,
  autoencoding: evaluateImages,
  diffusion: evaluateDenoiser,
  adversarial: evaluateGan,
};

async function evaluateImages(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readAutoencoder(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  const vae = autoencoderFrom(file, path);
  try {
    const measured = await onTestImages(vae, file.info, name, output);
    const { elbo, kl, nll, testImages } = measured;
    output.result(
      measured,
      () =>
        `-ELBO ${elbo.toFixed(2)} nats (KL ${kl.toFixed(2)}) on ${testImages.toLocaleString("en")} grey images of ${name}, -log p(x) at most ${nll.toFixed(2)} by ${DRAWS} draws`,
    );
  } finally {
    vae.dispose();
  }
}

async function evaluateDenoiser(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readDiffusion(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  const dataset = await imagesLike(file.info, name, output);
  const model = diffusionFrom(file, path);
  try {
    const { loss, testImages } = await measureDiffusion(model, file.info, dataset, (done, total) =>
      output.progress.update({ label: "testing", done, total, unit: "items" }),
    );
    const bits = flags.bits ? await bitsOnTestImages(model, file.info, dataset, output) : undefined;
    output.result({ loss, testImages, bits }, () =>
      [
        `loss ${loss.toFixed(5)} on ${testImages.toLocaleString("en")} test images of ${name}, all times alike`,
        ...(bits ? [bitsLine(bits)] : []),
      ].join("\n"),
    );
  } finally {
    model.dispose();
  }
}

async function evaluateGan(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readGan(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  const dataset = await imagesLike(file.info, name, output);
  const gan = generatorFrom(file, path);
  try {
    const { variety, collapse, images } = await withJudge(dataset, (judge) => measureGan(gan, dataset, judge));
    output.result({ variety, collapse, images }, () =>
      [
        `variety ${variety.toFixed(3)}, of ${images.toLocaleString("en")} test images of ${name} 1`,
        collapse.length === 0 ? "no sign of mode collapse" : `signs of mode collapse: ${collapse.join("; ")}`,
      ].join("\n"),
    );
  } finally {
    gan.generator.dispose();
  }
}

async function evaluateTextEncoder(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readTextEncoder(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  if (file.info.classes === undefined) {
    const network = bertFrom(file, path);
    try {
      const { words, next } = await onHeldOutDocuments(network, file, name, output);
      output.result(
        { words, next },
        () =>
          `${percent(words.accuracy)} of ${words.count.toLocaleString("en")} hidden words found (loss ${words.loss.toFixed(4)}), ${percent(next.accuracy)} of ${next.count.toLocaleString("en")} told what follows (loss ${next.loss.toFixed(4)}), held out of ${name}`,
      );
    } finally {
      disposeBert(network);
    }
    return;
  }
  const model = textClassifierFrom(file, path);
  try {
    const { accuracy, loss, texts } = await onTestTexts(model, file, name, output);
    output.result(
      { accuracy, loss, texts },
      () =>
        `accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)} on ${texts.toLocaleString("en")} test texts of ${name}`,
    );
  } finally {
    model.dispose();
  }
}

async function evaluateTranslator(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readTranslator(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  const translator = translatorFrom(file);
  try {
    if (file.info.window !== undefined) {
      const { loss, perplexity, tokens } = await onHeldOutGaps(translator, file, name, output);
      return output.result(
        { loss, perplexity, tokens },
        () =>
          `loss ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(3)} on ${tokens.toLocaleString("en")} hidden tokens of ${name}`,
      );
    }
    const evaluation = await onTestSentences(translator, file, name, output);
    const { loss, sentences } = evaluation;
    const score = mainScore(evaluation);
    output.result(
      evaluation,
      () =>
        `${score.name} ${score.value.toFixed(2)}, loss ${loss.toFixed(4)} on ${sentences.toLocaleString("en")} test sentences of ${name}, ${file.info.direction}`,
    );
  } finally {
    translator.dispose();
  }
}

async function evaluateLanguageModel(path: string, flags: EvalFlags, output: Output): Promise<void> {
  const file = await readLanguageModel(path);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? file.info.dataset;
  const model = languageModelOf(file);
  try {
    const { loss, perplexity, tokens } = await onHeldOutText(model, file, name, output);
    output.result(
      { loss, perplexity, tokens },
      () =>
        `loss ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(3)} on ${tokens.toLocaleString("en")} held-out tokens of ${name}`,
    );
  } finally {
    model.dispose();
  }
}

async function evaluated(
  file: ClassifierFile,
  target: string,
  dataset: ImageDataset,
  views: TestViews,
  output: Output,
): Promise<Evaluation> {
  const { classes, dataset: its } = file.info;
  if (dataset.classes.length !== classes.length) {
    throw new InputError(
      `${target} tells ${classes.length} classes apart and ${dataset.name} has ${dataset.classes.length}: give the data set that it was trained on (${its})`,
    );
  }
  const model = inferenceNetworkOf(file);
  try {
    return await onTestSet(model, file.info, dataset, output, views);
  } finally {
    model.dispose();
  }
}

/** @throws InputError where an ensemble's members would not speak of the same classes */
function checkSameClasses(
  classes: readonly string[],
  target: string,
  first: ClassifierFile,
  firstTarget: string,
): void {
  const others = first.info.classes;
  if (classes.length === others.length && classes.every((name, k) => name === others[k])) return;
  const shown = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
  throw new InputError(
    `${firstTarget} tells ${others.length} classes apart (${shown(others)}), ${target} ${classes.length} (${shown(classes)}): an ensemble's members must have the same`,
  );
}

const figuresOf = ({ accuracy, top5, loss, images }: Evaluation) => ({ accuracy, top5, loss, images });

function tableOf(members: readonly Evaluation[], targets: readonly string[], ensemble: Evaluation): string {
  const row = (weights: string, { accuracy, top5, loss }: Evaluation) => ({
    weights,
    accuracy: percent(accuracy),
    "top-5": percent(top5),
    loss: loss.toFixed(4),
  });
  const rows = members.map((member, i) => row(targets[i], member));
  return formatTable(
    [...rows, row(`ensemble of ${members.length}`, ensemble)],
    [
      { key: "weights" },
      { key: "accuracy", align: "right" },
      { key: "top-5", align: "right" },
      { key: "loss", align: "right" },
    ],
  );
}
