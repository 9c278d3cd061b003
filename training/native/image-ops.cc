// What images go through beside convolutions.
#include "activations.h"
#include "batch-norm.h"
#include "concat.h"
#include "element-wise.h"
#include "group-norm.h"
#include "layer-scale.h"
#include "op.h"
#include "pool.h"
#include "shortcut-a.h"

namespace zoo {

const std::vector<const char*> pooling = {"size: list(int)", "strides: list(int)", "padding: list(int)",
                                          "T: {float, bfloat16}"};

std::vector<Op> ImageOps() {
  return {
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
      {"ZooRelu", {"T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, Relu},
      {"ZooReluGrad", {"T: {float, bfloat16}"}, {"dy: T", "y: T"}, {"dx: T"}, ReluGrad},
      {"ZooLeakyRelu", {"slope: float", "T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, LeakyRelu},
      {"ZooLeakyReluGrad", {"slope: float", "T: {float, bfloat16}"}, {"dy: T", "y: T"}, {"dx: T"}, LeakyReluGrad},
      {"ZooSilu", {"T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, Silu},
      {"ZooSiluGrad", {"T: {float, bfloat16}"}, {"dy: T", "x: T"}, {"dx: T"}, SiluGrad},
      {"ZooGroupNorm",
       {"groups: int", "epsilon: float", "T: {float, bfloat16}"},
       {"x: T", "gamma: float", "beta: float"},
       {"y: T", "mean: float", "inverse: float"},
       GroupNorm},
      {"ZooGroupNormGrad",
       {"groups: int", "T: {float, bfloat16}"},
       {"dy: T", "x: T", "mean: float", "inverse: float", "gamma: float"},
       {"dx: T", "dgamma: float", "dbeta: float"},
       GroupNormGrad},
      {"ZooLayerScale", {"T: {float, bfloat16}"}, {"x: T", "gamma: float"}, {"y: T"}, LayerScale},
      {"ZooLayerScaleGrad",
       {"T: {float, bfloat16}"},
       {"dy: T", "x: T", "gamma: float"},
       {"dx: T", "dgamma: float"},
       LayerScaleGrad},
      {"ZooShortcutA", {"stride: int", "channels: int", "T: {float, bfloat16}"}, {"x: T"}, {"y: T"}, ShortcutA},
      {"ZooShortcutAGrad",
       {"stride: int", "T: {float, bfloat16}", "X: {float, bfloat16}"},
       {"dy: T", "x: X"},
       {"dx: T"},
       ShortcutAGrad},
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
  };
}

}  // namespace zoo
