import type { LayersModel } from "@tensorflow/tfjs-layers";
import { evaluationWindows } from "@tfjs-zoo/datasets";
import { loadTextDataset } from "@tfjs-zoo/datasets/node";
import { evaluateText, type LanguageModelFile, type TextEvaluation } from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";

const BATCH = 128;

/** Measures a language model on the held-out part of a text. */
export async function onHeldOutText(
  model: LayersModel,
  { info, tokenizer }: LanguageModelFile,
  name: string,
  output: Output,
): Promise<TextEvaluation> {
  const { validation } = await loadTextDataset(name, { progress: (event) => output.progress.update(event) });
  const tokens = tokenizer.encode(validation);
  const batches = evaluationWindows({ tokens, context: info.context, batchSize: BATCH });
  return evaluateText(model, batches, (done) =>
    output.progress.update({ label: `testing on ${name}`, done, total: tokens.length - 1, unit: "items" }),
  );
}
