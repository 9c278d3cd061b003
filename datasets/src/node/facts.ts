import { createHash } from "node:crypto";
import { InputError } from "../errors.ts";
import { questionPair } from "../facts/questions.ts";
import { summaryPair } from "../facts/summaries.ts";
import type { PairDataset, Random, SentencePairs } from "../types.ts";

/** Pairs of each part. */
const COUNTS = { train: 20_000, validation: 500, test: 500 };

/** Sets of text to text that a seeded grammar writes: the same everywhere, with answers that are known. */
export const factSets = {
  /** bAbI-like questions, `questionPair`. */
  "facts-questions": { pair: questionPair, direction: ["question", "answer"], metric: "exact-match" },
  /** Reports and their headlines, `summaryPair`. */
  "facts-summaries": { pair: summaryPair, direction: ["report", "headline"], metric: "rouge-l" },
  /** Both, for one network that their prefixes tell what is asked for. */
  facts: {
    pair: (random: Random) => (random.integer(2) === 0 ? questionPair : summaryPair)(random),
    direction: ["text", "text"],
    metric: "exact-match",
  },
} as const;

/**
 * One of `factSets`: 20,000 pairs to train on, 500 to validate and 500 to test on, no source twice.
 *
 * @throws InputError for another direction than the set's own
 */
export function loadFacts(name: keyof typeof factSets, { direction }: { direction?: string } = {}): PairDataset {
  const { pair, direction: both, metric } = factSets[name];
  const [source, target] = both;
  const own = both.join("-");
  if (direction !== undefined && direction !== own) {
    throw new InputError(`${name} has no direction "${direction}": it is ${own} always, leave the direction out`);
  }
  const random = hashedRandom(name);
  const seen = new Set<string>();
  const draw = (count: number): SentencePairs => {
    const pairs: { source: string[]; target: string[] } = { source: [], target: [] };
    while (pairs.source.length < count) {
      const drawn = pair(random);
      if (seen.has(drawn.source)) continue;
      seen.add(drawn.source);
      pairs.source.push(drawn.source);
      pairs.target.push(drawn.target);
    }
    return pairs;
  };
  const [test, validation, train] = [draw(COUNTS.test), draw(COUNTS.validation), draw(COUNTS.train)];
  return { name, source, target, metric, train, validation, test };
}

const WORDS = 4096;

/** A stream of numbers that a name decides: the digits of long hashes of the name and a counter. */
function hashedRandom(name: string): Random {
  let words = new Uint32Array(0);
  let next = 0;
  let block = 0;
  const word = (): number => {
    if (next === words.length) {
      const hash = createHash("shake256", { outputLength: 4 * WORDS })
        .update(`${name}/${block++}`)
        .digest();
      words = Uint32Array.from({ length: WORDS }, (_, i) => hash.readUInt32LE(4 * i));
      next = 0;
    }
    return words[next++];
  };
  const uniform = () => word() / 2 ** 32;
  return { uniform, integer: (n) => Math.floor(uniform() * n) };
}
