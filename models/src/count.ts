import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import {
  AttentionDecoder,
  Bias,
  BiasedAttention,
  ConcatNormConv2D,
  Conv2D,
  ConvTranspose2D,
  CrossAttention,
  Dense,
  DepthwiseConv2D,
  Embedding,
  ImageAttention,
  MemoryAttention,
  PatchEmbedding,
  Recurrent,
  SelfAttention,
} from "./layers/index.ts";

/** Trainable parameters of a model. */
export function countParams(model: tfl.LayersModel): number {
  return model.trainableWeights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
}

/**
 * Multiply-adds of the convolutions, dense layers and attention of a model, for one input.
 *
 * @param time tokens of that input, for a model that takes any number; of a translator, of source and of target each
 */
export function countMacs(model: tfl.LayersModel, time = 1): number {
  let macs = 0;
  const tokensOf = (tokens: number | null) => tokens ?? time;
  for (const layer of model.layers) {
    if (layer instanceof Conv2D || layer instanceof DepthwiseConv2D) {
      const [, height, width] = layer.outputShape as [null, number, number, number];
      macs += height * width * weightSize(layer);
    } else if (layer instanceof ConvTranspose2D) {
      const [[, height, width]] = layer.inboundNodes[0].inputShapes as number[][]; // each pixel meets the whole filter
      macs += height * width * weightSize(layer);
    } else if (layer instanceof ConcatNormConv2D) {
      const [, height, width] = layer.outputShape as [null, number, number, number];
      const filter = layer.weights.find(({ shape }) => shape.length === 4) as tfl.LayerVariable;
      macs += height * width * tf.util.sizeFromShape(filter.shape as number[]);
    } else if (layer instanceof Dense || layer instanceof PatchEmbedding) {
      const rows = (layer.outputShape as tfl.Shape).slice(1, -1).map(tokensOf); // tokens, or pixels
      macs += tf.util.sizeFromShape(rows) * weightSize(layer);
    } else if (layer instanceof MemoryAttention) {
      // Queries, keys and values, then Q Kᵀ and P V.
      macs += time * weightSize(layer) + 2 * time ** 2 * (layer.weights[0].shape[0] as number);
    } else if (layer instanceof Recurrent) {
      macs += time * matrices(layer);
    } else if (layer instanceof AttentionDecoder) {
      const once = matrices(layer, (name) => name.startsWith("bridge_"));
      const [, [, , seen]] = layer.inboundNodes[0].inputShapes as number[][];
      // In each step the cell, and a score and a value of every place.
      macs += once + time * (matrices(layer) - once) + time ** 2 * (layer.units + seen);
    } else if (layer instanceof CrossAttention || layer instanceof BiasedAttention) {
      const [, tokens, d] = layer.outputShape as [null, number | null, number];
      macs += 2 * tokensOf(tokens) * time * d; // Q Kᵀ and P V
    } else if (layer instanceof ImageAttention) {
      const [, height, width, d] = layer.outputShape as [null, number, number, number];
      macs += 2 * (height * width) ** 2 * d; // Q Kᵀ and P V
    } else if (layer instanceof Embedding) {
      // To look up a row takes none; as the output layer its table is a dense layer's weight.
      if (model.outputs.some((output) => withoutBias(output) === layer)) macs += time * weightSize(layer);
    } else if (layer instanceof SelfAttention) {
      const [, tokens, d] = layer.outputShape as [null, number | null, number];
      macs += tokensOf(tokens) * matrices(layer); // of one with projections
      macs += 2 * tokensOf(tokens) ** 2 * d; // Q Kᵀ and P V
    }
  }
  return macs;
}

/** The layer that an output is of, or of which it is the sum with a bias. */
function withoutBias({ sourceLayer, nodeIndex }: tfl.SymbolicTensor): tfl.layers.Layer {
  return sourceLayer instanceof Bias ? sourceLayer.inboundNodes[nodeIndex].inboundLayers[0] : sourceLayer;
}

/** Numbers in a layer's matrices, or in those of some names. */
const matrices = (layer: tfl.layers.Layer, which: (name: string) => boolean = () => true): number =>
  layer.weights
    .filter(
      ({ shape, originalName }) => shape.length === 2 && which(originalName.slice(originalName.lastIndexOf("/") + 1)),
    )
    .reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);

const weightSize = (layer: tfl.layers.Layer): number => tf.util.sizeFromShape(layer.weights[0].shape as number[]);
