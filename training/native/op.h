// An op as TensorFlow is told of it. Ops are compiled in several parts, side by side.
#pragma once

#include <vector>

#include "tensorflow.h"

namespace zoo {

struct Op {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
  void (*compute)(void*, TF_OpKernelContext*);
};

std::vector<Op> ConvolutionOps();
std::vector<Op> ImageOps();
std::vector<Op> TokenOps();
std::vector<Op> GenerativeOps();
std::vector<Op> RecurrentOps();
std::vector<Op> UpdateOps();

}  // namespace zoo
