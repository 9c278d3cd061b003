// One step of Adam (models/src/ops/adam-update.ts).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "parts.h"
#include "tensorflow.h"
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

/// weights, gradients, m, v, numbers -> weights, m, v. The numbers, learning rate, both betas, epsilon, decay of the
/// gradient and of the weights, 1 - beta and 1 - beta^t of both, and what multiplies the gradients, are an input:
/// TensorFlow keeps a kernel for every set of attributes that it has seen.
inline void Adam(void*, TF_OpKernelContext* context) {
  Call call(context);
  const std::vector<Part> parts = PartsOf(call, 2, 11);
  if (!call.ok()) return;
  const int count = static_cast<int>(parts.size());
  const TF_Tensor *means = call.Input(2 * count), *squares = call.Input(2 * count + 1);
  const float *first = Call::Data(means), *second = Call::Data(squares), *numbers = Call::Data(call.Input(2 * count + 2));
  const float rate = numbers[0], beta1 = numbers[1], beta2 = numbers[2], epsilon = numbers[3];
  const float decay = numbers[4], shrink = numbers[5], share1 = numbers[6], share2 = numbers[7];
  const float correction1 = numbers[8], correction2 = numbers[9], scale = numbers[10];
  float *m = call.Output(count, ShapeOf(means)), *v = call.Output(count + 1, ShapeOf(squares));
  if (!call.ok()) return;
  EachPart(parts, [=](auto zero, const Part& part, int64_t i, int64_t j) {
    using V = decltype(zero);
    const V theta = Stream<V>(part.weights + i), g = Stream<V>(part.gradient + i) * scale + theta * decay;
    const V m_now = Stream<V>(first + j) * beta1 + g * share1;
    const V v_now = Stream<V>(second + j) * beta2 + g * g * share2;
    const V step = m_now / correction1 / (Root(v_now / correction2) + epsilon) + theta * shrink;
    Put(m + j, m_now);
    Put(v + j, v_now);
    Put(part.next + i, theta - step * rate);
  });
}

}  // namespace zoo
