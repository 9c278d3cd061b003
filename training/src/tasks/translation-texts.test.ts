import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import type { Translator } from "@tfjs-zoo/models";
import { trainWords } from "@tfjs-zoo/models/text";
import { expect, it } from "vitest";
import { sourceIds } from "./translate.ts";
import { translationText } from "./translation-texts.ts";

const ids = { pad: 0, bos: 1, eos: 2 };
const tokenizer = trainWords(["Ein Hund heißt.", "A dog is called."], 13, { addPrefixSpace: true });
const sentence = "Ein Hund heißt Waldi.";
const source = sourceIds(sentence, tokenizer, ids);
const tokens = [...tokenizer.encode("A dog is called Waldi.")];

/** Looks at one place of the source in each step; at the end of the sentence too, where there is nothing to copy. */
const looking = (places: number[]): Translator => ({
  attention: (source: tf.Tensor, _lengths: tf.Tensor, target: tf.Tensor) => {
    expect(target.shape).toEqual([1, places.length]);
    const rows = tf.oneHot(tf.tensor1d(places, "int32"), source.shape[1] as number);
    return tf.add(tf.mul(tf.reshape(rows, [1, 1, 1, ...rows.shape]), 0.5), 0.01) as tf.Tensor5D;
  },
  train: undefined as unknown as Translator["train"],
  decoder: () => expect.unreachable(),
  dispose: () => {},
});

it("copies a word that has no token from where the network looked", async () => {
  await tf.setBackend("cpu");
  expect(tokens.filter((id) => id === tokenizer.unknownId)).toHaveLength(1);
  const text = (translator: Translator, copy?: boolean, ended = true) =>
    translationText({ translator, tokenizer, ids, copy }, sentence, source, { tokens, ended });
  const before = tf.memory().numTensors;
  expect(await text(looking([0, 1, 2, 2, 3, 4, 5]))).toBe("A dog is called Waldi.");
  expect(await text(looking([0, 1, 2, 2, 1, 4]), true, false)).toBe("A dog is called Hund.");
  expect(await text(looking([5, 5, 5, 5, 5, 5, 5]))).toBe("A dog is called Ein.");
  expect(tf.memory().numTensors).toBe(before);
  expect(await text(looking([]), false)).toBe("A dog is called.");
});
