import type { Textbook } from "../array64.ts";
import { eluTextbook, leakyReluTextbook, sigmoidTextbook, siluTextbook, tanhTextbook } from "./activations.ts";
import { additiveAttentionTextbook, attentionTextbook } from "./attention.ts";
import { attentiveLstmTextbook } from "./attentive-lstm.ts";
import { batchNormInferenceTextbook, batchNormTrainingTextbook } from "./batch-norm.ts";
import { conv2dTextbook, depthwiseConv2dTextbook } from "./convolution.ts";
import { denseTextbook } from "./dense.ts";
import { distillationLossTextbook } from "./distillation-loss.ts";
import {
  addTextbook,
  channelShiftTextbook,
  concatTextbook,
  dropoutTextbook,
  flattenTextbook,
  geluTextbook,
  padEndTextbook,
  reluTextbook,
  shortcutATextbook,
  unflattenTextbook,
} from "./elementwise.ts";
import { groupNormTextbook } from "./group-norm.ts";
import { layerNormTextbook } from "./layer-norm.ts";
import { localResponseNormTextbook } from "./local-response-norm.ts";
import {
  absoluteErrorTextbook,
  gaussianKlTextbook,
  huberLossTextbook,
  sigmoidCrossEntropyTextbook,
  squaredErrorTextbook,
} from "./losses.ts";
import { avgPool2dTextbook, globalAvgPool2dTextbook, maxPool2dTextbook } from "./pooling.ts";
import { relativePositionsTextbook, rotaryTextbook, sinusoidalPositionsTextbook } from "./positions.ts";
import { gruTextbook, lstmTextbook, rnnTextbook } from "./recurrent.ts";
import { rmsNormTextbook } from "./rms-norm.ts";
import { softmaxCrossEntropyTextbook } from "./softmax-cross-entropy.ts";
import { spectralNormTextbook } from "./spectral-norm.ts";
import {
  classTokenTextbook,
  embeddingTextbook,
  layerScaleTextbook,
  patchEmbeddingTextbook,
  positionEmbeddingTextbook,
  tokenPoolTextbook,
} from "./tokens.ts";
import { convTranspose2dTextbook, upsample2dTextbook } from "./upsampling.ts";
import { gaussianNllTextbook, importanceBoundTextbook, reparameterizeTextbook } from "./variational.ts";

/** The float64 forward of every op, by its `opName`: loops over doubles that can be read against the formula. */
export const textbook: { readonly [opName: string]: Textbook } = {
  AbsoluteError: absoluteErrorTextbook,
  Add: addTextbook,
  AdditiveAttention: additiveAttentionTextbook,
  Attention: attentionTextbook,
  AttentionLean: attentionTextbook,
  AttentiveLstm: attentiveLstmTextbook,
  AvgPool2D: avgPool2dTextbook as Textbook,
  BatchNormInference: batchNormInferenceTextbook,
  BatchNormTraining: batchNormTrainingTextbook,
  ChannelShift: channelShiftTextbook,
  ClassToken: classTokenTextbook,
  Concat: concatTextbook,
  Conv2D: conv2dTextbook,
  ConvTranspose2D: convTranspose2dTextbook,
  Dense: denseTextbook,
  DepthwiseConv2D: depthwiseConv2dTextbook,
  DistillationLoss: distillationLossTextbook,
  Dropout: dropoutTextbook,
  Elu: eluTextbook,
  Embedding: embeddingTextbook,
  Flatten: flattenTextbook,
  GaussianKl: gaussianKlTextbook,
  GaussianNll: gaussianNllTextbook,
  Gelu: geluTextbook,
  GlobalAvgPool2D: globalAvgPool2dTextbook,
  GroupNorm: groupNormTextbook,
  Gru: gruTextbook,
  HuberLoss: huberLossTextbook,
  ImportanceBound: importanceBoundTextbook,
  LayerNorm: layerNormTextbook,
  LayerScale: layerScaleTextbook,
  LeakyRelu: leakyReluTextbook,
  LocalResponseNorm: localResponseNormTextbook,
  Lstm: lstmTextbook,
  MaxPool2D: maxPool2dTextbook as Textbook,
  PadEnd: padEndTextbook,
  PatchEmbedding: patchEmbeddingTextbook,
  PositionEmbedding: positionEmbeddingTextbook,
  RelativePositions: relativePositionsTextbook as Textbook,
  Relu: reluTextbook,
  Reparameterize: reparameterizeTextbook,
  RmsNorm: rmsNormTextbook,
  Rotary: rotaryTextbook,
  Rnn: rnnTextbook,
  ShortcutA: shortcutATextbook as Textbook,
  Sigmoid: sigmoidTextbook,
  SigmoidCrossEntropy: sigmoidCrossEntropyTextbook,
  Silu: siluTextbook,
  SinusoidalPositions: sinusoidalPositionsTextbook,
  SoftmaxCrossEntropy: softmaxCrossEntropyTextbook,
  SpectralNorm: spectralNormTextbook,
  SquaredError: squaredErrorTextbook,
  Tanh: tanhTextbook,
  TokenPool: tokenPoolTextbook as Textbook,
  Unflatten: unflattenTextbook as Textbook,
  Upsample2D: upsample2dTextbook,
};
