// ResNet's option A shortcut (He et al. 2016, sec. 3.3), and its gradient.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensorflow.h"
#include "threads.h"

namespace zoo {

/// x [n, h, w, c] -> y [n, ceil(h / s), ceil(w / s), channels]: every s-th pixel, zeros for the new channels
inline void ShortcutA(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  if (!call.Expect(shape.size() == 4 && attributes.stride > 0, "a shortcut got something else than images")) return;
  const int64_t s = attributes.stride, h = shape[1], w = shape[2], c = shape[3], channels = attributes.channels;
  const int64_t rows = (h + s - 1) / s, columns = (w + s - 1) / s, before = (channels - c) / 2;
  if (!call.Expect(channels >= c, "a shortcut can't take channels away")) return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, {shape[0], rows, columns, channels});
    if (!call.ok()) return;
    Parallel(shape[0] * rows, columns * channels, [=](int, int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const T* from = x + ((r / rows) * h + (r % rows) * s) * w * c;
        T* to = y + r * columns * channels;
        std::memset(to, 0, sizeof(T) * columns * channels);
        for (int64_t j = 0; j < columns; j++) {
          std::memcpy(to + j * channels + before, from + j * s * c, sizeof(T) * c);
        }
      }
    });
  });
}

/// dy, x (for its shape) -> dx
inline void ShortcutAGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input), outer = ShapeOf(gradient);
  if (!call.Expect(shape.size() == 4 && outer.size() == 4, "a shortcut got something else than images")) return;
  const int64_t s = attributes.stride, h = shape[1], w = shape[2], c = shape[3];
  const int64_t rows = outer[1], columns = outer[2], channels = outer[3], before = (channels - c) / 2;
  const bool fits =
      outer[0] == shape[0] && s > 0 && rows == (h + s - 1) / s && columns == (w + s - 1) / s && channels >= c;
  if (!call.Expect(fits, "a shortcut got dy and x that do not fit each other")) return;
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* dy = Call::Data<T>(gradient);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Parallel(shape[0] * h, w * c, [=](int, int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        T* to = dx + r * w * c;
        std::memset(to, 0, sizeof(T) * w * c);
        const int64_t i = r % h;
        if (i % s != 0) continue;
        const T* from = dy + ((r / h) * rows + i / s) * columns * channels;
        for (int64_t j = 0; j < columns; j++) {
          std::memcpy(to + j * s * c, from + j * channels + before, sizeof(T) * c);
        }
      }
    });
  });
}

}  // namespace zoo
