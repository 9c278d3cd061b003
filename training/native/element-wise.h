// Sums with their ReLU, and the ReLU's gradient.
#pragma once

#include <cmath>
#include <type_traits>

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
  const float floor = attributes.relu ? 0.0f : -INFINITY;
  WithType(left, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *a = Call::Data<T>(left), *b = Call::Data<T>(right);
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
      using V = decltype(zero);
      Put(y + i, Above(Stream<V>(a + i) + Stream<V>(b + i), zero + floor));
    });
  });
}

/// dy, y -> dy where y > 0, else 0
inline void ReluGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *output = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(output);
  if (!call.Expect(ShapeOf(gradient) == shape, "a ReLU's gradient got tensors of different shapes")) return;
  WithType(output, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* __restrict dy = Call::Data<T>(gradient), *y = Call::Data<T>(output);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
      using V = decltype(zero);
      Put(dx + i, Stream<V>(y + i) > 0.0f ? Stream<V>(dy + i) : zero);
    });
  });
}

}  // namespace zoo
