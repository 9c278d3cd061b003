import type * as tfl from "@tensorflow/tfjs-layers";
import { closest } from "fastest-levenshtein";
import { InputError } from "./errors.ts";
import type { BuildOptions, ModelEntry } from "./model-entry.ts";
import { airbenches } from "./vision/airbench.ts";
import { alexnets } from "./vision/alexnet.ts";
import { convnexts } from "./vision/convnext.ts";
import { densenets } from "./vision/densenet.ts";
import { firstSteps } from "./vision/first-steps.ts";
import { lenets } from "./vision/lenet.ts";
import { mixers } from "./vision/mlp-mixer.ts";
import { preactResnetsCifar } from "./vision/preact-resnet-cifar.ts";
import { resnets } from "./vision/resnet.ts";
import { resnetsCifar } from "./vision/resnet-cifar.ts";
import { vggs } from "./vision/vgg.ts";
import { vits } from "./vision/vit.ts";

/** Every network of the zoo, by name. */
export const registry: ReadonlyMap<string, ModelEntry> = new Map(
  [
    ...firstSteps,
    ...lenets,
    ...alexnets,
    ...vggs,
    ...resnetsCifar,
    ...preactResnetsCifar,
    ...resnets,
    ...densenets,
    ...vits,
    ...mixers,
    ...convnexts,
    ...airbenches,
  ].map((entry) => [entry.name, entry]),
);

/** @throws InputError for an unknown name, with the nearest known one */
export function findModel(name: string): ModelEntry {
  const entry = registry.get(name);
  if (entry === undefined) {
    const names = [...registry.keys()];
    throw new InputError(
      `unknown model "${name}": did you mean "${closest(name, names)}"? (known: ${names.join(", ")})`,
    );
  }
  return entry;
}

/** Builds a network by name, with fresh weights. */
export function createModel(name: string, options: BuildOptions = {}): tfl.LayersModel {
  return findModel(name).build(options);
}
