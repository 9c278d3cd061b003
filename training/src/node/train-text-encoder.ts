import { join } from "node:path";
import { type DocumentDataset, type Documents, type EncodedDocuments, maskedTexts } from "@tfjs-zoo/datasets";
import { disposeBert, findTextEncoder, InputError, randomStream } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";
import type { Position } from "../loop/fit.ts";
import { Trainer, type Within } from "../loop/trainer.ts";
import { type TextRecipe, textParameterGroups, textScheduleOf } from "../recipes/text-recipe.ts";
import { bertIds } from "../tasks/bert-texts.ts";
import { evaluateMasked, maskedLanguage } from "../tasks/masked-language.ts";
import type { TextEncoderInfo } from "../tasks/text-encoder-weights.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { countItems } from "./count-items.ts";
import { fitInRun, type RunTraining } from "./fit-in-run.ts";
import { runReport, runResult } from "./run-result.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";
import type { RunFolder } from "./runs/run-folder.ts";
import { saveTextEncoder, type TakenEncoder, type TextEncoderFile, takeEncoder } from "./text-encoder-file.ts";
import type { TextEncoderResult } from "./text-encoder-result.ts";
import { saveTokenizer } from "./tokenizer-file.ts";
import { checkSameWeights, type NamedWeights } from "./weights-file.ts";

/** Texts a batch when nothing is learned. */
const EVALUATION_BATCH = 64;

export interface TextEncoderTraining extends RunTraining {
  run: RunFolder;
  dataset: DocumentDataset;
  tokenizer: Tokenizer;
  /** The weights that the run begins from (`init` of its config); asked for only where there is no checkpoint yet. */
  initial?: () => Promise<TextEncoderFile>;
  /** What training steps run in: another precision of the backend, say. What is measured is in single precision. */
  within?: Within;
  onStart?(facts: { resumedAt?: Position; taken?: TakenEncoder; tokens: number; heldOut: number }): void;
  onTest?(texts: number): void;
}

/**
 * Trains a text encoder on text alone in a run folder, from the start or from its last checkpoint; afterwards measures it
 * on the held-out text and writes weights, tokenizer, result and report.
 *
 * @returns the result; undefined when interrupted (the checkpoint is saved then)
 * @throws InputError when there is too little text, or the loss is no longer finite
 */
