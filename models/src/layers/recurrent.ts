import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InputError } from "../errors.ts";
import { concatAll } from "../ops/concat.ts";
import { dropout } from "../ops/dropout.ts";
import { at, type RecurrentInputs } from "../ops/recurrence.ts";
import { type DrawsAtRandom, dropoutFactors, type Randomness } from "./randomness.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface RecurrentConfig {
  name?: string;
  /** numbers in the state of each direction */
  units: number;
  /** how many are stacked, each reading the states of the one below; 1 unless given */
  numLayers?: number;
  /** whether each layer has a second direction, from the end to the beginning, whose states stand beside the first's */
  bidirectional?: boolean;
  useBias?: boolean;
  /** probability of dropping a number of what a layer reads from the one below, in training */
  dropout?: number;
  /** whether the last states are outputs too */
  returnState?: boolean;
}

/** The inputs of a cell's op that are weights. */
export type CellWeights = { [input: string]: tfl.LayerVariable };

/** What a cell's op gets beside its weights. */
export type CellInputs = RecurrentInputs & { c0?: tf.Tensor };

/**
 * Recurrent layers as PyTorch stacks them, with its names: weight_ih_l0 [in, gates · units], weight_hh_l0
 * [units, gates · units], bias_ih_l0 and bias_hh_l0 [gates · units], those of the second direction with `_reverse`, then
 * _l1 …
 *
 * Input: x [batch, time, in], or a list of it and any of
 * - lengths [batch]: how many steps of each sequence count;
 * - the states to begin with, h (of an LSTM h and c) [batch, numLayers · directions, units].
 *
 * -> [batch, time, directions · units], 0 beyond a sequence's length; with returnState a list of it and the last states,
 * shaped as those to begin with: after a sequence's own last step, in the second direction after its first.
 */
export abstract class Recurrent extends ZooLayer implements DrawsAtRandom {
  readonly units: number;
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly useBias: boolean;
  readonly dropout: number;
  readonly returnState: boolean;
  /** Where the next masks come from: the trainer sets it before every step, so that a resumed run draws the same. */
  randomness: Randomness = { seed: 0, step: 0 };
  /** By layer, the first direction before the second. */
  private readonly cells: CellWeights[] = [];

  constructor(config: RecurrentConfig) {
    super(config);
    this.units = config.units;
    this.numLayers = config.numLayers ?? 1;
    this.bidirectional = config.bidirectional ?? false;
    this.useBias = config.useBias ?? true;
    this.dropout = config.dropout ?? 0;
    this.returnState = config.returnState ?? false;
  }

  /** How many sums a unit has. */
  protected abstract readonly gates: number;
  /** What the op calls the states to begin with. */
  protected abstract readonly stateNames: readonly ("h0" | "c0")[];
  /** @returns y and the last states, as `all` of the cell's op */
  protected abstract run(inputs: CellInputs, reverse: boolean): tf.Tensor[];

  /** @param suffix of the weights' names: layer and direction */
  protected newCell(inSize: number, suffix: string): CellWeights {
    const wide = this.gates * this.units;
    return {
      weightIh: this.newWeight(`weight_ih${suffix}`, [inSize, wide]),
      weightHh: this.newWeight(`weight_hh${suffix}`, [this.units, wide]),
      ...(this.useBias && {
        biasIh: this.newWeight(`bias_ih${suffix}`, [wide]),
        biasHh: this.newWeight(`bias_hh${suffix}`, [wide]),
      }),
    };
  }

  get draws(): boolean {
    return this.dropout > 0 && this.numLayers > 1;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    let inSize = this.sequenceShape(inputShape)[2] as number;
    for (let layer = 0; layer < this.numLayers; layer++) {
      for (const suffix of this.bidirectional ? ["", "_reverse"] : [""]) {
        this.cells.push(this.newCell(inSize, `_l${layer}${suffix}`));
      }
      inSize = this.directions * this.units;
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      const { x, lengths, states } = this.operands(inputs);
      const last: tf.Tensor[][] = []; // of each cell [batch, units]
      let sequence = x;
      for (let layer = 0; layer < this.numLayers; layer++) {
        if (layer > 0 && kwargs.training) sequence = this.dropped(sequence, layer);
        const outputs = this.cells.slice(layer * this.directions, (layer + 1) * this.directions).map((cell, second) => {
          const weights = Object.entries(cell).map(([input, variable]) => [input, variable.read()]);
          const first = states.map((state, k) => [this.stateNames[k], at(state, last.length)]);
          const given = Object.fromEntries([...weights, ...first]);
          const [y, ...after] = this.run({ ...given, x: sequence, lengths }, second === 1);
          last.push(after);
          return y; // [batch, time, units]
        });
        sequence = outputs.length === 1 ? outputs[0] : concatAll(outputs); // [batch, time, directions · units]
      }
      if (!this.returnState) return sequence;
      const ofCells = (k: number) => last.map((after) => after[k]);
      return [sequence, ...this.stateNames.map((_, k) => tf.stack(ofCells(k), 1))];
    });
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    const [batch, time] = this.sequenceShape(inputShape);
    const sequence = [batch, time, this.directions * this.units];
    if (!this.returnState) return sequence;
    return [sequence, ...this.stateNames.map(() => [batch, this.numLayers * this.directions, this.units])];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units, numLayers, bidirectional, useBias, dropout, returnState } = this;
    return { ...super.getConfig(), units, numLayers, bidirectional, useBias, dropout, returnState };
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  private dropped(x: tf.Tensor, layer: number): tf.Tensor {
    if (this.dropout === 0) return x;
    const mask = dropoutFactors(x.shape, this.dropout, this.randomness, `${this.name}_l${layer}`);
    return dropout({ x, mask });
  }

  /** Tells the inputs apart: lengths have one axis, states three. */
  private operands(inputs: tf.Tensor | tf.Tensor[]): { x: tf.Tensor; lengths?: tf.Tensor; states: tf.Tensor[] } {
    const [x, ...others] = Array.isArray(inputs) ? inputs : [inputs];
    const [lengths, ...more] = others.filter(({ rank }) => rank === 1);
    const states = others.filter(({ rank }) => rank > 1);
    const expected = [x.shape[0], this.numLayers * this.directions, this.units];
    const fits =
      (states.length === 0 || states.length === this.stateNames.length) &&
      states.every(({ shape }) => tf.util.arraysEqual(shape, expected));
    if (!fits || more.length > 0) {
      throw new InputError(
        `${this.name} got inputs of shapes ${others.map(({ shape }) => `[${shape}]`).join(" and ")} beside x; ` +
          `expected lengths [${x.shape[0]}], and ${this.stateNames.length} state(s) [${expected}], or none of either`,
      );
    }
    return { x, states, lengths: lengths && tf.cast(lengths, "int32") };
  }

  private sequenceShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tfl.Shape;
    if (shape.length === 3) return shape;
    throw new InputError(`${this.name} got an input of shape [${shape}]; expected [batch, time, in]`);
  }
}
