// Kernels of tfjs-zoo for TensorFlow's CPU device, where its own take more passes over memory than the formula needs:
// batch normalisation with its ReLU, layer normalisation, attention, the residual sum with its ReLU, GELU, pooling,
// concatenation, option A shortcuts, depthwise convolution, recurrent cells, and weights joined to one vector; and
// convolutions and matrix products on the processor's matrix unit, where it has one. Compiled on the machine that runs
// them (-march=native) and loaded as a Node addon, which registers them.
//
// Images are [rows, channels], rows = batch * height * width, in single precision or in bf16 (parameters and sums are
// in single precision always). Which thread adds what depends on sizes and the number of threads alone, so results
// repeat bit by bit.

#include <node_api.h>

#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "adam.h"
#include "additive-attention.h"
#include "attention.h"
#include "attentive-lstm.h"
#include "batch-norm.h"
#include "concat.h"
#include "conv2d.h"
#include "cross-entropy.h"
#include "depthwise.h"
#include "dropout.h"
#include "element-wise.h"
#include "embedding.h"
#include "flat.h"
#include "gelu.h"
#include "gru.h"
#include "layer-norm.h"
#include "lstm.h"
#include "matrix-product.h"
#include "pool.h"
#include "rnn.h"
#include "shortcut-a.h"
#include "tensorflow.h"
#include "threads.h"

