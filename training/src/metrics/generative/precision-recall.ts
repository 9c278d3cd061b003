import { events } from "../../loop/events.ts";
import type { FeatureRows } from "./feature-rows.ts";
import { BLOCK, nearest, squaredDistance } from "./nearest.ts";

export interface PrecisionRecallOptions {
  /** k of precision and recall */
  neighbours?: number;
  /** k of density and coverage */
  densityNeighbours?: number;
  onProgress?(done: number, total: number): void;
}

/** How samples and real images cover each other. */
export interface PrecisionRecall {
  /** share of samples that lie among the real images: are they good? 0 to 1 */
  precision: number;
  /** share of real images that lie among the samples: are they diverse? 0 to 1 */
  recall: number;
  /** how densely real images lie around a sample, 1 for samples that are real; above 1 where samples keep to the middle */
  density: number;
  /** share of real images with a sample near them, 0 to 1 */
  coverage: number;
}

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019, eq. 1 and 2), and density and coverage (Naeem et al. 2020, sec. 3)
 * A set fills the spheres around its rows that reach to their k-th nearest neighbour in the set, Sₖ:
 *
 *   precision = share of samples g in some Sₖ(r)              recall   = share of real r in some Sₖ(g)
 *   density   = 1/(k samples) Σ_g Σ_r 1[g in Sₖ(r)]            coverage = share of real r with a sample in Sₖ(r)
 *
 * Recall trusts samples that lie far out, where a sphere is large; coverage does not, so that both are told. As in the
 * papers k is 3 for the first two and 5 for the others.
 *
 * @throws InputError for fewer rows of either than the larger k and one, and for features of two networks
 */
export async function precisionRecall(
  real: FeatureRows,
  generated: FeatureRows,
  options: PrecisionRecallOptions = {},
): Promise<PrecisionRecall> {
  const { neighbours = 3, densityNeighbours = 5, onProgress = () => {} } = options;
  const total = real.count + 2 * generated.count;
  const most = Math.max(neighbours, densityNeighbours);
  const aroundReal = await nearest(real, real, most, (done) => onProgress(done, total));
  const aroundGenerated = await nearest(generated, generated, most, (done) => onProgress(real.count + done, total));
  const radius = ({ squared }: { squared: Float64Array }, i: number, k: number) => squared[i * most + k - 1];

  const realHasSample = new Uint8Array(real.count); // within its sphere of `densityNeighbours`
  const realRecalled = new Uint8Array(real.count);
  const samplePrecise = new Uint8Array(generated.count);
  let inside = 0; // pairs of a sample and a real image in whose sphere of `densityNeighbours` it is
  const { dimensions: d } = real;
  for (let begin = 0; begin < generated.count; begin += BLOCK) {
    const end = Math.min(begin + BLOCK, generated.count);
    for (let r = 0; r < real.count; r++) {
      const precise = radius(aroundReal, r, neighbours);
      const dense = radius(aroundReal, r, densityNeighbours);
      for (let g = begin; g < end; g++) {
        const recalled = radius(aroundGenerated, g, neighbours);
        const limit = Math.max(precise, dense, recalled);
        const distance = squaredDistance(generated.values, g * d, real.values, r * d, d, limit);
        if (distance <= precise) samplePrecise[g] = 1;
        if (distance <= recalled) realRecalled[r] = 1;
        if (distance <= dense) {
          realHasSample[r] = 1;
          inside++;
        }
      }
    }
    onProgress(real.count + generated.count + end, total);
    await events();
  }
  return {
    precision: shareOf(samplePrecise),
    recall: shareOf(realRecalled),
    density: inside / (densityNeighbours * generated.count),
    coverage: shareOf(realHasSample),
  };
}

const shareOf = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
