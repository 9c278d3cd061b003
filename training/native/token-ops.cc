// What tokens go through beside matrix products, and the loss of both.
#include "attention.h"
#include "cross-entropy.h"
#include "dropout.h"
#include "embedding.h"
#include "gelu.h"
#include "layer-norm.h"
#include "op.h"

namespace zoo {

const char *const lengths = "lengths: with_lengths * int32", *const bias = "bias: with_bias * float",
                  *const dropout = "dropout: with_dropout * float";
const std::vector<const char*> attention = {
    "heads: int",          "causal: bool",           "scale: float",        "with_lengths: int >= 0",
    "with_bias: int >= 0", "with_dropout: int >= 0", "T: {float, bfloat16}"};
const std::vector<const char*> attended = {"q: T", "k: T", "v: T", lengths, bias, dropout};

std::vector<Op> TokenOps() {
  return {
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
  };
}

}  // namespace zoo
