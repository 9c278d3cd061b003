import * as tf from "@tensorflow/tfjs-core";
import { type RnnAttrs, rnn } from "../ops/rnn.ts";
import { type CellInputs, Recurrent, type RecurrentConfig } from "./recurrent.ts";

export interface RnnConfig extends RecurrentConfig, Pick<RnnAttrs, "activation"> {}

/** Simple recurrent layers, as PyTorch's nn.RNN; inputs and outputs are `Recurrent`'s. */
export class Rnn extends Recurrent {
  static readonly className = "ZooRnn";
  protected readonly gates = 1;
  protected readonly stateNames = ["h0"] as const;
  readonly activation: "tanh" | "relu";

  constructor(config: RnnConfig) {
    super(config);
    this.activation = config.activation ?? "tanh";
  }

  protected override run(inputs: CellInputs, reverse: boolean): tf.Tensor[] {
    return rnn.all(inputs, { activation: this.activation, reverse });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.activation };
  }
}
tf.serialization.registerClass(Rnn);