namespace zoo {

struct Op {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
  void (*compute)(void*, TF_OpKernelContext*);
};

const std::vector<const char*> window = {"strides: list(int)", "padding: list(int)",   "size: list(int)",
                                         "bf16: bool",         "X: {float, bfloat16}", "Y: {float, bfloat16}"};

const std::vector<const char*> windowAndBias = {
    "strides: list(int)", "padding: list(int)", "size: list(int)",      "bf16: bool",
    "relu: bool",         "N: int >= 0",        "X: {float, bfloat16}", "Y: {float, bfloat16}",
};
const std::vector<const char*> pooling = {"size: list(int)", "strides: list(int)", "padding: list(int)",
                                          "T: {float, bfloat16}"};

const char *const lengths = "lengths: with_lengths * int32", *const bias = "bias: with_bias * float",
                  *const dropout = "dropout: with_dropout * float";
const std::vector<const char*> attention = {
    "heads: int",          "causal: bool",           "scale: float",        "with_lengths: int >= 0",
    "with_bias: int >= 0", "with_dropout: int >= 0", "T: {float, bfloat16}"};
const std::vector<const char*> attended = {"q: T", "k: T", "v: T", lengths, bias, dropout};

const std::vector<Op> ops = {
#ifdef ZOO_MATRIX_TILES
    {"ZooConv2D", windowAndBias, {"x: X", "filter: float", "bias: N * float"}, {"y: Y"}, Conv2D},
    {"ZooConv2DBackpropInput", window, {"dy: X", "filter: float"}, {"dx: Y"}, Conv2DBackpropInput},
    {"ZooConv2DBackpropFilter", window, {"x: X", "dy: Y"}, {"dw: float"}, Conv2DBackpropFilter},
    {"ZooMatrixProduct",
     {"transpose_a: bool", "transpose_b: bool", "bf16: bool", "keep_bf16: bool", "N: int >= 0", "A: {float, bfloat16}",
      "B: {float, bfloat16}", "Y: {float, bfloat16}"},
     {"a: A", "b: B", "bias: N * float"},
     {"y: Y"},
     MatrixProduct},
#endif
    {"ZooBatchNorm",
     {"epsilon: float", "momentum: float", "relu: bool", "T: {float, bfloat16}"},
     {"x: T", "gamma: float", "beta: float", "running_mean: float", "running_variance: float"},
     {"y: T", "new_mean: float", "new_variance: float", "mean: float", "variance: float"},
     BatchNorm},
    {"ZooBatchNormInference",
     {"epsilon: float", "relu: bool", "T: {float, bfloat16}"},
     {"x: T", "gamma: float", "beta: float", "running_mean: float", "running_variance: float"},
     {"y: T"},
     BatchNormInference},
    {"ZooBatchNormGrad",
     {"epsilon: float", "relu: bool", "T: {float, bfloat16}"},
     {"dy: T", "x: T", "gamma: float", "beta: float", "mean: float", "variance: float"},
     {"dx: T", "dgamma: float", "dbeta: float"},
     BatchNormGrad},
    {"ZooAdd", {"relu: bool", "T: {float, bfloat16}"}, {"a: T", "b: T"}, {"y: T"}, Add},
    {"ZooReluGrad", {"T: {float, bfloat16}"}, {"dy: T", "y: T"}, {"dx: T"}, ReluGrad},
    {"ZooShortcutA", {"stride: int", "channels: int", "T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, ShortcutA},
    {"ZooShortcutAGrad",
     {"stride: int", "T: {float, bfloat16}", "X: {float, bfloat16}"},
     {"dy: T", "x: X"},
     {"dx: T"},
     ShortcutAGrad},
    {"ZooGelu", {"tanh: bool", "T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, Gelu},
    {"ZooGeluGrad", {"tanh: bool", "T: {float, bfloat16}"}, {"dy: T", "x: T"}, {"dx: T"}, GeluGrad},
    {"ZooSoftmaxCrossEntropy",
     {"smoothing: float", "T: {float, bfloat16}"},
     {"logits: T", "labels: int32"},
     {"loss: float", "log_sum: float"},
     CrossEntropy},
    {"ZooSoftmaxCrossEntropyGrad",
     {"smoothing: float", "T: {float, bfloat16}"},
     {"dy: float", "logits: T", "labels: int32", "log_sum: float"},
     {"dlogits: T"},
     CrossEntropyGrad},
    {"ZooDropoutMask", {"below: int", "kept: float"}, {"key: int32", "size: int32"}, {"mask: float"}, DropoutMask},
    {"ZooDropout", {"T: {float, bfloat16}"}, {"x: T", "mask: float"}, {"y: T"}, Dropout},
    {"ZooEmbeddingGrad",
     {"vocabulary: int", "T: {float, bfloat16}"},
     {"dy: T", "ids: int32"},
     {"dtable: float"},
     EmbeddingGrad},
    {"ZooDepthwiseConv2D",
     {"strides: list(int)", "padding: list(int)", "dilation: list(int)", "N: int >= 0", "T: {float, bfloat16}"},
     {"x: T", "filter: float", "bias: N * float"},
     {"y: T"},
     DepthwiseConv2D},
    {"ZooDepthwiseConv2DBackpropInput",
     {"strides: list(int)", "padding: list(int)", "dilation: list(int)", "size: list(int)", "T: {float, bfloat16}"},
     {"dy: T", "filter: float"},
     {"dx: T"},
     DepthwiseConv2DBackpropInput},
    {"ZooDepthwiseConv2DBackpropFilter",
     {"strides: list(int)", "padding: list(int)", "dilation: list(int)", "size: list(int)", "T: {float, bfloat16}"},
     {"x: T", "dy: T"},
     {"dw: float"},
     DepthwiseConv2DBackpropFilter},
    {"ZooAttention", attention, attended, {"o: T", "p: T"}, Attention<false>},
    {"ZooAttentionGrad",
     attention,
     {"dy: T", "q: T", "k: T", "v: T", "p: T", lengths, bias, dropout},
     {"dq: T", "dk: T", "dv: T", "dbias: with_bias * float"},
     AttentionGrad<false>},
    {"ZooAttentionLean", attention, attended, {"o: T", "log_sums: float"}, Attention<true>},
    {"ZooAttentionLeanGrad",
     attention,
     {"dy: T", "q: T", "k: T", "v: T", "log_sums: float", lengths, bias, dropout},
     {"dq: T", "dk: T", "dv: T", "dbias: with_bias * float"},
     AttentionGrad<true>},
    {"ZooAdditiveAttention",
     {"L: int >= 0", "T: {float, bfloat16}"},
     {"query: float", "keys: T", "v: float", "values: float", "lengths: L * int32"},
     {"c: float", "a: float"},
     AdditiveAttention},
    {"ZooAdditiveAttentionGrad",
     {"T: {float, bfloat16}"},
     {"dc: float", "query: float", "keys: T", "v: float", "values: float", "a: float"},
     {"dquery: float", "dkeys: float", "dv: float", "dvalues: float"},
     AdditiveAttentionGrad},
    {"ZooAttentiveLstm",
     {"bf16: bool", "L: int >= 0", "X: {float, bfloat16}", "T: {float, bfloat16}"},
     {"projected: X", "h0: float", "c0: float", "weight: float", "query_weight: float", "query_bias: float", "keys: T",
      "v: float", "values: float", "lengths: L * int32"},
     {"y: float", "seen: float", "looked: float", "activations: float", "h: float", "c: float", "queries: float"},
     AttentiveLstm},
    {"ZooAttentiveLstmGrad",
     {"bf16: bool", "T: {float, bfloat16}"},
     {"dy: float", "dseen: float", "activations: float", "c: float", "looked: float", "queries: float", "weight: float",
      "query_weight: float", "keys: T", "v: float", "values: float"},
     {"da: float", "dq: float", "dkeys: float", "dv: float", "dvalues: float", "dh0: float", "dc0: float"},
     AttentiveLstmGrad},
    {"ZooGru",
     {"reverse: bool", "reset_after: bool", "bf16: bool", "biases: int >= 0", "L: int >= 0", "T: {float, bfloat16}"},
     {"projected: T", "h0: float", "weight: float", "bias: biases * float", "lengths: L * int32"},
     {"y: float", "h: float", "activations: float", "before: float"},
     Gru},
    {"ZooGruGrad",
     {"reverse: bool", "reset_after: bool", "bf16: bool", "L: int >= 0", "hidden: int >= 0"},
     {"dy: float", "dh: float", "activations: float", "before: float", "weight: float", "lengths: L * int32"},
     {"dh0: float", "da: float", "ds: hidden * float"},
     GruGrad},
    {"ZooLayerNorm",
     {"epsilon: float", "T: {float, bfloat16}"},
     {"x: T", "gamma: float", "beta: float"},
     {"y: T", "mean: float", "inverse: float"},
     LayerNorm},
    {"ZooLayerNormGrad",
     {"T: {float, bfloat16}"},
     {"dy: T", "x: T", "mean: float", "inverse: float", "gamma: float"},
     {"dx: T", "dgamma: float", "dbeta: float"},
     LayerNormGrad},
    {"ZooLstm",
     {"reverse: bool", "coupled: bool", "bf16: bool", "peepholes: int >= 0", "L: int >= 0", "T: {float, bfloat16}"},
     {"projected: T", "h0: float", "c0: float", "weight: float", "peephole: peepholes * float", "lengths: L * int32"},
     {"y: float", "h: float", "c: float", "activations: float", "h_before: float", "c_before: float"},
     Lstm},
    {"ZooLstmGrad",
     {"reverse: bool", "coupled: bool", "bf16: bool", "peepholes: int >= 0", "L: int >= 0"},
     {"dy: float", "dh: float", "dc: float", "activations: float", "c_before: float", "weight: float",
      "peephole: peepholes * float", "lengths: L * int32"},
     {"da: float", "dh0: float", "dc0: float"},
     LstmGrad},
    {"ZooRnn",
     {"reverse: bool", "relu: bool", "bf16: bool", "L: int >= 0", "T: {float, bfloat16}"},
     {"projected: T", "h0: float", "weight: float", "lengths: L * int32"},
     {"y: float", "h: float", "before: float"},
     Rnn},
    {"ZooRnnGrad",
     {"reverse: bool", "relu: bool", "bf16: bool", "L: int >= 0"},
     {"dy: float", "dh: float", "y: float", "weight: float", "lengths: L * int32"},
     {"da: float", "dh0: float"},
     RnnGrad},
    {"ZooConcat", {"N: int >= 1", "T: {float, bfloat16}"}, {"parts: N * T"}, {"y: T"}, Concat},
    {"ZooConcatGrad",
     {"N: int >= 1", "size: list(int)", "T: {float, bfloat16}"},
     {"dy: T"},
     {"parts: N * T"},
     ConcatGrad},
    {"ZooMaxPool", pooling, {"x: T"}, {"y: T"}, Pool<false>},
    {"ZooMaxPoolGrad", pooling, {"dy: T", "x: T", "y: T"}, {"dx: T"}, MaxPoolGrad},
    {"ZooAvgPool", pooling, {"x: T"}, {"y: T"}, Pool<true>},
    {"ZooAvgPoolGrad",
     {"size: list(int)", "strides: list(int)", "padding: list(int)", "T: {float, bfloat16}", "X: {float, bfloat16}"},
     {"dy: T", "x: X"},
     {"dx: T"},
     AvgPoolGrad},
    {"ZooMeanPixels", {"T: {float, bfloat16}"}, {"x: T"}, {"y: float"}, MeanPixels},
    {"ZooMeanPixelsGrad", {"T: {float, bfloat16}"}, {"dy: float", "x: T"}, {"dx: T"}, MeanPixelsGrad},
    {"ZooSumPixels", {"T: {float, bfloat16}"}, {"x: T"}, {"y: float"}, SumPixels},
    {"ZooAdam",
     {},
     {"weights: float", "gradient: float", "m: float", "v: float", "numbers: float"},
     {"next: float", "next_m: float", "next_v: float"},
     Adam},
    {"ZooJoin", {"N: int >= 1"}, {"parts: N * float"}, {"flat: float"}, Join},
    {"ZooSplit", {"N: int >= 1", "ranks: list(int)", "dims: list(int)"}, {"flat: float"}, {"parts: N * float"}, Split},
};

/// Registers every op with its kernel. @returns what failed, empty if nothing did
std::string Register() {
  TF_Status* status = TF_NewStatus();
  std::string failure;
  for (const Op& op : ops) {
    TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(op.name);
    for (const char* spec : op.attributes) TF_OpDefinitionBuilderAddAttr(definition, spec);
    for (const char* spec : op.inputs) TF_OpDefinitionBuilderAddInput(definition, spec);
    for (const char* spec : op.outputs) TF_OpDefinitionBuilderAddOutput(definition, spec);
    TF_RegisterOpDefinition(definition, status);
    if (TF_GetCode(status) == 0) {
      TF_RegisterKernelBuilder(op.name, TF_NewKernelBuilder(op.name, "CPU", Create, op.compute, Destroy), status);
    }
    if (TF_GetCode(status) != 0 && failure.empty()) failure = std::string(op.name) + ": " + TF_Message(status);
  }
  TF_DeleteStatus(status);
  return failure;
}

#if defined(__GLIBC__)
/// Lets tensors share one region of large pages, which grows as they need it: a step walks through gigabytes, and to
/// find small pages takes a twelfth of its time. Does nothing where the system has no large pages to give.
void UseLargePages() {
  constexpr uintptr_t kPage = 2 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, INT_MAX);
  void* const first = std::malloc(31 << 20);  // more than is free, so that the region grows by all of M_TOP_PAD
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(first) + kPage - 1) / kPage * kPage;
  const uintptr_t end = reinterpret_cast<uintptr_t>(sbrk(0)) / kPage * kPage;
  if (first != nullptr && begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  std::free(first);
  mallopt(M_TOP_PAD, 64 << 20);
}
#endif

/// start(threads: number): registers the kernels, and throws what failed.
/// @returns whether convolutions are among them, which need a matrix unit
napi_value Start(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &threads);
  static bool started = false, tiles = false;
  if (!started) {
    started = true;
#ifdef ZOO_MATRIX_TILES
    tiles = RequestTiles();
#endif
#if defined(__GLIBC__)
    UseLargePages();
#endif
    pool->Start(std::clamp(threads, 1, 256));
    const std::string failure = Register();
    if (!failure.empty()) napi_throw_error(env, nullptr, failure.c_str());
  }
  napi_value result;
  napi_get_boolean(env, tiles, &result);
  return result;
}

}  // namespace zoo

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_property_descriptor start = {"start", nullptr, zoo::Start, nullptr, nullptr, nullptr, napi_default, nullptr};
  napi_define_properties(env, exports, 1, &start);
  return exports;
}
