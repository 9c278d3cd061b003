import type { WeightVariable } from "./flat-parameters.ts";
import type { Optimizer } from "./optimizer.ts";

/** Weights that are moved alike. */
export interface ParameterGroup {
  readonly name: string;
  /** Whether a weight is one of them; of several groups that take it, it belongs to the first. */
  takes(variable: WeightVariable): boolean;
  readonly optimizer: Optimizer;
  /** learning rate, in multiples of the trainer's; default 1 */
  readonly learningRateFactor?: number;
  /** weight decay λ; default 0 */
  readonly weightDecay?: number;
}

/** Everything by one optimizer; biases and the parameters of norms (all of rank 1) have no weight decay. */
export function weightsAndBiases(
  optimizer: Optimizer,
  { weightDecay = 0, biasFactor = 1 }: { weightDecay?: number; biasFactor?: number } = {},
): ParameterGroup[] {
  if (weightDecay === 0 && biasFactor === 1) return [{ name: "all", takes: () => true, optimizer }];
  return [
    { name: "weights", takes: ({ shape }) => shape.length > 1, optimizer, weightDecay },
    { name: "biases", takes: () => true, optimizer, learningRateFactor: biasFactor },
  ];
}
