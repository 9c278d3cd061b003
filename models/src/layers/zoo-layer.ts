import * as tfl from "@tensorflow/tfjs-layers";

/** What the zoo's layers share: weights that are named and laid out by rule. */
export abstract class ZooLayer extends tfl.layers.Layer {
  constructor(config: { name?: string } = {}) {
    super({ name: config.name });
  }

  /** Adds a weight under its PyTorch name (`weight`, `bias`, `running_mean` …). `initialize` or a file gives it values. */
  protected newWeight(name: string, shape: number[], { fill = 0, trainable = true } = {}): tfl.LayerVariable {
    return this.addWeight(name, shape, "float32", tfl.initializers.constant({ value: fill }), undefined, trainable);
  }
}
