import * as tf from "@tensorflow/tfjs-core";
import { imageTransform } from "@tfjs-zoo/datasets";
import { decodePicture } from "@tfjs-zoo/datasets/node";
import { loadForInference, taskOfFile } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  startBackendFor,
  threadsOption,
  wholeNumber,
} from "../context.ts";
import { expectFinite } from "../expect-finite.ts";
import { weightsFile } from "../target.ts";
import { rankingText } from "../terminal/ranking.ts";
import { predictTexts } from "./predict-text.ts";

interface PredictFlags extends CommonFlags {
  weights: string;
  top: string;
}

export function registerPredict(program: Command): void {
  program
    .command("predict")
    .description(
      "what is in a picture; of what class a text is, or, by a BERT of text alone, what [MASK] in it stands for",
    )
    .argument("<pictures...>", "image files, or texts in quotes")
    .requiredOption("--weights <weights>", "NAME.TAG, a run's folder or a .safetensors file")
    .option("--top <n>", "how many classes or words to name", "5")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(predict);
}

async function predict(pictures: string[], flags: PredictFlags): Promise<void> {
  const output = createOutput(flags);
  const top = wholeNumber("--top", flags.top, 1);
  const file = await weightsFile(flags.weights);
  if ((await taskOfFile(file)) === "masked-language-modelling") return predictTexts(file, pictures, top, flags, output);
  await startBackendFor(flags, output);
  const { model, info } = await loadForInference(file);
  const { inputShape, mean, std, classes } = info;
  const transform = imageTransform(inputShape, mean, std);
  const size = inputShape[0] * inputShape[1] * inputShape[2];
  const results: { picture: string; predictions: { class: string; probability: number }[] }[] = [];
  for (const picture of pictures) {
    const pixels = await decodePicture(picture, inputShape);
    const normalised = new Float32Array(size);
    transform(pixels, 0, normalised, 0);
    const probabilities = tf.tidy(() => {
      const image = tf.tensor4d(normalised, [1, ...inputShape]);
      return tf.softmax(model.apply(image, { training: false }) as tf.Tensor).dataSync();
    });
    expectFinite(probabilities, info);
    const ranked = classes
      .map((name, k) => ({ class: name, probability: probabilities[k] }))
      .sort((a, b) => b.probability - a.probability);
    results.push({ picture, predictions: ranked.slice(0, top) });
  }
  output.result(results, () =>
    results
      .map(({ picture, predictions }) => {
        const table = rankingText(
          "class",
          predictions.map(({ class: name, probability }) => ({ name, probability })),
        );
        return pictures.length === 1 ? table : `${picture}\n${table}`;
      })
      .join("\n\n"),
  );
}
