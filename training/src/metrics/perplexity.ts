/**
 * How many tokens a language model hesitates between: e to the mean cross-entropy.
 *
 * @param loss mean of −ln p(token) over all predicted tokens, in nats
 */
export function perplexity(loss: number): number {
  return Math.exp(loss);
}
