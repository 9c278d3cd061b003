// Weights joined to one vector, and split again.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "tensorflow.h"

namespace zoo {

/// Tensors of any shapes -> one vector
inline void Join(void*, TF_OpKernelContext* context) {
  Call call(context);
  std::vector<const TF_Tensor*> parts(call.inputs());
  int64_t size = 0;
  for (size_t i = 0; i < parts.size(); i++) {
    parts[i] = call.Input(static_cast<int>(i));
    if (!call.ok()) return;
    size += CountOf(ShapeOf(parts[i]));
  }
  float* flat = call.Output(0, {size});
  if (!call.ok()) return;
  for (const TF_Tensor* part : parts) {
    const int64_t count = CountOf(ShapeOf(part));
    std::memcpy(flat, Call::Data(part), sizeof(float) * count);
    flat += count;
  }
}

/// One vector -> tensors of the shapes that `ranks` and `dims` list
inline void Split(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const float* flat = Call::Data(input);
  int64_t left = CountOf(ShapeOf(input));
  auto dim = attributes.dims.begin();
  for (size_t i = 0; i < attributes.ranks.size(); i++) {
    if (!call.Expect(attributes.dims.end() - dim >= attributes.ranks[i], "a split got too few dimensions")) return;
    const std::vector<int64_t> shape(dim, dim + attributes.ranks[i]);
    dim += attributes.ranks[i];
    const int64_t count = CountOf(shape);
    if (!call.Expect(count >= 0 && count <= left, "a split got too short a vector")) return;
    float* part = call.Output(static_cast<int>(i), shape);
    if (!call.ok()) return;
    std::memcpy(part, flat, sizeof(float) * count);
    flat += count;
    left -= count;
  }
}

}  // namespace zoo
