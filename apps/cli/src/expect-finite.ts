import { InputError } from "@tfjs-zoo/models";
import type { ClassifierInfo } from "@tfjs-zoo/training/node";

/**
 * @param values a network's outputs, or what was made of them
 * @throws InputError where some are NaN or infinite, as from weights that overflow
 */
export function expectFinite(values: Iterable<number>, { model }: Pick<ClassifierInfo, "model">): void {
  for (const value of values) {
    if (Number.isFinite(value)) continue;
    throw new InputError(`${model}'s outputs are not finite: its weights are too large or damaged, give others`);
  }
}
