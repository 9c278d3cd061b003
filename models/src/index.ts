export * from "./count.ts";
export { InputError } from "./errors.ts";
export { freezeLayers, headOf } from "./freeze.ts";
export { type DdimOptions, ddimSample } from "./generative/ddim-sampler.ts";
export { type DdpmOptions, ddpmSample } from "./generative/ddpm-sampler.ts";
export {
  type Denoised,
  denoised,
  minSnrWeight,
  type Prediction,
  predictions,
  qSample,
  type Times,
  targetOf,
} from "./generative/diffusion.ts";
export { type DpmSolverOptions, dpmSolverSample } from "./generative/dpm-solver.ts";
export { type DcganOptions, type DiscriminatorNorm, dcgan } from "./generative/gan.ts";
export * from "./generative/gan-losses.ts";
export * from "./generative/latent.ts";
export * from "./generative/noise-schedule.ts";
export { type SamplerName, samplers } from "./generative/samplers.ts";
export type { Denoise, Guidance, SampleOptions, SampleStep } from "./generative/sampling.ts";
export {
  type UnetOptions,
  type UnetVariant,
  unet,
  unetClasses,
  unetDenoiser,
  unetVariants,
} from "./generative/unet.ts";
export { type ConvVaeOptions, convVae, type MlpVaeOptions, vae } from "./generative/vae.ts";
export * from "./generative/variational-bound.ts";
export { foldBatchNorm } from "./inference/index.ts";
export * from "./initialize.ts";
export * as layers from "./layers/index.ts";
export { seedDropout } from "./layers/index.ts";
export * from "./model-entry.ts";
export * as ops from "./ops/index.ts";
export * from "./random.ts";
export * from "./random-tensors.ts";
export * from "./registry.ts";
export {
  type Bert,
  type BertClassifierOptions,
  type BertOptions,
  bert,
  bertClassifier,
  disposeBert,
} from "./sequence/bert.ts";
export * from "./sequence/choose-token.ts";
export * from "./sequence/decoding/index.ts";
export { type GptOptions, gpt, gptStep } from "./sequence/gpt.ts";
export { GptReader } from "./sequence/gpt-reader.ts";
export { type Seq2SeqOptions, seq2seq } from "./sequence/seq2seq.ts";
export { type T5, type T5Options, t5, t5Decoder, t5Translator } from "./sequence/t5.ts";
export {
  type Transformer,
  type TransformerOptions,
  transformer,
  transformerAttention,
  transformerDecoder,
  translatorOf,
} from "./sequence/transformer.ts";
export {
  attentionMatrix,
  type TranslationAttention,
  translationAttention,
} from "./sequence/translation-attention.ts";
export { type SplitNetwork, splitFrozen } from "./split-frozen.ts";
export { type AirbenchOptions, airbench94 } from "./vision/airbench.ts";
export { type AlexNetOptions, alexnet, alexnet2012 } from "./vision/alexnet.ts";
export { type ConvNextOptions, convnext } from "./vision/convnext.ts";
export { type DenseNetCifarOptions, type DenseNetOptions, densenet, densenetCifar } from "./vision/densenet.ts";
export { mlp, smallCnn } from "./vision/first-steps.ts";
export { type InceptionOptions, inceptionV3, inceptionV3Fid } from "./vision/inception.ts";
export { lenet5 } from "./vision/lenet.ts";
export { type MixerOptions, mlpMixer } from "./vision/mlp-mixer.ts";
export { type PreactResNetCifarOptions, preactResnetCifar } from "./vision/preact-resnet-cifar.ts";
export { type ResNetOptions, resnet } from "./vision/resnet.ts";
export { type ResNetCifarOptions, resnetCifar } from "./vision/resnet-cifar.ts";
export { type VggOptions, vgg, vggCifar } from "./vision/vgg.ts";
export { type VitOptions, vit } from "./vision/vit.ts";
export { whitenFirstConvolution } from "./whiten.ts";
