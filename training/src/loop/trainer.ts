import * as tf from "@tensorflow/tfjs-core";
import { InputError, ops } from "@tfjs-zoo/models";
import { FlatParameters, MovingAverage, type ParameterGroup, type Slots } from "../optim/index.ts";
import type { Scalars, Task, Update } from "../tasks/task.ts";

export interface TrainerOptions {
  /** Who moves which weights. */
  groups: readonly ParameterGroup[];
  /** Scale gradients whose norm is larger down to this one (Pascanu et al. 2013). */
  clipNorm?: number;
  /** decay of the moving average of the weights, 0 for none */
  ema?: number;
  /** What the forward and backward pass of a step run in: another precision of the backend, say. */
  within?: Within;
  seed: number;
}

export type Within = <T>(body: () => T) => T;

export interface StepResult {
  /** mean of the losses, over the updates that were made and the micro-batches */
  loss: number;
  /** sums over the batch, by name; those of an update that is made every n steps stand for n batches */
  metrics: { [name: string]: number };
  /** Euclidean norm of the gradient before clipping */
  gradientNorm: number;
  items: number;
}

/** What a trainer carries from step to step: vectors by name. */
export type TrainerState = { [name: string]: Float32Array };

/** A group's weights in an update, and what the optimizer carries for them. */
interface Flat {
  name: string;
  group: ParameterGroup;
  parameters: FlatParameters;
  slots: Slots;
}

/** Every five steps is often enough for a moving average over hundreds, and costs a fifth. */
const AVERAGE_EVERY = 5;

/**
 * Takes training steps. It knows neither model nor data nor machine: a task gives losses, an optimizer a rule for
 * weights.
 */
export class Trainer<Batch, Inputs extends tf.TensorContainer> {
  /** steps taken */
  step = 0;
  readonly average: MovingAverage | undefined;
  private readonly all: FlatParameters;
  /** for each update of the task */
  private readonly flats: Flat[][];

  constructor(
    private readonly task: Task<Batch, Inputs>,
    private readonly options: TrainerOptions,
  ) {
    const { groups, ema = 0 } = options;
    this.all = new FlatParameters(task.weights);
    this.flats = task.updates.map((update) =>
      groups.flatMap((group, i) => {
        const own = update.variables.filter((weight) => groups.findIndex(({ takes }) => takes(weight)) === i);
        if (own.length === 0) return [];
        const parameters = new FlatParameters(own);
        const slots = group.optimizer.slots.map((slot) => [slot, tf.zeros<tf.Rank.R1>([parameters.size])]);
        return [{ name: `${update.name}.${group.name}`, group, parameters, slots: Object.fromEntries(slots) }];
      }),
    );
    const moving = task.weights.filter((weight) => !task.frozen?.includes(weight));
    this.average = ema > 0 ? new MovingAverage(new FlatParameters(moving), ema ** AVERAGE_EVERY) : undefined;
  }

