/**
 * A network for inference: batch norm, ReLU, or both disappear into the convolution before them.
 *
 * In inference batch norm is affine with constants, so that (Jacob et al. 2018, sec. 3.2)
 *
 *   γ (w ∗ x + b − μ) / √(σ² + ε) + β = (s w) ∗ x + s (b − μ) + β        s = γ / √(σ² + ε), of each output channel
 *
 * and the ReLU becomes the convolution's. One pass over memory is left of three.
 */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { rebuildGraph, sameLayer } from "../graph.ts";
import { BatchNorm, Conv2D, ReLU, SpectralConv2D } from "../layers/index.ts";
import { shortName } from "../weights/names.ts";

type Layer = tfl.layers.Layer;

/**
 * @param model of this package's layers; it is left as it is
 * @returns a network of the same name whose outputs are equal up to rounding. A batch norm that follows no convolution,
 *   or one whose output goes elsewhere too, stays.
 */
export function foldBatchNorm(model: tfl.LayersModel): tfl.LayersModel {
  const folded = new Map<Layer, BatchNorm | ReLU>(); // convolution -> its batch norm or ReLU
  for (const layer of model.layers) {
    if (!(layer instanceof BatchNorm || layer instanceof ReLU) || layer.inboundNodes.length !== 1) continue;
    const [before] = layer.inboundNodes[0].inboundLayers;
    if (
      before instanceof Conv2D &&
      !(before instanceof SpectralConv2D) &&
      before.activation === undefined &&
      isOnlyReadBy(before, layer, model)
    ) {
      folded.set(before, layer);
    }
  }
  const gone = new Set<Layer>(folded.values());
  const copies = new Map<Layer, Layer>();
  const copyOf = (layer: Layer): Layer => {
    const next = folded.get(layer);
    const copy = copies.get(layer) ?? (next === undefined ? sameLayer(layer) : convolutionWith(layer as Conv2D, next));
    copies.set(layer, copy);
    return copy;
  };
  const result = rebuildGraph(model, (layer) => (gone.has(layer) ? [] : [copyOf(layer)]));
  tf.tidy(() => {
    for (const [layer, copy] of copies) {
      const next = folded.get(layer);
      copy.setWeights(next instanceof BatchNorm ? foldedWeights(layer, next) : layer.getWeights());
    }
  });
  return result;
}

/** Whether a layer is used once, by another, and is no output of the model. */
function isOnlyReadBy(layer: Layer, reader: Layer, model: tfl.LayersModel): boolean {
  const readers = layer.outboundNodes.map((node) => node.outboundLayer);
  return layer.inboundNodes.length === 1 && readers.every((r) => r === reader) && !model.outputLayers.includes(layer);
}

function convolutionWith(layer: Conv2D, next: BatchNorm | ReLU): Conv2D {
  const { name, filters, kernelSize, strides, padding, dilation, groups } = layer;
  const activation = next instanceof ReLU ? "relu" : next.activation;
  const useBias = layer.useBias || next instanceof BatchNorm;
  return new Conv2D({ name, filters, kernelSize, strides, padding, dilation, groups, activation, useBias });
}

/** [weight, bias] of a convolution that does its batch norm too. */
function foldedWeights(convolution: Layer, norm: BatchNorm): tf.Tensor[] {
  const of = (layer: Layer) =>
    Object.fromEntries(layer.weights.map((variable): [string, tf.Tensor] => [shortName(variable), variable.read()]));
  const { weight, bias } = of(convolution); // [height, width, inChannels / groups, channels], [channels]
  const { weight: gamma, bias: beta, running_mean: mean, running_var: variance } = of(norm); // all [channels]
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, norm.epsilon))); // [channels]
  const centred = bias === undefined ? tf.neg(mean) : tf.sub(bias, mean); // [channels]
  return [tf.mul(weight, scale), tf.add(tf.mul(centred, scale), beta)];
}
