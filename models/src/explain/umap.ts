import { UMAP } from "umap-js";
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";

export interface UmapOptions {
  seed?: number;
  /** how many of a point's nearest keep together: fewer show detail, more the whole */
  neighbours?: number;
  /** how close points may lie, 0 to 1 */
  minDistance?: number;
  /** gets how many of the steps of the optimisation are done */
  onStep?(done: number, total: number): void;
}

/**
 * Points of many dimensions laid out in two, so that neighbours stay neighbours (McInnes, Healy & Melville 2018, "UMAP:
 * uniform manifold approximation and projection for dimension reduction"). Distances between groups, and their sizes, say
 * little. Computed by umap-js; equal points and seed give an equal layout.
 *
 * @param points [count][dimensions], at least 3
 * @returns [count][2]
 * @throws InputError for fewer than 3 points
 */
export async function umap(points: number[][], options: UmapOptions = {}): Promise<number[][]> {
  const { seed = 0, neighbours = 15, minDistance = 0.1, onStep = () => {} } = options;
  if (points.length < 3) throw new InputError(`${points.length} points can't be laid out: give at least 3`);
  const random = randomStream(seed, "umap");
  const layout = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(neighbours, points.length - 1),
    minDist: minDistance,
    random: () => random.uniform(),
  });
  const steps = layout.initializeFit(points);
  for (let step = 1; step <= steps; step++) {
    layout.step();
    if (step % 10 === 0 || step === steps) {
      onStep(step, steps);
      await new Promise((resolve) => setTimeout(resolve, 0)); // a page stays alive
    }
  }
  return layout.getEmbedding();
}
