import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "@tfjs-zoo/models";
import {
  bertFrom,
  bertText,
  readTextEncoder,
  type TextEncoderFile,
  textClassifierFrom,
  textInputs,
} from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor } from "../context.ts";
import { expectFinite } from "../expect-finite.ts";
import { rankingText } from "../terminal/ranking.ts";

/** What a network finds likeliest, and how likely. */
interface Ranked {
  name: string;
  probability: number;
}

/** Says of each text which class it is of, or, by weights that learned from text alone, which words `[MASK]` stands for. */
export async function predictTexts(
  path: string,
  texts: readonly string[],
  top: number,
  flags: CommonFlags,
  output: Output,
): Promise<void> {
  const file = await readTextEncoder(path);
  const rows = texts.map((text, i) => idsOf(text, `text ${i + 1}`, file));
  await startBackendFor(flags, output);
  const titled = (i: number, tables: string[]) => [...(texts.length > 1 ? [texts[i]] : []), ...tables].join("\n");
  if (file.info.classes) {
    const ranked = rows.map(classesOf(file, file.info.classes, top));
    output.result(
      texts.map((text, i) => ({
        text,
        predictions: ranked[i].map(({ name, probability }) => ({ class: name, probability })),
      })),
      () => ranked.map((names, i) => titled(i, [rankingText("class", names)])).join("\n\n"),
    );
    return;
  }
  const filled = rows.map(wordsOf(file, top));
  output.result(
    texts.map((text, i) => ({
      text,
      masks: filled[i].map((names) => names.map(({ name, probability }) => ({ word: name, probability }))),
    })),
    () =>
      filled
        .map((masks, i) =>
          titled(
            i,
            masks.map((names) => rankingText("word", names)),
          ),
        )
        .join("\n\n"),
  );
}

/** @throws InputError when there is nothing to read in a text, or more than the network has places for */
function idsOf(text: string, which: string, { tokenizer, ids, info }: TextEncoderFile): Int32Array {
  const fills = info.classes === undefined;
  const row = bertText(text, tokenizer, ids, { special: fills });
  if (row.length === 2) throw new InputError(`${which} is empty: give some text in quotes`);
  if (fills && !row.includes(ids.mask)) {
    throw new InputError(`${which} has no [MASK], and these weights fill in words: put it where one is missing`);
  }
  if (row.length <= info.context) return row;
  throw new InputError(
    `${which} has ${row.length} tokens with [CLS] and [SEP], and ${info.model} here knows ${info.context} places: give its sentences one by one`,
  );
}

/** One text as a batch, for the two graphs. */
const alone = (row: Int32Array) => textInputs({ ids: row, lengths: Int32Array.of(row.length), size: 1 });

function classesOf(file: TextEncoderFile, classes: readonly string[], top: number): (row: Int32Array) => Ranked[] {
  const model = textClassifierFrom(file, file.path);
  return (row) => {
    const probabilities = tf.tidy(() =>
      tf.softmax(model.apply(alone(row), { training: false }) as tf.Tensor).dataSync(),
    );
    expectFinite(probabilities, file.info);
    return likeliest(probabilities, top).map((place) => ({ name: classes[place], probability: probabilities[place] }));
  };
}

function wordsOf(file: TextEncoderFile, top: number): (row: Int32Array) => Ranked[][] {
  const { tokenizer, ids, info } = file;
  const network = bertFrom(file, file.path);
  return (row) => {
    const places = [...row.keys()].filter((place) => row[place] === ids.mask);
    const probabilities = tf.tidy(() => {
      const asked = tf.tensor2d(places, [1, places.length], "int32");
      const [words] = network.pretrain.apply([...alone(row), asked], { training: false }) as tf.Tensor[];
      return tf.softmax(words).dataSync(); // [masks · vocabulary]
    });
    expectFinite(probabilities, info);
    return places.map((_, i) => {
      const ofMask = probabilities.slice(i * ids.vocabulary, (i + 1) * ids.vocabulary);
      return likeliest(ofMask, top).map((id) => ({ name: tokenizer.tokenOf(id), probability: ofMask[id] }));
    });
  };
}

const likeliest = (probabilities: ArrayLike<number>, top: number): number[] =>
  Array.from(probabilities, (_, place) => place)
    .sort((a, b) => probabilities[b] - probabilities[a])
    .slice(0, top);
