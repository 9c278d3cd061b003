import { InputError } from "../../errors.ts";
import { type Decoder, type DecodingOptions, DecodingRows, firstTokens } from "./decoder.ts";

export interface BeamSearchOptions extends DecodingOptions {
  /** hypotheses that are followed at a time, for each row */
  beams: number;
  /** α: how much longer hypotheses are favoured, 0 unless given (the paper found 0.6 to 0.7 best) */
  lengthPenalty?: number;
  /** `maxLength` of each row, where they differ: none above that of all */
  maxLengths?: ArrayLike<number>;
  /** results for each row, one unless given, as many as there are beams at most */
  best?: number;
}

/** One way on from a hypothesis, kept for display: the tree of all that was followed. */
export interface BeamNode {
  readonly token: number;
  /** its place in the list, −1 for what follows the first token */
  readonly parent: number;
  /** of this token, in nats */
  readonly logProbability: number;
  /** of all tokens up to it */
  readonly total: number;
  readonly ended: boolean;
}

/** A hypothesis that came to its end, or to `maxLength`. */
export interface BeamResult {
  /** without the first and without the end */
  readonly tokens: number[];
  /** of each token, and of the end where there is one, in nats */
  readonly logProbabilities: number[];
  /** Σ log-probabilities / lp */
  readonly score: number;
  readonly ended: boolean;
  /** its last node's place in the tree */
  readonly node: number;
}

/** What became of one of the decoder's rows. */
export interface BeamSearchRow {
  /** the best first */
  readonly results: BeamResult[];
  readonly tree: BeamNode[];
}

/** lp(Y) = ((5 + |Y|) / 6)^α, |Y| the tokens after the first, the end counted */
const penalty = (length: number, alpha: number): number => ((5 + length) / 6) ** alpha;

/**
 * Beam search with the length penalty of Wu et al. (2016, "Google's neural machine translation system", eq. 14, without
 * its coverage penalty):
 *
 *   s(Y) = log P(Y) / lp(Y)        lp(Y) = ((5 + |Y|) / 6)^α
 *
 * In each step the best `beams` ways on that do not end are followed, and those that end are kept if they are among the
 * best `beams` ways of all. A row is done when nothing that is followed can become better than the results that it has.
 *
 * @param decoder its rows are searched side by side, independent of each other
 * @returns one for each of the decoder's rows
 * @throws InputError for options out of range
 */
export async function beamSearch(decoder: Decoder, options: BeamSearchOptions): Promise<BeamSearchRow[]> {
  const { beams, best = 1, lengthPenalty = 0, maxLength, maxLengths } = options;
  if (!(Number.isInteger(beams) && beams >= 1)) {
    throw new InputError(`beam search got ${beams} beams; expected a whole number above 0`);
  }
  if (!(Number.isInteger(best) && best >= 1 && best <= beams)) {
    throw new InputError(`beam search was asked for the ${best} best of ${beams} beams; expected 1 to ${beams}`);
  }
  if (!(lengthPenalty >= 0)) {
    throw new InputError(`beam search got a length penalty of ${lengthPenalty}; expected 0 or more`);
  }
  const rows = new DecodingRows(decoder, options);
  const searches = firstTokens(options, rows.count).map(
    (first, row) => new RowSearch(first, { ...options, maxLength: maxLengths?.[row] ?? maxLength }, best),
  );
  try {
    for (let step = 0; step < maxLength && searches.some(({ live }) => live.length > 0); step++) {
      const followed = searches.flatMap(({ live }) => live.map(({ last }) => last));
      const { logProbabilities, vocabulary } = await rows.step(followed);
      const kept: number[] = [];
      let first = 0;
      for (const search of searches) {
        const count = search.live.length;
        const ofSearch = logProbabilities.subarray(first * vocabulary, (first + count) * vocabulary);
        kept.push(...search.advance(ofSearch, vocabulary).map((row) => first + row));
        first += count;
      }
      if (kept.length > 0) rows.keep(kept);
    }
  } finally {
    rows.dispose();
  }
  return searches.map((search) => search.outcome());
}

