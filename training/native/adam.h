// One step of Adam on flat vectors (models/src/ops/adam-update.ts).
#pragma once

#include <cmath>
#include <cstdint>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

inline float Root(float x) { return std::sqrt(x); }

inline Lanes Root(Lanes x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Lanes>(_mm512_sqrt_ps(reinterpret_cast<__m512>(x)));
#else
  for (int i = 0; i < kLanes; i++) x[i] = std::sqrt(x[i]);
  return x;
#endif
}

/// weights, gradient, m, v, numbers -> weights, m, v. The numbers, learning rate, both betas, epsilon, decay of the
/// gradient and of the weights, and 1 - beta and 1 - beta^t of both, are an input: TensorFlow keeps a kernel for every
/// set of attributes that it has seen.
inline void Adam(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const int64_t size = CountOf(ShapeOf(inputs[0]));
  bool fits = CountOf(ShapeOf(inputs[4])) == 10;
  for (int i = 1; i < 4; i++) fits = fits && CountOf(ShapeOf(inputs[i])) == size;
  if (!call.Expect(fits, "Adam got vectors that do not fit each other")) return;
  const float *weights = Call::Data(inputs[0]), *gradient = Call::Data(inputs[1]);
  const float *first = Call::Data(inputs[2]), *second = Call::Data(inputs[3]), *numbers = Call::Data(inputs[4]);
  const float rate = numbers[0], beta1 = numbers[1], beta2 = numbers[2], epsilon = numbers[3];
  const float decay = numbers[4], shrink = numbers[5], share1 = numbers[6], share2 = numbers[7];
  const float correction1 = numbers[8], correction2 = numbers[9];
  float *next = call.Output(0, {size}), *m = call.Output(1, {size}), *v = call.Output(2, {size});
  if (!call.ok()) return;
  Elementwise(size, [=](auto zero, int64_t i) {
    using V = decltype(zero);
    const V theta = Stream<V>(weights + i), g = Stream<V>(gradient + i) + theta * decay;
    const V m_now = Stream<V>(first + i) * beta1 + g * share1;
    const V v_now = Stream<V>(second + i) * beta2 + g * g * share2;
    const V step = m_now / correction1 / (Root(v_now / correction2) + epsilon) + theta * shrink;
    Put(m + i, m_now);
    Put(v + i, v_now);
    Put(next + i, theta - step * rate);
  });
}

}  // namespace zoo
