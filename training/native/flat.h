// Weights joined to one vector, and split again.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Copies numbers, in several threads where there are many.
inline void Copy(const float* from, float* to, int64_t count) {
  Parallel(count, 1, [&](int, int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, sizeof(float) * static_cast<size_t>(end - begin));
  });
}

/// Tensors of any shapes -> the Euclidean norm of all
inline void Norm(void*, TF_OpKernelContext* context) {
  constexpr int64_t kBlock = 64 * kLanes;
  Call call(context);
  float* const norm = call.Output(0, {});
  double total = 0;
  for (int i = 0; i < call.inputs() && call.ok(); i++) {
    const TF_Tensor* part = call.Input(i);
    if (!call.ok()) return;
    const float* x = Call::Data(part);
    const int64_t count = CountOf(ShapeOf(part)), blocks = (count + kBlock - 1) / kBlock;
    // Blocks are added in their order, so that the sum does not depend on the number of threads.
    std::vector<double> sums(static_cast<size_t>(blocks));
    Parallel(blocks, kBlock, [&](int, int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; block++) {
        const float* from = x + block * kBlock;
        sums[block] = SumRow(static_cast<int>(std::min(kBlock, count - block * kBlock)), [from](auto zero, int c) {
          const auto value = Stream<decltype(zero)>(from + c);
          return value * value;
        });
      }
    });
    for (double sum : sums) total += sum;
  }
  if (call.ok()) *norm = static_cast<float>(std::sqrt(total));
}

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
    Copy(Call::Data(part), flat, count);
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
    Copy(flat, part, count);
    flat += count;
    left -= count;
  }
}

}  // namespace zoo
