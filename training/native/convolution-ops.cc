// Convolutions and matrix products: by tiles, where there are any, or on vectors.
#include "conv2d.h"
#include "depthwise.h"
#include "few-channels.h"
#include "matrix-product.h"
#include "op.h"
#include "vector-product.h"
#include "winograd-conv2d.h"

namespace zoo {

const std::vector<const char*> window = {"strides: list(int)", "padding: list(int)",   "size: list(int)",
                                         "bf16: bool",         "X: {float, bfloat16}", "Y: {float, bfloat16}"};

const std::vector<const char*> windowAndBias = {
    "strides: list(int)", "padding: list(int)", "size: list(int)",      "bf16: bool",
    "relu: bool",         "N: int >= 0",        "X: {float, bfloat16}", "Y: {float, bfloat16}",
};

const std::vector<const char*> windowOnVectors = {"strides: list(int)", "padding: list(int)", "size: list(int)"};
const std::vector<const char*> windowAndBiasOnVectors = {"strides: list(int)", "padding: list(int)", "size: list(int)",
                                                         "relu: bool", "N: int >= 0"};

std::vector<Op> ConvolutionOps() {
  return {
#ifdef ZOO_TILES
      {"ZooConv2D", windowAndBias, {"x: X", "filter: float", "bias: N * float"}, {"y: Y"}, Conv2D},
      {"ZooConv2DBackpropInput",
       windowAndBias,
       {"dy: X", "filter: float", "bias: N * float"},
       {"dx: Y"},
       Conv2DBackpropInput},
      {"ZooConv2DBackpropFilter", window, {"x: X", "dy: Y"}, {"dw: float"}, Conv2DBackpropFilter},
      {"ZooMatrixProduct",
       {"transpose_a: bool", "transpose_b: bool", "bf16: bool", "keep_bf16: bool", "N: int >= 0",
        "A: {float, bfloat16}", "B: {float, bfloat16}", "Y: {float, bfloat16}"},
       {"a: A", "b: B", "bias: N * float"},
       {"y: Y"},
       MatrixProduct},
#endif
      {"ZooVectorProduct",
       {"transpose_a: bool", "transpose_b: bool", "N: int >= 0"},
       {"a: float", "b: float", "bias: N * float"},
       {"y: float"},
       MultiplyOnVectors},
      {"ZooWinogradConv2D",
       windowAndBiasOnVectors,
       {"x: float", "filter: float", "bias: N * float"},
       {"y: float"},
       WinogradConv2D},
      {"ZooWinogradConv2DBackpropInput",
       windowAndBiasOnVectors,
       {"dy: float", "filter: float", "bias: N * float"},
       {"dx: float"},
       WinogradConv2DBackpropInput},
      {"ZooWinogradConv2DBackpropFilter",
       windowOnVectors,
       {"x: float", "dy: float"},
       {"dw: float"},
       WinogradConv2DBackpropFilter},
      {"ZooFewChannelsConv2DBackpropInput",
       windowAndBias,
       {"dy: X", "filter: float", "bias: N * float"},
       {"dx: Y"},
       FewChannelsConv2DBackpropInput},
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
  };
}

}  // namespace zoo
