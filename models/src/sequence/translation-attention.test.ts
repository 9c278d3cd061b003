import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Translator } from "../model-entry.ts";
import { type Seq2SeqOptions, seq2seq } from "./seq2seq.ts";
import { t5Translator } from "./t5.ts";
import { type TransformerOptions, transformer, translatorOf } from "./transformer.ts";
import { attentionMatrix, translationAttention } from "./translation-attention.ts";

beforeAll(() => tf.setBackend("cpu"));

const vocabularies = { sourceVocabulary: 11, targetVocabulary: 9 };
const ofTransformer = (norm: TransformerOptions["norm"]) => () =>
  translatorOf(
    transformer({ ...vocabularies, norm, units: 8, heads: 2, encoderLayers: 1, decoderLayers: 3, hidden: 12 }),
  );
const ofSeq2seq = (options: Seq2SeqOptions) => () => seq2seq({ ...vocabularies, embedding: 6, units: 8, ...options });

const ofT5 = () =>
  t5Translator({
    sourceVocabulary: 11,
    units: 8,
    heads: 2,
    headUnits: 4,
    encoderLayers: 1,
    decoderLayers: 3,
    hidden: 12,
  });

const networks: [name: string, build: () => Translator, layers: number, heads: number][] = [
  ["a Transformer", ofTransformer("post"), 3, 2],
  ["a Transformer with pre-norm", ofTransformer("pre"), 3, 2],
  ["T5", ofT5, 3, 2],
  ["seq2seq", ofSeq2seq({}), 1, 1],
  ["seq2seq of GRUs with dot scores", ofSeq2seq({ cell: "gru", score: "dot" }), 1, 1],
  ["seq2seq that looks behind its step", ofSeq2seq({ style: "luong" }), 1, 1],
];

describe.each(networks)("attention of %s", (_, build, layers, heads) => {
  const source = [
    [3, 4, 5, 6, 2],
    [7, 3, 2, 0, 0],
  ];
  const target = [
    [1, 4, 5, 6],
    [1, 8, 7, 6],
  ];
  const look = (translator: Translator, lengths: number[], sources = source, targets = target) =>
    tf.tidy(() => {
      const [s, t] = [sources, targets].map((rows) => tf.tensor2d(rows, undefined, "int32"));
      return translator.attention(s, tf.tensor1d(lengths, "int32"), t).arraySync();
    });

  it("has rows that sum to 1, and nothing in padding", () => {
    const before = tf.memory().numTensors;
    const translator = build();
    const own = tf.memory().numTensors;
    const all = look(translator, [5, 3]);
    expect(tf.memory().numTensors).toBe(own);
    expect([all.length, all[0].length, all[0][0].length, all[0][0][0].length]).toEqual([2, layers, heads, 4]);
    for (const [i, ofRow] of all.entries()) {
      for (const row of ofRow.flat(2)) {
        expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
        expect(row.slice(i === 0 ? 5 : 3)).toEqual(i === 0 ? [] : [0, 0]);
      }
    }
    translator.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("depends on neither padding nor what is written later", () => {
    const translator = build();
    const [, whole] = look(translator, [5, 3]);
    const [alone] = look(translator, [3], [source[1].slice(0, 3)], [target[1].slice(0, 2)]);
    for (const [layer, ofLayer] of alone.entries()) {
      for (const [head, rows] of ofLayer.entries()) {
        for (const [i, row] of rows.entries()) {
          for (const [j, share] of row.entries()) expect(share).toBeCloseTo(whole[layer][head][i][j], 5);
        }
      }
    }
    translator.dispose();
  });

  it("is that of each written token, the end counted", async () => {
    const translator = build();
    const before = tf.memory().numTensors;
    const ended = await translationAttention(translator, source[0], { tokens: [4, 5, 6], ended: true }, 1);
    const cut = await translationAttention(translator, source[0], { tokens: [4, 5, 6], ended: false }, 1);
    expect(tf.memory().numTensors).toBe(before);
    expect(ended).toMatchObject({ layers, heads, written: 4, source: 5 });
    expect(cut.written).toBe(3);
    const [truth] = look(translator, [5], [source[0]], [target[0]]);
    const last = truth[layers - 1];
    for (const [i, row] of attentionMatrix(ended).entries()) {
      for (const [j, share] of row.entries()) {
        expect(share).toBeCloseTo(last.reduce((sum, of) => sum + of[i][j], 0) / heads, 5);
      }
    }
    const first = attentionMatrix(ended, { layer: 0, head: heads - 1 });
    expect([...first[2]]).toEqual(truth[0][heads - 1][2].map((share) => Math.fround(share)));
    translator.dispose();
  });
});
