import * as tf from "@tensorflow/tfjs-core";
import { lstm } from "../ops/lstm.ts";
import { type CellInputs, type CellWeights, Recurrent, type RecurrentConfig } from "./recurrent.ts";

export interface LstmConfig extends RecurrentConfig {
  /** whether the gates see the cell */
  peephole?: boolean;
  /** whether what is written takes the place of what is forgotten: three gates, i, g, o */
  coupled?: boolean;
}

/**
 * Long short-term memory, as PyTorch's nn.LSTM; inputs and outputs are `Recurrent`'s. PyTorch has neither peepholes
 * (peephole_l0 [3, units], coupled [2, units]) nor coupled gates.
 */
export class Lstm extends Recurrent {
  static readonly className = "ZooLstm";
  protected readonly stateNames = ["h0", "c0"] as const;
  readonly peephole: boolean;
  readonly coupled: boolean;

  constructor(config: LstmConfig) {
    super(config);
    this.peephole = config.peephole ?? false;
    this.coupled = config.coupled ?? false;
  }

  protected get gates(): number {
    return this.coupled ? 3 : 4;
  }

  protected override newCell(inSize: number, suffix: string): CellWeights {
    const cell = super.newCell(inSize, suffix);
    if (!this.peephole) return cell;
    return { ...cell, peephole: this.newWeight(`peephole${suffix}`, [this.gates - 1, this.units]) };
  }

  protected override run(inputs: CellInputs, reverse: boolean): tf.Tensor[] {
    return lstm.all(inputs, { coupled: this.coupled, reverse });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), peephole: this.peephole, coupled: this.coupled };
  }
}
tf.serialization.registerClass(Lstm);
