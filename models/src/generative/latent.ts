/** Ways through the space of z of a generator or a decoder, whose prior is N(0, I). Plain numbers: z [n, d] by rows. */
import { InputError } from "../errors.ts";
import type { Random } from "../random.ts";

/** Draws from the prior: [count][d]. */
export const drawLatents = (count: number, d: number, random: Random): number[][] =>
  Array.from({ length: count }, () => Array.from({ length: d }, () => random.normal()));

/**
 * Steps from one z to another along an arc, which keeps to where the prior's mass is: in many dimensions nearly all of it
 * lies far from 0, and a straight line would pass near it (White 2016, "Sampling generative networks", sec. 2.1).
 *
 *   z(t) = (sin((1 − t) Ω) a + sin(t Ω) b) / sin Ω        cos Ω = a·b / (|a| |b|)
 *
 * @param steps how many z, both ends among them
 * @returns [steps][d]
 * @throws InputError when the two are of different lengths, or there are fewer than 2 steps
 */
export function interpolation(a: readonly number[], b: readonly number[], steps: number): number[][] {
  if (a.length !== b.length || steps < 2) {
    throw new InputError(
      `an interpolation got z of ${a.length} and ${b.length} numbers and ${steps} steps; expected equal lengths and at least 2 steps`,
    );
  }
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  // Where both point the same way (or one is 0) the arc is a line.
  const isLine = !(Math.sin(angle) > 1e-6);
  return Array.from({ length: steps }, (_, step) => {
    const t = step / (steps - 1);
    const [ofA, ofB] = isLine ? [1 - t, t] : [(1 - t) * angle, t * angle].map((x) => Math.sin(x) / Math.sin(angle));
    return a.map((value, i) => ofA * value + ofB * b[i]);
  });
}

/** How far a traversal goes to either side: there is little of the prior beyond. */
const FAR = 2.5;

/**
 * One number of a z at a time from one side of the prior to the other (Higgins et al. 2017, "beta-VAE", fig. 1).
 *
 * @param numbers which of the z's: a row each  @param steps values of each
 * @returns [numbers · steps][d]
 */
export function traversal(z: readonly number[], numbers: readonly number[], steps: number): number[][] {
  return numbers.flatMap((number) =>
    Array.from({ length: steps }, (_, step) => {
      const value = steps === 1 ? z[number] : FAR * ((2 * step) / (steps - 1) - 1);
      return z.map((own, i) => (i === number ? value : own));
    }),
  );
}
