// One step of stochastic gradient descent with momentum (models/src/ops/sgd-update.ts).
#pragma once

#include <cstdint>
#include <vector>

#include "parts.h"
#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

/// weights, gradients, v, numbers -> weights, v. The numbers: learning rate, decay, momentum, whether it is Nesterov's, and
/// what multiplies the gradients.
inline void Sgd(void*, TF_OpKernelContext* context) {
  Call call(context);
  const std::vector<Part> parts = PartsOf(call, 1, 5);
  if (!call.ok()) return;
  const int count = static_cast<int>(parts.size());
  const TF_Tensor* velocity = call.Input(2 * count);
  const float *before = Call::Data(velocity), *numbers = Call::Data(call.Input(2 * count + 1));
  const float rate = numbers[0], decay = numbers[1], momentum = numbers[2], scale = numbers[4];
  // The direction: v, or g + momentum v.
  const bool nesterov = numbers[3] != 0;
  const float of_g = nesterov ? 1.0f : 0.0f, of_v = nesterov ? momentum : 1.0f;
  float* v = call.Output(count, ShapeOf(velocity));
  if (!call.ok()) return;
  EachPart(parts, [=](auto zero, const Part& part, int64_t i, int64_t j) {
    using V = decltype(zero);
    const V theta = Stream<V>(part.weights + i), g = Stream<V>(part.gradient + i) * scale + theta * decay;
    const V v_now = Stream<V>(before + j) * momentum + g;
    Put(v + j, v_now);
    Put(part.next + i, theta - (g * of_g + v_now * of_v) * rate);
  });
}

}  // namespace zoo
