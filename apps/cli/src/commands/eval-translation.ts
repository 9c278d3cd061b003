import { evaluationPairs } from "@tfjs-zoo/datasets";
import { loadPairDataset, loadTextDataset } from "@tfjs-zoo/datasets/node";
import type { Translator } from "@tfjs-zoo/models";
import { sentinelIds } from "@tfjs-zoo/models/text";
import {
  bestTexts,
  evaluateSpans,
  pairsAsIds,
  TEXTS,
  type TextEvaluation,
  type TextScores,
  type TranslatorFile,
  textScores,
  translateIds,
  translationLoss,
} from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";
import { cutText } from "./training.ts";

const BATCH = 100;

/** What a translator does on the test sentences of pairs. */
export interface TranslationEvaluation extends TextScores {
  /** nats a target token */
  loss: number;
  sentences: number;
}

/** Translates the test sentences of a data set and compares. */
export async function onTestSentences(
  translator: Translator,
  { info, tokenizer, ids }: TranslatorFile,
  name: string,
  output: Output,
): Promise<TranslationEvaluation> {
  const progress = output.progress.update;
  const direction = info.direction === TEXTS ? undefined : info.direction;
  const { test, metric } = await loadPairDataset(name, { direction, progress });
  const pairs = pairsAsIds(test, tokenizer, ids);
  if (pairs.cut > 0) output.line(cutText(pairs.cut, "test"));
  const { source } = pairs;
  const { loss } = await translationLoss(translator, evaluationPairs({ pairs, ids, batchSize: BATCH }));
  const rows = await translateIds(translator, source, ids, {
    onBatch: (done) => progress({ label: `translating ${name}`, done, total: source.length, unit: "items" }),
  });
  const texts = await bestTexts({ translator, tokenizer, ids }, test.source, source, rows);
  return { ...textScores(texts, test.target, metric), loss, sentences: source.length };
}

/** Measures a network that learned to fill gaps on the held-out part of a text. */
export async function onHeldOutGaps(
  translator: Translator,
  { info: { window = 0 }, tokenizer, ids }: TranslatorFile,
  name: string,
  output: Output,
): Promise<TextEvaluation> {
  const { validation } = await loadTextDataset(name, { progress: output.progress.update });
  return evaluateSpans(translator, tokenizer.encode(validation), { window, ids, sentinels: sentinelIds(tokenizer) });
}
