import type { LayersModel } from "@tensorflow/tfjs-layers";
import { evaluationTexts } from "@tfjs-zoo/datasets";
import { loadDocuments, loadLabelledTexts } from "@tfjs-zoo/datasets/node";
import { type Bert, InputError } from "@tfjs-zoo/models";
import {
  type Answers,
  encodedDocuments,
  encodedTexts,
  evaluateMasked,
  evaluateTexts,
  heldOutTexts,
  type TextClassEvaluation,
  type TextEncoderFile,
} from "@tfjs-zoo/training/node";
import type { Output } from "../context.ts";

const BATCH = 100;

/** Measures a text encoder that learned from text alone, on the held-out part of a text. */
export async function onHeldOutDocuments(
  network: Bert,
  { info, tokenizer, ids }: TextEncoderFile,
  name: string,
  output: Output,
): Promise<{ words: Answers; next: Answers }> {
  const progress = output.progress.update;
  const { validation } = await loadDocuments(name, { progress });
  const texts = heldOutTexts(encodedDocuments(validation, tokenizer), ids, info.context);
  return evaluateMasked(network, texts, (done) => progress({ label: `testing on ${name}`, done, unit: "items" }));
}

/** Measures a classifier of texts on the test part of labelled texts. */
export async function onTestTexts(
  model: LayersModel,
  { info, tokenizer, ids }: TextEncoderFile,
  name: string,
  output: Output,
): Promise<TextClassEvaluation> {
  const progress = output.progress.update;
  const { test, classes } = await loadLabelledTexts(name, { progress });
  const known = info.classes ?? [];
  if (known.join("\n") !== classes.join("\n")) {
    const shown = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
    throw new InputError(
      `the weights tell ${known.length} classes apart (${shown(known)}), and ${name} has ${classes.length} (${shown(classes)}): give the data set that they were trained on (${info.dataset})`,
    );
  }
  const set = encodedTexts(test, tokenizer, ids, info.context);
  const total = test.texts.length;
  return evaluateTexts(model, evaluationTexts({ set, pad: ids.pad, batchSize: BATCH }), (done) =>
    progress({ label: `testing on ${name}`, done, total, unit: "items" }),
  );
}
