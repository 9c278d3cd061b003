// ReLU, SiLU and leaky ReLU (models/src/ops/relu.ts, silu.ts, leaky-relu.ts), and their gradients (that of ReLU is in
// element-wise.h).
#pragma once

#include <type_traits>

#include "gelu.h"
#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

/// x -> y, y = f(x) of each number
template <typename Function>
void MapOf(TF_OpKernelContext* context, const Function& f) {
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) { Put(y + i, f(Stream<decltype(zero)>(x + i))); });
  });
}

/// dy, what was kept -> dx, dx = dy slope(kept) of each number
template <typename Slope>
void MapGradOf(TF_OpKernelContext* context, const Slope& slope) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *kept = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(kept);
  if (!call.Expect(ShapeOf(gradient) == shape, "an activation's gradient got tensors of different shapes")) return;
  WithType(kept, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *dy = Call::Data<T>(gradient), *of = Call::Data<T>(kept);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
      using V = decltype(zero);
      Put(dx + i, Stream<V>(dy + i) * slope(Stream<V>(of + i)));
    });
  });
}

/// 1 / (1 + exp(-x)), by the exponential of what is below 0
template <typename V>
V SigmoidOf(V x) {
  const V zero = V(), fall = Exp(x < zero ? x : -x), share = (zero + 1.0f) / (fall + 1.0f);
  return x < zero ? fall * share : share;
}

inline void Relu(void*, TF_OpKernelContext* context) {
  MapOf(context, [](auto x) { return Above(x, decltype(x)()); });
}

inline void Silu(void*, TF_OpKernelContext* context) {
  MapOf(context, [](auto x) { return x * SigmoidOf(x); });
}

/// dy, x -> dx
inline void SiluGrad(void*, TF_OpKernelContext* context) {
  MapGradOf(context, [](auto x) {
    const auto s = SigmoidOf(x);
    return s * (x * (1.0f - s) + 1.0f);
  });
}

inline void LeakyRelu(void* raw, TF_OpKernelContext* context) {
  const float slope = static_cast<Attributes*>(raw)->slope;
  MapOf(context, [slope](auto x) { return x > decltype(x)() ? x : x * slope; });
}

/// dy, y -> dx
inline void LeakyReluGrad(void* raw, TF_OpKernelContext* context) {
  const float slope = static_cast<Attributes*>(raw)->slope;
  MapGradOf(context, [slope](auto y) {
    const decltype(y) zero{};
    return y > zero ? zero + 1.0f : zero + slope;
  });
}

}  // namespace zoo
