import { InputError } from "../errors.ts";
import type { Random } from "../random.ts";

/** How a token is drawn from what a network says of the next. */
export interface TokenChoice {
  /** T: logits are divided by it; 0 always takes the likeliest. Default 1. */
  temperature?: number;
  /** Draw among so many of the likeliest (Fan et al. 2018, sec. 5.4); 0: among all. Default 0. */
  topK?: number;
  /** Draw among the likeliest that together have this share of the probability (Holtzman et al. 2020, sec. 3.1). Default 1. */
  topP?: number;
}

/** One token that may be drawn. */
export interface Candidate {
  id: number;
  /** of being drawn, 0 to 1 */
  probability: number;
}

/**
 * The tokens that may be drawn, the likeliest first; of equally likely ones the lower id.
 *
 *   p_i = exp(z_i / T) / Σ exp(z_j / T), over those that are left by top-k, then by top-p
 *
 * @param logits z [vocabulary]
 * @throws InputError when one is NaN or +∞, or none is finite
 */
export function candidates(
  logits: ArrayLike<number>,
  { temperature = 1, topK = 0, topP = 1 }: TokenChoice = {},
): Candidate[] {
  const damaged = Array.prototype.some.call(logits, (z) => !(z < Number.POSITIVE_INFINITY));
  if (damaged || !Array.prototype.some.call(logits, Number.isFinite)) {
    throw new InputError("logits to choose from are not finite: the weights are damaged, or of another network");
  }
  const order = Array.from({ length: logits.length }, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b);
  const largest = logits[order[0]];
  if (temperature === 0) return [{ id: order[0], probability: 1 }];
  const left = topK > 0 ? order.slice(0, topK) : order;
  const weights = left.map((id) => Math.exp((logits[id] - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [count, share] = [0, 0];
  while (count < left.length && (count === 0 || share < topP * total)) share += weights[count++];
  return left.slice(0, count).map((id, i) => ({ id, probability: weights[i] / share }));
}

/** Draws one of the `candidates`. */
export function chooseToken(logits: ArrayLike<number>, choice: TokenChoice, random: Pick<Random, "uniform">): number {
  const all = candidates(logits, choice);
  let at = random.uniform();
  for (const { id, probability } of all) {
    at -= probability;
    if (at < 0) return id;
  }
  return all[all.length - 1].id;
}
