import type { Position } from "../loop/fit.ts";
import type { RunTraining } from "./fit-in-run.ts";

/**
 * Counts the items of steps, where batches differ in them.
 *
 * @param before where the run goes on: items of earlier processes were not counted, so their time does not count either
 */
export function countItems<T extends RunTraining>(
  training: T,
  before: Position | undefined,
): { training: T; perSecond(now: Position): number } {
  let items = 0;
  const busy = ({ dataSeconds, stepSeconds }: Position) => dataSeconds + stepSeconds;
  return {
    training: {
      ...training,
      onStep(event) {
        items += event.items;
        training.onStep?.(event);
      },
    },
    perSecond: (now) => (items === 0 ? 0 : items / (busy(now) - (before ? busy(before) : 0))),
  };
}
