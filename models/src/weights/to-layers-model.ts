/** Writes a model in the format of `tf.loadLayersModel`: model.json and one file of weights. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { foldBatchNorm } from "../inference/fold-batch-norm.ts";
import { toStockModel } from "./to-stock.ts";

/** The name under which model.json looks for its weights, in its own folder. */
export const layersModelWeightsFile = "group1-shard1of1.bin";

/** The files of an exported model. */
export interface LayersModelFiles {
  /** model.json */
  readonly modelJson: string;
  /** The file `layersModelWeightsFile` beside it. */
  readonly weights: Uint8Array;
  /** What a page must import before `tf.loadLayersModel` can open the model; null when stock TensorFlow.js will do. */
  readonly needsImport: string | null;
  /** Which layers are the cause, and why. */
  readonly reasons: string[];
}

/**
 * Exports a model for inference. Batch norms go into the convolutions before them, and our layers become stock ones wherever those suffice (see `toStockModel`).
 *
 * @param model of this package's layers
 * @param options.metadata plain data for the page (classes, normalisation …), kept as model.json's `userDefinedMetadata`
 */
export async function toLayersModel(
  model: tfl.LayersModel,
  { metadata }: { metadata?: Record<string, unknown> } = {},
): Promise<LayersModelFiles> {
  const folded = foldBatchNorm(model);
  const { model: stock, needsImport, reasons } = toStockModel(folded);
  folded.dispose();
  try {
    if (metadata) stock.setUserDefinedMetadata(metadata);
    const artifacts = await artifactsOf(stock);
    const { weightData, weightSpecs, ...rest } = artifacts;
    const json: tf.io.ModelJSON = {
      ...(rest as { modelTopology: object }),
      weightsManifest: [{ paths: [layersModelWeightsFile], weights: weightSpecs ?? [] }],
    };
    const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData as ArrayBuffer));
    return { modelJson: JSON.stringify(json), weights, needsImport, reasons };
  } finally {
    stock.dispose();
  }
}

async function artifactsOf(model: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  return saved as tf.io.ModelArtifacts;
}
