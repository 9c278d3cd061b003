import { Heap } from "./heap.ts";

/** Two neighbouring tokens. */
export interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Words that have it, or had. */
  readonly words: Set<number>;
}

/** A pair as it was counted when it was queued. */
interface Candidate {
  pair: Pair;
  count: number;
}

/** How often each pair of neighbours is in a text, and which is the most frequent. */
export class PairCounts {
  private readonly pairs = new Map<number, Pair>();
  private readonly grown = new Set<Pair>();
  /** The more frequent first, then the lower left id, then the lower right one. */
  private readonly queue = new Heap<Candidate>(
    (a, b) =>
      a.count > b.count ||
      (a.count === b.count &&
        (a.pair.left < b.pair.left || (a.pair.left === b.pair.left && a.pair.right < b.pair.right))),
  );

  /**
   * @param ids how many ids there are at most
   * @param least pairs that are less frequent don't count
   */
  constructor(
    private readonly ids: number,
    private readonly least: number,
  ) {}

  /** A pair is there more often, or less often, because of a word. */
  change(left: number, right: number, by: number, word: number): void {
    const key = left * this.ids + right;
    let pair = this.pairs.get(key);
    if (!pair) {
      pair = { left, right, count: 0, words: new Set() };
      this.pairs.set(key, pair);
    }
    pair.count += by;
    if (by < 0) return;
    pair.words.add(word);
    this.grown.add(pair);
  }

  /** The most frequent pair; undefined where none is frequent enough. */
  mostFrequent(): Pair | undefined {
    for (const pair of this.grown) this.offer(pair);
    this.grown.clear();
    for (let top = this.queue.pop(); top; top = this.queue.pop()) {
      if (top.count === top.pair.count) return top.pair;
      this.offer(top.pair); // some of it went after it was queued
    }
  }

  /** Forgets a pair, which became a token. */
  remove(pair: Pair): void {
    this.pairs.delete(pair.left * this.ids + pair.right);
    pair.count = 0;
  }

  private offer(pair: Pair): void {
    if (pair.count >= this.least) this.queue.push({ pair, count: pair.count });
  }
}
