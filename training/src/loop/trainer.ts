import * as tf from "@tensorflow/tfjs-core";
import { FlatParameters, MovingAverage, type Optimizer, type Slots } from "../optim/index.ts";
import type { Scalars, Task, Update } from "../tasks/task.ts";

export interface TrainerOptions {
  optimizer: Optimizer;
  /** weight decay λ of weights; norms and biases (all of rank 1) have none */
  weightDecay?: number;
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
  /** mean of the updates' losses over the micro-batches */
  loss: number;
  /** sums over the batch, by name */
  metrics: { [name: string]: number };
  /** Euclidean norm of the gradient before clipping */
  gradientNorm: number;
  items: number;
}

/** What a trainer carries from step to step: vectors by name. */
export type TrainerState = { [name: string]: Float32Array };

/** An update with its weights as one vector, and what the optimizer carries for it. */
interface Flat<Inputs> {
  update: Update<Inputs>;
  parameters: FlatParameters;
  decay: tf.Tensor1D;
  slots: Slots;
}

/** Every five steps is often enough for a moving average over hundreds, and costs a fifth. */
const AVERAGE_EVERY = 5;

/**
 * Takes training steps. It knows neither model nor data nor machine: a task gives losses, an optimizer a rule on flat
 * vectors.
 */
export class Trainer<Batch, Inputs extends tf.TensorContainer> {
  /** steps taken */
  step = 0;
  readonly average: MovingAverage | undefined;
  private readonly all: FlatParameters;
  private readonly flats: Flat<Inputs>[];

