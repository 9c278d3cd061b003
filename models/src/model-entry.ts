import type * as tfl from "@tensorflow/tfjs-layers";

/** What every builder takes. */
export interface BuildOptions {
  /** name of the model */
  name?: string;
  /** [height, width, channels] */
  inputShape?: readonly [height: number, width: number, channels: number];
  classes?: number;
  /** of the initial weights; null: all of them 0, for weights that are loaded next */
  seed?: number | null;
}

/** One network of the zoo. */
export interface ModelEntry {
  readonly name: string;
  readonly family: string;
  readonly task: "classification";
  /** one line: what it is */
  readonly summary: string;
  /** [height, width, channels] */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** trainable parameters with the default options */
  readonly params: number;
  /** multiply-adds of convolutions, dense layers and attention for one input, with the default options */
  readonly macs: number;
  /** Builds the network with fresh weights. */
  build(options?: BuildOptions): tfl.LayersModel;
  /** Builds a small network by the same code, for the checks: where the network itself is large. */
  narrow?(options?: BuildOptions): tfl.LayersModel;
}

/** An entry of an image classifier. */
export function classifier(entry: Omit<ModelEntry, "task">): ModelEntry {
  return { task: "classification", ...entry };
}
