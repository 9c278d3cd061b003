import { InputError } from "@tfjs-zoo/models";
import type { Evaluation } from "./classification.ts";

/** Probabilities are in single precision: one that is 0 there counts as the least that is not. */
const LEAST = 2 ** -149;

/**
 * What several classifiers say together of a set: the mean of their probabilities (Lakshminarayanan, Pritzel & Blundell
 * 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", sec. 2.4).
 *
 * @param members of the same images, in the same order
 * @throws InputError where they are not of the same images and classes
 */
export function ensembleOf(members: readonly Evaluation[]): Evaluation {
  const [{ labels, images, probabilities: first }] = members;
  for (const member of members) {
    if (member.probabilities.length !== first.length || member.labels.some((label, n) => label !== labels[n])) {
      throw new InputError("an ensemble's members must be measured on the same images and classes");
    }
  }
  const classes = first.length / images;
  const probabilities = first.map(
    (_, i) => members.reduce((sum, member) => sum + member.probabilities[i], 0) / members.length,
  );
  let [top1, top5, loss] = [0, 0, 0];
  for (let n = 0; n < images; n++) {
    const row = probabilities.subarray(n * classes, (n + 1) * classes);
    const own = row[labels[n]];
    const ahead = row.reduce((count, p, k) => count + (p > own || (p === own && k < labels[n]) ? 1 : 0), 0);
    const above = Number.isFinite(own) ? ahead : Number.POSITIVE_INFINITY; // nothing is above NaN
    if (above === 0) top1++;
    if (above < 5) top5++;
    loss -= Math.log(Math.max(own, LEAST));
  }
  return { accuracy: top1 / images, top5: top5 / images, loss: loss / images, images, probabilities, labels };
}
