import * as tf from "@tensorflow/tfjs-core";
import { type GruAttrs, gru } from "../ops/gru.ts";
import { type CellInputs, Recurrent, type RecurrentConfig } from "./recurrent.ts";

export interface GruConfig extends RecurrentConfig, Pick<GruAttrs, "resetAfter"> {}

/** Gated recurrent units, as PyTorch's nn.GRU with resetAfter, the default; inputs and outputs are `Recurrent`'s. */
export class Gru extends Recurrent {
  static readonly className = "ZooGru";
  protected readonly gates = 3;
  protected readonly stateNames = ["h0"] as const;
  readonly resetAfter: boolean;

  constructor(config: GruConfig) {
    super(config);
    this.resetAfter = config.resetAfter ?? true;
  }

  protected override run(inputs: CellInputs, reverse: boolean): tf.Tensor[] {
    return gru.all(inputs, { resetAfter: this.resetAfter, reverse });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), resetAfter: this.resetAfter };
  }
}
tf.serialization.registerClass(Gru);