/** A hypothesis that is followed. */
interface Live {
  /** its last token */
  readonly last: number;
  /** log P of its tokens */
  readonly total: number;
  readonly length: number;
  /** its last node's place in the tree */
  readonly node: number;
}

/** The search of one row. */
class RowSearch {
  live: Live[];
  private readonly tree: BeamNode[] = [];
  private finished: { node: number; score: number }[] = [];

  constructor(
    first: number,
    private readonly options: BeamSearchOptions,
    private readonly best: number,
  ) {
    this.live = [{ last: first, total: 0, length: 0, node: -1 }];
  }

  /**
   * Goes on from every live hypothesis by one token.
   *
   * @param logProbabilities [live · vocabulary]
   * @returns of each hypothesis that is live now, which it comes from
   */
  advance(logProbabilities: Float32Array, vocabulary: number): number[] {
    const { beams, end, maxLength } = this.options;
    const before = this.live;
    const total = (place: number) => before[Math.floor(place / vocabulary)].total + logProbabilities[place];
    // At most one way on from each hypothesis ends.
    const ways = largestPlaces(logProbabilities.length, 2 * beams, total);
    const origins: number[] = [];
    this.live = [];
    for (const [rank, place] of ways.entries()) {
      const token = place % vocabulary;
      const origin = Math.floor(place / vocabulary);
      const { length, node: parent } = before[origin];
      const ended = token === end;
      const done = ended || length + 1 === maxLength;
      if (total(place) === Number.NEGATIVE_INFINITY || (done ? rank >= beams : this.live.length === beams)) continue;
      const node = this.tree.length;
      this.tree.push({ token, parent, logProbability: logProbabilities[place], total: total(place), ended });
      if (done) {
        this.finished.push({ node, score: total(place) / penalty(length + 1, this.options.lengthPenalty ?? 0) });
      } else {
        this.live.push({ last: token, total: total(place), length: length + 1, node });
        origins.push(origin);
      }
    }
    this.finished = this.finished.sort((a, b) => b.score - a.score).slice(0, this.best);
    if (!this.canImprove()) this.live = [];
    return this.live.length === 0 ? [] : origins;
  }

  /** Whether a live hypothesis may still be among the best: its log P can only fall, its penalty grows to the longest. */
  private canImprove(): boolean {
    if (this.finished.length < this.best) return true;
    const { maxLength, lengthPenalty = 0 } = this.options;
    const worst = this.finished[this.finished.length - 1].score;
    return this.live.some(({ total }) => total / penalty(maxLength, lengthPenalty) > worst);
  }

  outcome(): BeamSearchRow {
    return { results: this.finished.map(({ node, score }) => this.result(node, score)), tree: this.tree };
  }

  private result(node: number, score: number): BeamResult {
    const path: BeamNode[] = [];
    for (let at = node; at >= 0; at = this.tree[at].parent) path.unshift(this.tree[at]);
    const { ended } = this.tree[node];
    const tokens = path.map(({ token }) => token);
    if (ended) tokens.pop();
    return { tokens, logProbabilities: path.map(({ logProbability }) => logProbability), score, ended, node };
  }
}

/** The places of the `count` largest values, the largest first; of equal ones the first. */
function largestPlaces(size: number, count: number, value: (place: number) => number): number[] {
  const places: number[] = [];
  const values: number[] = [];
  for (let place = 0; place < size; place++) {
    const own = value(place);
    if (places.length === count && own <= values[count - 1]) continue;
    let at = places.length;
    while (at > 0 && values[at - 1] < own) at--;
    places.splice(at, 0, place);
    values.splice(at, 0, own);
    if (places.length > count) {
      places.pop();
      values.pop();
    }
  }
  return places;
}
