// A factor for each channel (models/src/ops/layer-scale.ts), and its gradients.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "batch-norm.h"
#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

/// x, gamma -> gamma x
inline void LayerScale(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *input = call.Input(0), *scales = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  if (!call.Expect(channels > 0 && CountOf(ShapeOf(scales)) == channels, "layer scale got factors of another size"))
    return;
  const Folded folded(channels, CountOf(shape) / channels);
  const std::vector<float> repeated = folded.Repeat(Call::Data(scales));
  const float* gamma = repeated.data();
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    folded.Each([=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      Put(y + i, Stream<V>(x + i) * Get<V>(gamma + c));
    });
  });
}

/// dy, x, gamma -> gamma dy, the sum of x dy
inline void LayerScaleGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1), *scales = call.Input(2);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  const bool fits = channels > 0 && ShapeOf(gradient) == shape && CountOf(ShapeOf(scales)) == channels;
  if (!call.Expect(fits, "layer scale's gradient got tensors that do not fit each other")) return;
  const Folded folded(channels, CountOf(shape) / channels);
  const std::vector<float> repeated = folded.Repeat(Call::Data(scales));
  const float* gamma = repeated.data();
  float* dgamma = call.Output(1, {channels});
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *dy = Call::Data<T>(gradient), *x = Call::Data<T>(input);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    const auto sums = folded.Sum([=](auto zero, int64_t i, int, auto& a, auto&) {
      using V = decltype(zero);
      a += Stream<V>(dy + i) * Stream<V>(x + i);
    });
    for (int c = 0; c < channels; c++) dgamma[c] = static_cast<float>(sums[c]);
    folded.Each([=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      Put(dx + i, Stream<V>(dy + i) * Get<V>(gamma + c));
    });
  });
}

}  // namespace zoo
