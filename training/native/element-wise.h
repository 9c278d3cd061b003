// Sums with their ReLU, and the ReLU's gradient.
#pragma once

#include <cmath>

#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

/// a, b -> a + b, or max(a + b, 0)
inline void Add(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *left = call.Input(0), *right = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(left);
  if (!call.Expect(ShapeOf(right) == shape, "a sum got tensors of different shapes")) return;
  const float* a = Call::Data(left);
  const float* b = Call::Data(right);
  float* y = call.Output(0, shape);
  if (!call.ok()) return;
  const float floor = attributes.relu ? 0.0f : -INFINITY;
  Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
    using V = decltype(zero);
    Put(y + i, Above(Get<V>(a + i) + Get<V>(b + i), zero + floor));
  });
}

/// dy, y -> dy where y > 0, else 0
inline void ReluGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *output = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(output);
  if (!call.Expect(ShapeOf(gradient) == shape, "a ReLU's gradient got tensors of different shapes")) return;
  const float* __restrict dy = Call::Data(gradient);
  const float* y = Call::Data(output);
  float* dx = call.Output(0, shape);
  if (!call.ok()) return;
  Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
    using V = decltype(zero);
    Put(dx + i, Get<V>(y + i) > 0.0f ? Get<V>(dy + i) : zero);
  });
}

}  // namespace zoo
