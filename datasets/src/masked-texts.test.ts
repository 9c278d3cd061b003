import { describe, expect, it } from "vitest";
import { testRandom } from "../test/support.ts";
import { type BertIds, hideWords } from "./hide-words.ts";
import { type EncodedDocuments, maskedTexts } from "./masked-texts.ts";
import type { MaskedBatch } from "./types.ts";

const ids: BertIds = { vocabulary: 29, pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 };

/** Three documents of words of their own, eight each, in sentences of four words that count on: 5 6 7 8, 6 7 8 9 … */
const documents = (first: number): EncodedDocuments =>
  [0, 8, 16].map((own) =>
    Array.from({ length: 20 }, (_, sentence) =>
      Int32Array.from({ length: 4 }, (_, i) => first + own + ((sentence + i) % 8)),
    ),
  );
const options = { groups: [documents(5)], ids, batchSize: 4, context: 19, random: testRandom };

const all = async (batches: AsyncIterable<MaskedBatch>) => {
  const list: MaskedBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
};

/** The rows of a batch without padding, hidden words back where they were. */
function textsOf({ ids: shown, lengths, types, next, places, words, size }: MaskedBatch) {
  const [tokens, most] = [shown.length / size, words.length / size];
  return Array.from({ length: size }, (_, row) => {
    const text = shown.slice(row * tokens, row * tokens + lengths[row]);
    for (let i = row * most; i < (row + 1) * most; i++) if (words[i] >= 0) text[places[i]] = words[i];
    const second = text.indexOf(ids.sep) + 1;
    const ofRow = types.slice(row * tokens, row * tokens + text.length);
    return { text, types: ofRow, a: text.slice(1, second - 1), b: text.slice(second, -1), next: next[row] };
  });
}

describe("hidden words", () => {
  const text = Int32Array.from([ids.cls, ...Array.from({ length: 998 }, (_, i) => 5 + (i % 24)), ids.sep]);

  it("are 15 %, of which 80 % are masked, 10 % any word and 10 % the same, and what stood there is kept", () => {
    const kinds = { masked: 0, same: 0, other: 0 };
    for (let draw = 0; draw < 20; draw++) {
      const { ids: shown, places, words } = hideWords(text, ids, testRandom("hide", draw));
      expect(places.length).toBe(150);
      expect(new Set(places).size).toBe(150);
      for (const [i, place] of places.entries()) {
        expect(words[i]).toBe(text[place]);
        expect(text[place]).toBeGreaterThan(ids.mask); // no special token
        kinds[shown[place] === ids.mask ? "masked" : shown[place] === words[i] ? "same" : "other"]++;
      }
      const hidden = new Set(places);
      expect([...shown].filter((id, place) => !hidden.has(place) && id !== text[place])).toEqual([]);
    }
    expect(kinds.masked / 3000).toBeCloseTo(0.8, 1);
    // Any word in place of another is the same one in 24 times.
    expect(kinds.other / 3000).toBeCloseTo((0.1 * 23) / 24, 1);
    expect(kinds.same).toBeGreaterThan(200);
  });

  it("are one at least, and none where there is no word", () => {
    expect(hideWords(Int32Array.of(ids.cls, 7, ids.sep), ids, testRandom(1)).words).toEqual(Int32Array.of(7));
    expect(hideWords(Int32Array.of(ids.cls, ids.unk, ids.sep), ids, testRandom(1)).places.length).toBe(0);
  });
});

describe("texts in two parts", () => {
  it("go on with what follows, or half the time with another document's sentences", async () => {
    const texts = maskedTexts(options);
    let [count, followed] = [0, 0];
    for (let epoch = 0; epoch < 40; epoch++) {
      for (const batch of await all(texts.epoch(epoch))) {
        for (const { text, types, a, b, next } of textsOf(batch)) {
          expect(text.length).toBe(19); // four sentences, [CLS] and two [SEP]
          expect([text[0], text.at(-1)]).toEqual([ids.cls, ids.sep]);
          expect([...types]).toEqual([...text.keys()].map((i) => (i >= a.length + 2 ? 1 : 0)));
          const own = (id: number) => Math.floor((id - 5) / 8);
          expect(own(a[0]) === own(b[0])).toBe(next === 0);
          // Either way B comes from where A ends: words count on from sentence to sentence.
          expect((b[0] - 5) % 8).toBe(((a[0] - 5) % 8) + a.length / 4 - (((a[0] - 5) % 8) + a.length / 4 > 7 ? 8 : 0));
          count++;
          followed += 1 - next;
        }
      }
    }
    expect(followed / count).toBeCloseTo(0.5, 1);
  });

  it("take another document's sentences from the same group", async () => {
    const texts = maskedTexts({ ...options, ids: { ...ids, vocabulary: 53 }, groups: [documents(5), documents(29)] });
    for (const batch of await all(texts.epoch(0))) {
      for (const { a, b } of textsOf(batch)) expect(a[0] < 29).toBe(b[0] < 29);
    }
  });

  it("are the same wherever an epoch is entered, and others in another", async () => {
    const texts = maskedTexts(options);
    const whole = await all(texts.epoch(1));
    expect(whole.length).toBe(texts.batchesPerEpoch);
    expect(await all(texts.epoch(1, 2))).toEqual(whole.slice(2));
    expect(await all(texts.epoch(2))).not.toEqual(whole);
  });

  it("are padded to the longest of their batch", async () => {
    const uneven = [
      [[5], [6, 7]],
      [[8, 9, 10], [11]],
      [[12], [13]],
    ].map((sentences) => sentences.map((words) => Int32Array.from(words)));
    const [batch] = await all(maskedTexts({ ...options, groups: [uneven] }).epoch(0));
    const tokens = Math.max(...batch.lengths);
    expect([batch.ids.length, batch.types.length]).toEqual([3 * tokens, 3 * tokens]);
    for (const [row, length] of batch.lengths.entries()) {
      expect([...batch.ids.slice(row * tokens + length, (row + 1) * tokens)].every((id) => id === ids.pad)).toBe(true);
    }
  });

  it("cut what is too long, and say what is missing in one line", async () => {
    const long = [5, 9].map((first) => [new Int32Array(50).fill(first)]);
    const [batch] = await all(maskedTexts({ ...options, groups: [long] }).epoch(0));
    expect([...batch.lengths]).toEqual([19, 19]);
    expect([...batch.next]).toEqual([1, 1]);
    expect(() => maskedTexts({ ...options, groups: [long.slice(1)] })).toThrow(/^the text has one document, and/);
    expect(() => maskedTexts({ ...options, groups: [[[]]] })).toThrow(/^the text has no words/);
    expect(() => maskedTexts({ ...options, groups: [] })).toThrow(/^the text has no words/);
    expect(() => maskedTexts({ ...options, context: 4 })).toThrow(/context of 4 tokens/);
    expect(() => maskedTexts({ ...options, batchSize: 0 })).toThrow(/batch size 0/);
  });
});
