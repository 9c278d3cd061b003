import { type ModelEntry, registry } from "@tfjs-zoo/models";

/** Images this wide and parameters this many are for a browser; the papers' networks for large pictures are not. */
const [WIDEST, MOST] = [64, 25e6];

const fits = (entry: ModelEntry): boolean =>
  entry.params <= MOST && !("inputShape" in entry && Math.max(...entry.inputShape) > WIDEST);

/** The zoo's networks that a browser trains in reasonable time, in the order of the zoo. */
export const networks: readonly ModelEntry[] = [...registry.values()].filter(fits);
