// Gaussian error linear unit (models/src/ops/gelu.ts), and its gradient.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

inline float Exp(float x) { return std::exp(x); }

/// exp(x) for x <= 0, to some 2e-7 of it: 2^n times a polynomial of what is left.
inline Lanes Exp(Lanes x) {
  typedef int32_t Integers __attribute__((vector_size(sizeof(Lanes))));
  const Lanes lowest = Lanes() - 87.0f;
  x = x < lowest ? lowest : x;
  const Lanes scaled = x * 1.44269504f - 0.5f;
  const Integers n = __builtin_convertvector(scaled, Integers);  // towards 0, so to the nearest here
  const Lanes whole = __builtin_convertvector(n, Lanes);
  const Lanes r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Lanes p = r * (1.0f / 720) + (1.0f / 120);
  p = p * r + (1.0f / 24);
  p = p * r + (1.0f / 6);
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Integers power = (n + 127) << 23;
  Lanes two;
  std::memcpy(&two, &power, sizeof(two));
  return p * two;
}

/// Φ(x) and φ(x).
template <typename V>
struct Normal {
  V cumulative, density;
};

/// erf after Abramowitz & Stegun 7.1.26, to 1.5e-7.
template <typename V>
Normal<V> NormalAt(V x) {
  const V zero = V(), bell = Exp(x * x * -0.5f), size = x < zero ? -x : x;
  const V t = (zero + 1.0f) / (size * (0.3275911f * 0.70710678f) + 1.0f);
  V tail = t * 1.061405429f - 1.453152027f;
  tail = tail * t + 1.421413741f;
  tail = tail * t - 0.284496736f;
  tail = tail * t + 0.254829592f;
  tail = tail * t * bell * 0.5f;  // beyond |x|, on one side
  return {x < zero ? tail : 1.0f - tail, bell * 0.39894228f};
}

/// The same of the approximation by tanh u, u = √(2/π) (x + 0.044715 x³).
template <typename V>
Normal<V> NearNormalAt(V x) {
  const V zero = V(), square = x * x;
  const V u = (square * 0.044715f + 1.0f) * x * 0.79788456f, size = u < zero ? -u : u;
  const V fall = Exp(size * -2.0f);  // tanh |u| = (1 − fall) / (1 + fall)
  const V share = (zero + 1.0f) / (fall + 1.0f);
  const V slope = (square * 0.134145f + 1.0f) * 0.79788456f;
  return {u < zero ? fall * share : share, fall * share * share * slope * 2.0f};
}

/// x -> y
inline void Gelu(void* raw, TF_OpKernelContext* context) {
  const bool tanh = static_cast<Attributes*>(raw)->tanh;
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
      using V = decltype(zero);
      const V value = Stream<V>(x + i);
      Put(y + i, value * (tanh ? NearNormalAt(value) : NormalAt(value)).cumulative);
    });
  });
}

/// dy, x -> dx
inline void GeluGrad(void* raw, TF_OpKernelContext* context) {
  const bool tanh = static_cast<Attributes*>(raw)->tanh;
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  if (!call.Expect(ShapeOf(gradient) == shape, "a GELU's gradient got tensors of different shapes")) return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *dy = Call::Data<T>(gradient), *x = Call::Data<T>(input);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Elementwise(CountOf(shape), [=](auto zero, int64_t i) {
      using V = decltype(zero);
      const V value = Stream<V>(x + i);
      const Normal<V> normal = tanh ? NearNormalAt(value) : NormalAt(value);
      Put(dx + i, Stream<V>(dy + i) * (normal.cumulative + value * normal.density));
    });
  });
}

}  // namespace zoo
