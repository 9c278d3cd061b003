import { InputError } from "@tfjs-zoo/models";

/** What a classifier takes samples for. */
export interface ClassBalance {
  /** [classes], share of samples that are taken for each, 0 to 1 */
  shares: number[];
  /** [classes], share that each has among real images */
  expected: number[];
  /** mean probability of the class that a sample is taken for, 0 to 1 */
  confidence: number;
  /** classes that have less than half of their share, beyond what chance explains */
  rare: number[];
  /** classes that have more than one and a half times their share, beyond what chance explains */
  frequent: number[];
}

/** Share of rows whose highest probability is that of their label, 0 to 1. @param probabilities [labels.length, classes] */
export function shareRight(probabilities: Float32Array, labels: ArrayLike<number>): number {
  const classes = probabilities.length / labels.length;
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(row.reduce((a, b) => Math.max(a, b))) === labels[i]) right++;
  }
  return right / labels.length;
}

/** A share is off where it is so many standard deviations of a random draw away. */
const DEVIATIONS = 3;

/**
 * Whether samples are of all classes, by a classifier that knows them.
 *
 * @param probabilities [samples, classes], softmax
 * @param expected [classes], shares of the real images; equal ones unless given
 * @throws InputError where there is no sample, or the lengths do not fit
 */
export function classBalance(
  probabilities: Float32Array,
  classes: number,
  expected: readonly number[] = new Array(classes).fill(1 / classes),
): ClassBalance {
  const count = probabilities.length / classes;
  if (count === 0 || !Number.isInteger(count) || expected.length !== classes) {
    throw new InputError(
      `${probabilities.length} probabilities and ${expected.length} shares of ${classes} classes: expected a probability of each class for at least one sample, and a share of each`,
    );
  }
  const counts = new Array<number>(classes).fill(0);
  let confidence = 0;
  for (let i = 0; i < count; i++) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const highest = row.reduce((a, b) => Math.max(a, b));
    counts[row.indexOf(highest)]++;
    confidence += highest / count;
  }
  const shares = counts.map((n) => n / count);
  const off = (k: number) =>
    Math.abs(shares[k] - expected[k]) > DEVIATIONS * Math.sqrt((expected[k] * (1 - expected[k])) / count);
  const all = shares.map((_, k) => k);
  return {
    shares,
    expected: [...expected],
    confidence,
    rare: all.filter((k) => shares[k] < expected[k] / 2 && off(k)),
    frequent: all.filter((k) => shares[k] > 1.5 * expected[k] && off(k)),
  };
}

/** Recall below which a generator is said to have collapsed. */
const LOW_RECALL = 0.05;

/**
 * Whether a generator has collapsed onto few images (Goodfellow et al. 2014, sec. 6, "the Helvetica scenario"), and why it
 * is said: one line for each sign, none where there is no sign.
 *
 * @param names [classes]
 * @param recall of the samples on the classifier's features, 0 to 1
 */
export function collapseSigns(balance: ClassBalance, names: readonly string[], recall: number): string[] {
  const listed = (classes: readonly number[]) =>
    classes
      .map(
        (k) => `${names[k]} (${percent(balance.shares[k])} of samples, ${percent(balance.expected[k])} of real images)`,
      )
      .join(", ");
  return [
    ...(balance.rare.length > 0 ? [`too few of ${listed(balance.rare)}`] : []),
    ...(balance.frequent.length > 0 ? [`too many of ${listed(balance.frequent)}`] : []),
    ...(recall < LOW_RECALL ? [`only ${percent(recall)} of real images lie among the samples`] : []),
  ];
}

/** 0.1234 -> "12.3 %" */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
