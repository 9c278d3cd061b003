import { createHash } from "node:crypto";
import { InputError } from "../errors.ts";
import type { PairDataset, SentencePairs } from "../types.ts";

const SHARE = 0.05;
const MOST = 1000;

/**
 * Draws a twentieth of the pairs, at most 1,000, to validate on and as many to test on. All pairs with the same first
 * sentence go into the same part: else the test would ask for what was learnt by heart. Which ones is decided by a
 * seeded hash of that sentence, so that more pairs in the file hardly move the others.
 *
 * @param name of the set, for messages
 * @throws InputError where no part would be left to train on
 */
export function splitPairs(
  { source, target }: SentencePairs,
  name: string,
  seed: number,
): Pick<PairDataset, "train" | "validation" | "test"> {
  const bySentence = new Map<string, number[]>();
  for (const [i, sentence] of source.entries()) {
    const members = bySentence.get(sentence);
    if (members) members.push(i);
    else bySentence.set(sentence, [i]);
  }
  const hashed = [...bySentence].map(([sentence, members]) => ({ hash: hashOf(`${seed}/${sentence}`), members }));
  const order = hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ members }) => members);

  const wanted = Math.min(MOST, Math.max(1, Math.round(SHARE * source.length)));
  let next = 0;
  const draw = (): number[] => {
    let drawn = order[next++] ?? [];
    while (next < order.length && drawn.length + order[next].length <= wanted) drawn = drawn.concat(order[next++]);
    return drawn;
  };
  const [test, validation, train] = [draw(), draw(), order.slice(next).flat()];
  if (train.length === 0) {
    throw new InputError(
      `${name} has ${order.length} different first sentences: too few to train, validate and test on; give more pairs`,
    );
  }
  const pick = (indices: number[]): SentencePairs => {
    const inOrder = indices.sort((a, b) => a - b);
    return { source: inOrder.map((i) => source[i]), target: inOrder.map((i) => target[i]) };
  };
  return { train: pick(train), validation: pick(validation), test: pick(test) };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