export async function trainTextEncoder(training: TextEncoderTraining): Promise<TextEncoderResult | undefined> {
  const { run, dataset, tokenizer } = training;
  const { model: name, seed } = run.config;
  const recipe = run.config.recipe as unknown as TextRecipe;
  const context = Number(run.config.context);
  const ids = bertIds(tokenizer);
  const { vocabulary } = ids;
  const info: TextEncoderInfo = { model: name, dataset: dataset.name, vocabulary, context };
  const [train, heldOut] = [dataset.train, dataset.validation].map((groups) => encodedDocuments(groups, tokenizer));
  const { batchSize, accumulate, clipNorm, ema, dropout } = recipe;
  const data = maskedTexts({
    ...{ groups: train, ids, batchSize, context },
    random: (...path) => randomStream(seed, ...path),
  });
  if (accumulate > data.batchesPerEpoch) {
    throw new InputError(
      `${dataset.name} has ${data.batchesPerEpoch} batches, too few for a step of --batch-size ${batchSize} x --accumulate ${accumulate} texts: give more text, or lower one of them`,
    );
  }

  const network = findTextEncoder(name).build({ vocabulary, context, dropout, seed });
  const { pretrain } = network;
  try {
    const checkpoint = await loadCheckpoint(run.checkpointPath("last"));
    const taken = checkpoint ? undefined : await takeInitial(pretrain, training);
    const trainer = new Trainer(maskedLanguage(network), {
      groups: textParameterGroups(recipe),
      ...{ clipNorm, ema, seed },
      within: training.within,
    });
    if (checkpoint !== undefined) trainer.restore(checkpoint.state, checkpoint.step);
    const measure = (onBatch?: (texts: number) => void) =>
      evaluateMasked(network, heldOutTexts(heldOut, ids, context), onBatch);
    await saveTokenizer(join(run.dir, "tokenizer.json"), tokenizer);
    const counted = countItems(training, checkpoint?.position);
    const [tokens, held] = [train, heldOut].map(tokensOf);
    training.onStart?.({ resumedAt: checkpoint?.position, taken, tokens, heldOut: held });
    try {
      const { end, position } = await fitInRun({
        ...{ run, trainer, checkpoint, recipe, data },
        training: counted.training,
        schedule: textScheduleOf(recipe),
        validate: () => measure().then(validationOf),
        score: ({ loss }) => -loss,
        saveWeights: (path) => saveTextEncoder(path, pretrain, info),
      });
      if (end === "interrupted") return undefined;

      return await trainer.withAverage(async () => {
        const test = await measure(training.onTest);
        const result: TextEncoderResult = {
          ...runResult(run.config, end, position, counted.perSecond(position)),
          ...test,
        };
        await saveTextEncoder(join(run.dir, "weights.safetensors"), pretrain, info);
        await writeFileAtomic(join(run.dir, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
        await writeFileAtomic(join(run.dir, "report.html"), await report(run, result));
        return result;
      });
    } finally {
      trainer.dispose();
    }
  } finally {
    disposeBert(network);
  }
}

/** Documents as ids, without special tokens. */
export const encodedDocuments = (groups: readonly Documents[], tokenizer: Tokenizer): EncodedDocuments[] =>
  groups.map((documents) => documents.map((sentences) => sentences.map((sentence) => tokenizer.encode(sentence))));

const tokensOf = (groups: readonly EncodedDocuments[]): number =>
  groups.flat(2).reduce((sum, sentence) => sum + sentence.length, 0);

/** Held-out texts with the same words hidden and the same followers every time, whatever the run's seed. */
export function heldOutTexts(
  groups: readonly EncodedDocuments[],
  ids: ReturnType<typeof bertIds>,
  context: number,
): ReturnType<ReturnType<typeof maskedTexts>["epoch"]> {
  const random = (...path: (string | number)[]) => randomStream(0, "held out", ...path);
  return maskedTexts({ groups, ids, batchSize: EVALUATION_BATCH, context, random }).epoch(0);
}

/** What a record of an epoch has: the loss is that of both tasks, the accuracy that of hidden words. */
const validationOf = ({ words, next }: Pick<TextEncoderResult, "words" | "next">) => ({
  loss: words.loss + next.loss,
  accuracy: words.accuracy,
  words: words.loss,
  next: next.loss,
  nextAccuracy: next.accuracy,
});

async function takeInitial(
  model: Parameters<typeof takeEncoder>[0],
  { run, initial }: TextEncoderTraining,
): Promise<TakenEncoder | undefined> {
  const init = run.config.init as NamedWeights | undefined;
  if (init === undefined || initial === undefined) return undefined;
  const file = await initial();
  checkSameWeights(file, init);
  return takeEncoder(model, file, { head: "cls", fresh: file.info.classes !== undefined, name: init.name });
}

function report(run: RunFolder, result: TextEncoderResult): Promise<string> {
  const { model, dataset, words, next } = result;
  const whole = (count: number) => count.toLocaleString("en");
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return runReport(run, result, {
    title: `${model} on ${dataset}`,
    figures: [
      { label: `hidden words found, of ${whole(words.count)} held out`, value: percent(words.accuracy) },
      { label: "loss of a hidden word, nats", value: words.loss.toFixed(4) },
      { label: `told what follows, of ${whole(next.count)} held out`, value: percent(next.accuracy) },
      { label: "loss of what follows, nats", value: next.loss.toFixed(4) },
    ],
    items: "tokens",
  });
}