  /**
   * One update of the weights from the mean gradient of the micro-batches.
   *
   * @returns the step's result; where the loss is not finite, the weights that it is of are left as they were. Of a step
   *   of several updates, those before are taken: whoever goes on begins from a checkpoint.
   */
  async takeStep(batches: readonly Batch[], learningRate: number): Promise<StepResult> {
    const { task } = this;
    task.seed(this.options.seed, this.step);
    const items = batches.reduce((sum, batch) => sum + task.size(batch), 0);
    const result: StepResult = { loss: 0, metrics: {}, gradientNorm: 0, items };
    const due = task.updates.filter(({ every = 1 }) => (this.step + 1) % every === 0);
    for (const update of due) {
      const flats = this.flats[task.updates.indexOf(update)];
      const { every = 1 } = update;
      const { within = (body) => body() } = this.options;
      const { gradients, loss, metrics, means } = within(() => this.gradients(update, flats, batches, items));
      const norm = ops.norm(gradients.flat());
      const scalars = { loss, norm, ...metrics, ...means };
      const values = Object.fromEntries(
        await Promise.all(Object.entries(scalars).map(async ([key, t]) => [key, (await t.data())[0]] as const)),
      );
      tf.dispose(scalars);
      result.loss += values.loss / due.length;
      result.gradientNorm = Math.hypot(result.gradientNorm, values.norm);
      for (const key of Object.keys(metrics)) result.metrics[key] = every * values[key];
      for (const key of Object.keys(means)) result.metrics[key] = every * items * values[key];
      if (Number.isFinite(values.loss) && Number.isFinite(values.norm)) {
        for (const [g, flat] of flats.entries()) this.apply(update, flat, gradients[g], values.norm, learningRate);
      }
      tf.dispose(gradients);
    }
    if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) return result;
    this.step++;
    if (this.step % AVERAGE_EVERY === 0) this.average?.update(this.step / AVERAGE_EVERY);
    return result;
  }

  /** The mean gradients over micro-batches, each weighted by its size: for each group, in its weights' order. */
  private gradients(update: Update<Inputs>, flats: readonly Flat[], batches: readonly Batch[], items: number) {
    const weights = flats.map(({ parameters }) => parameters.values());
    return tf.tidy(() => {
      const gradients: tf.Tensor[][] = weights.map(() => []);
      let loss: tf.Scalar | undefined;
      const metrics: Scalars = {};
      const means: Scalars = {};
      for (const batch of batches) {
        const share = this.task.size(batch) / items;
        const inputs = this.task.upload(batch, update.name);
        let sums: [string, tf.Scalar][] = [];
        let ofBatch: [string, tf.Scalar][] = [];
        const { value, grads } = tf.variableGrads(() => {
          const { loss, metrics = {}, means = {} } = update.loss(inputs);
          const keep = (scalar: tf.Scalar) => tf.keep(scalar === loss ? tf.clone(scalar) : scalar);
          sums = Object.entries(metrics).map(([key, sum]) => [key, keep(sum)]);
          ofBatch = Object.entries(means).map(([key, mean]) => [key, keep(mean)]);
          return loss;
        }, weights.flat());
        for (const [g, own] of weights.entries()) {
          for (const [i, { name }] of own.entries()) {
            gradients[g][i] = accumulate(gradients[g][i], shareOf(grads[name], share));
          }
        }
        loss = accumulate(loss, shareOf(value, share));
        for (const [key, sum] of sums) metrics[key] = accumulate(metrics[key], sum);
        for (const [key, mean] of ofBatch) means[key] = accumulate(means[key], shareOf(mean, share));
      }
      return { gradients, loss: loss as tf.Scalar, metrics, means };
    });
  }

  private apply(
    { every = 1, bound }: Update<Inputs>,
    flat: Flat,
    gradients: readonly tf.Tensor[],
    norm: number,
    learningRate: number,
  ): void {
    const { clipNorm = 0 } = this.options;
    const { group, parameters, slots } = flat;
    const { optimizer, learningRateFactor = 1, weightDecay: decay = 0 } = group;
    const scale = clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
    flat.slots = tf.tidy(() => {
      const next = optimizer.update({
        ...{ weights: parameters.values(), gradients, scale, slots },
        learningRate: learningRate * learningRateFactor,
        decay,
        step: (this.step + 1) / every,
      });
      const clip = (weight: tf.Tensor) => (bound === undefined ? weight : tf.clipByValue(weight, -bound, bound));
      parameters.assign(next.weights.map(clip));
      return next.slots;
    });
    for (const [slot, old] of Object.entries(slots)) if (flat.slots[slot] !== old) old.dispose();
  }

  /** Weights, the optimizer's vectors and the moving average. With `step`, all that the next step depends on. */
  async state(): Promise<TrainerState> {
    const weights = this.all.read();
    const state: TrainerState = { weights: (await weights.data()) as Float32Array };
    weights.dispose();
    for (const { name, slots } of this.flats.flat()) {
      for (const [slot, vector] of Object.entries(slots))
        state[`${name}.${slot}`] = (await vector.data()) as Float32Array;
    }
    if (this.average !== undefined) state.average = (await this.average.read().data()) as Float32Array;
    return state;
  }

  /** Goes on from a state; `step` is how many steps had been taken. */
  restore(state: TrainerState, step: number): void {
    const slots = this.flats
      .flat()
      .flatMap(({ name, slots: own, parameters }) =>
        Object.keys(own).map((slot): [string, number] => [`${name}.${slot}`, parameters.size]),
      );
    const average: [string, number][] = this.average ? [["average", this.average.size]] : [];
    const expected: [string, number][] = [["weights", this.all.size], ...slots, ...average];
    const missing = expected.find(([name, size]) => state[name]?.length !== size);
    if (missing !== undefined) {
      throw new InputError(
        `the checkpoint has ${state[missing[0]]?.length ?? "no"} numbers of "${missing[0]}", expected ${missing[1]}: ` +
          "another version of the zoo made it; start a new run",
      );
    }
    this.step = step;
    const weights = tf.tensor1d(state.weights);
    this.all.write(weights);
    weights.dispose();
    for (const flat of this.flats.flat()) {
      tf.dispose(flat.slots);
      flat.slots = Object.fromEntries(
        flat.group.optimizer.slots.map((slot) => [slot, tf.tensor1d(state[`${flat.name}.${slot}`])]),
      );
    }
    this.average?.restore(state.average);
  }

  /** Runs `body` with the averaged weights, if there is an average. */
  async withAverage<T>(body: () => Promise<T>): Promise<T> {
    return this.average === undefined ? body() : this.average.applied(body);
  }

  dispose(): void {
    for (const { slots } of this.flats.flat()) tf.dispose(slots);
    this.average?.dispose();
  }
}

/** What a micro-batch's mean is of all of them; frees the mean where it is not that itself. */
function shareOf<T extends tf.Tensor>(mean: T, share: number): T {
  if (share === 1) return mean;
  const part = tf.mul(mean, share) as T;
  mean.dispose();
  return part;
}

/** Adds a term to a sum and frees both: metrics are kept tensors, which no tidy frees. */
function accumulate<T extends tf.Tensor>(sum: T | undefined, term: tf.Tensor): T {
  if (sum === undefined) return term as T;
  const next = tf.add(sum, term) as T;
  tf.dispose([sum, term]);
  return next;
}
