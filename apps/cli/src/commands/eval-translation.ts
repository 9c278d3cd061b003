import { evaluationPairs } from "@tfjs-zoo/datasets";
import { loadPairDataset } from "@tfjs-zoo/datasets/node";
import type { Translator } from "@tfjs-zoo/models";
import {
  bestTexts,
  corpusBleu,
  pairsAsIds,
  type TranslatorFile,
  translateIds,
  translationLoss,
} from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";
import { cutText } from "./training.ts";

const BATCH = 100;

/** What a translator does on the test sentences of pairs. */
export interface TranslationEvaluation {
  /** as sacreBLEU has it, 0 to 100 */
  bleu: number;
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
  const { test } = await loadPairDataset(name, { direction: info.direction, progress });
  const pairs = pairsAsIds(test, tokenizer, ids);
  if (pairs.cut > 0) output.line(cutText(pairs.cut, "test"));
  const { source } = pairs;
  const { loss } = await translationLoss(translator, evaluationPairs({ pairs, ids, batchSize: BATCH }));
  const rows = await translateIds(translator, source, ids, {
    onBatch: (done) => progress({ label: `translating ${name}`, done, total: source.length, unit: "items" }),
  });
  const texts = await bestTexts({ translator, tokenizer, ids }, test.source, source, rows);
  const { score } = corpusBleu(texts, test.target);
  return { bleu: score, loss, sentences: source.length };
}