  constructor(
    private readonly task: Task<Batch, Inputs>,
    private readonly options: TrainerOptions,
  ) {
    const { optimizer, weightDecay = 0, ema = 0 } = options;
    this.all = new FlatParameters(task.weights);
    this.flats = task.updates.map((update) => {
      const parameters = new FlatParameters(update.variables);
      return {
        update,
        parameters,
        decay: parameters.expand(({ shape }) => (shape.length > 1 ? weightDecay : 0)),
        slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zeros<tf.Rank.R1>([parameters.size])])),
      };
    });
    this.average = ema > 0 ? new MovingAverage(this.all, ema ** AVERAGE_EVERY) : undefined;
  }

  /**
   * One update of the weights from the mean gradient of the micro-batches.
   *
   * @returns the step's result; when the loss is not finite the weights are left as they were
   */
  async takeStep(batches: readonly Batch[], learningRate: number): Promise<StepResult> {
    const { task } = this;
    task.seed(this.options.seed, this.step);
    const items = batches.reduce((sum, batch) => sum + task.size(batch), 0);
    const result: StepResult = { loss: 0, metrics: {}, gradientNorm: 0, items };
    for (const flat of this.flats) {
      const { within = (body) => body() } = this.options;
      const { gradient, loss, metrics } = within(() => this.gradient(flat, batches, items));
      const norm = tf.tidy(() => tf.sqrt(tf.sum(tf.square(gradient))));
      const scalars = { loss, norm, ...metrics };
      const values = Object.fromEntries(
        await Promise.all(Object.entries(scalars).map(async ([key, t]) => [key, (await t.data())[0]] as const)),
      );
      tf.dispose(scalars);
      result.loss += values.loss / this.flats.length;
      result.gradientNorm = Math.hypot(result.gradientNorm, values.norm);
      for (const key of Object.keys(metrics)) result.metrics[key] = values[key];
      if (Number.isFinite(values.loss) && Number.isFinite(values.norm)) {
        this.apply(flat, gradient, values.norm, learningRate);
      }
      gradient.dispose();
    }
    if (!Number.isFinite(result.loss) || !Number.isFinite(result.gradientNorm)) return result;
    this.step++;
    if (this.step % AVERAGE_EVERY === 0) this.average?.update(this.step / AVERAGE_EVERY);
    return result;
  }

  /** The mean gradient over micro-batches as one vector, each weighted by its size. */
  private gradient({ update, parameters }: Flat<Inputs>, batches: readonly Batch[], items: number) {
    const variables = parameters.variables.map((variable) => variable.read() as tf.Variable);
    return tf.tidy(() => {
      let gradient: tf.Tensor1D | undefined;
      let loss: tf.Scalar | undefined;
      let metrics: Scalars = {};
      for (const batch of batches) {
        const share = this.task.size(batch) / items;
        const inputs = this.task.upload(batch);
        let batchMetrics: Scalars = {};
        const { value, grads } = tf.variableGrads(() => {
          const computed = update.loss(inputs);
          batchMetrics = Object.fromEntries(Object.entries(computed.metrics).map(([key, t]) => [key, tf.keep(t)]));
          return computed.loss;
        }, variables);
        const flat = parameters.join(variables.map((variable) => grads[variable.name]));
        tf.dispose(grads);
        gradient = accumulate(gradient, share === 1 ? flat : tf.mul(flat, share));
        loss = accumulate(loss, share === 1 ? value : tf.mul(value, share));
        metrics = Object.fromEntries(
          Object.entries(batchMetrics).map(([key, t]) => [key, accumulate<tf.Scalar>(metrics[key], t)]),
        );
      }
      return { gradient: gradient as tf.Tensor1D, loss: loss as tf.Scalar, metrics };
    });
  }

  private apply(flat: Flat<Inputs>, gradient: tf.Tensor1D, norm: number, learningRate: number): void {
    const { optimizer, clipNorm = 0 } = this.options;
    const { parameters, decay, slots } = flat;
    const scale = clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
    flat.slots = tf.tidy(() => {
      const clipped: tf.Tensor1D = scale === 1 ? gradient : tf.mul(gradient, scale);
      const weights = parameters.read();
      const next = optimizer.update({ weights, gradient: clipped, slots, learningRate, decay, step: this.step + 1 });
      parameters.write(next.weights);
      return next.slots;
    });
    for (const [slot, old] of Object.entries(slots)) if (flat.slots[slot] !== old) old.dispose();
  }

  /** Weights, the optimizer's vectors and the moving average. With `step`, all that the next step depends on. */
  async state(): Promise<TrainerState> {
    const weights = this.all.read();
    const state: TrainerState = { weights: (await weights.data()) as Float32Array };
    weights.dispose();
    for (const { update, slots } of this.flats) {
      for (const [slot, vector] of Object.entries(slots)) {
        state[`${update.name}.${slot}`] = (await vector.data()) as Float32Array;
      }
    }
    if (this.average !== undefined) state.average = (await this.average.read().data()) as Float32Array;
    return state;
  }

  /** Goes on from a state; `step` is how many steps had been taken. */
  restore(state: TrainerState, step: number): void {
    this.step = step;
    const weights = tf.tensor1d(state.weights);
    this.all.write(weights);
    weights.dispose();
    for (const flat of this.flats) {
      tf.dispose(flat.slots);
      flat.slots = Object.fromEntries(
        this.options.optimizer.slots.map((slot) => [slot, tf.tensor1d(state[`${flat.update.name}.${slot}`])]),
      );
    }
    this.average?.restore(state.average);
  }

  /** Runs `body` with the averaged weights, if there is an average. */
  async withAverage<T>(body: () => Promise<T>): Promise<T> {
    return this.average === undefined ? body() : this.average.applied(body);
  }

  dispose(): void {
    for (const { decay, slots } of this.flats) tf.dispose([decay, ...Object.values(slots)]);
    this.average?.dispose();
  }
}

/** Adds a term to a sum and frees both: metrics are kept tensors, which no tidy frees. */
function accumulate<T extends tf.Tensor>(sum: T | undefined, term: tf.Tensor): T {
  if (sum === undefined) return term as T;
  const next = tf.add(sum, term) as T;
  tf.dispose([sum, term]);
  return next;
}
