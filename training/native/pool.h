// Pooling over windows of images, and over whole images, with gradients.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "batch-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Images [images, height, width, channels] and windows of `tall` x `wide` pixels, as many as `rows` x `columns`.
struct Pooling {
  int64_t images, height, width, channels;
  int64_t tall, wide, stride_y, stride_x, top, left;
  int64_t rows, columns;

  /// Pixels of window (i, j): rows [begin_y, end_y) and columns [begin_x, end_x), without those outside of the image.
  struct Window {
    int64_t begin_y, end_y, begin_x, end_x;
  };
  bool Whole(const Window& window) const {
    return window.end_y - window.begin_y == tall && window.end_x - window.begin_x == wide;
  }
  Window At(int64_t i, int64_t j) const {
    const int64_t y = i * stride_y - top, x = j * stride_x - left;
    return {std::max<int64_t>(y, 0), std::min(y + tall, height), std::max<int64_t>(x, 0), std::min(x + wide, width)};
  }

  std::vector<int64_t> OutputShape() const { return {images, rows, columns, channels}; }

  /// Whether no pixel belongs to two windows.
  bool Apart() const { return stride_y >= tall && stride_x >= wide; }
};

/// @returns whether the op's attributes and the image's shape make sense together
inline bool ReadPooling(const Attributes& attributes, const std::vector<int64_t>& shape, Pooling& pooling) {
  for (const auto* pair : {&attributes.size, &attributes.strides, &attributes.padding}) {
    if (pair->size() != 2) return false;
  }
  if (shape.size() != 4) return false;
  Pooling& p = pooling;
  p = {shape[0],
       shape[1],
       shape[2],
       shape[3],
       attributes.size[0],
       attributes.size[1],
       attributes.strides[0],
       attributes.strides[1],
       attributes.padding[0],
       attributes.padding[1],
       0,
       0};
  if (p.tall <= 0 || p.wide <= 0 || p.stride_y <= 0 || p.stride_x <= 0 || p.top < 0 || p.left < 0) return false;
  if (p.height + 2 * p.top < p.tall || p.width + 2 * p.left < p.wide) return false;
  p.rows = (p.height + 2 * p.top - p.tall) / p.stride_y + 1;
  p.columns = (p.width + 2 * p.left - p.wide) / p.stride_x + 1;
  return true;
}

/// Calls body(V(), channel) for all channels: with V = Lanes for a vector of them at a time, with float for the rest.
template <typename Body>
void ForChannels(int64_t channels, const Body& body) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) body(Lanes(), c);
  for (; c < channels; c++) body(float(), c);
}

/// Calls body(window, output pixel) for every window of every image.
template <typename Body>
void ForWindows(const Pooling& p, const Body& body) {
  Parallel(p.images, p.rows * p.columns * p.channels * p.tall * p.wide, [&](int, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      for (int64_t i = 0; i < p.rows; i++) {
        for (int64_t j = 0; j < p.columns; j++) body(n, p.At(i, j), ((n * p.rows + i) * p.columns + j) * p.channels);
      }
    }
  });
}

/// What pixels outside of an image are to a maximum (models/src/ops/max-pool2d.ts).
constexpr float kLowest = -3.4e38f;

/// x -> y, the largest of every window, or its mean, to which pixels outside are 0
template <bool kMean>
void Pool(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  Pooling p;
  if (!call.Expect(ReadPooling(*static_cast<Attributes*>(raw), ShapeOf(input), p), "a pool does not fit its image"))
    return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, p.OutputShape());
    if (!call.ok()) return;
    const float share = 1.0f / static_cast<float>(p.tall * p.wide);
    ForWindows(p, [&](int64_t n, const Pooling::Window& window, int64_t to) {
      ForChannels(p.channels, [&](auto zero, int64_t c) {
        using V = decltype(zero);
        const float least = p.Whole(window) ? -std::numeric_limits<float>::infinity() : kLowest;
        V value = kMean ? zero : zero + least;
        for (int64_t i = window.begin_y; i < window.end_y; i++) {
          const T* from = x + ((n * p.height + i) * p.width) * p.channels + c;
          for (int64_t j = window.begin_x; j < window.end_x; j++) {
            const V pixel = Get<V>(from + j * p.channels);
            value = kMean ? value + pixel : Above(pixel, value);
          }
        }
        PutNear(y + to + c, kMean ? value * share : value);
      });
    });
  });
}

/// Fills dx with what the windows give to their pixels: share(V(), index) is, for a vector of channels or one of the output at
/// index, a function of the pixel's index in turn.
template <typename T, typename Share>
void Scatter(const Pooling& p, T* dx, const Share& share) {
  const bool apart = p.Apart();
  const int64_t image = p.height * p.width * p.channels;
  Parallel(p.images, image, [&](int, int64_t begin, int64_t end) {
    std::memset(dx + begin * image, 0, sizeof(T) * (end - begin) * image);
  });
  ForWindows(p, [&](int64_t n, const Pooling::Window& window, int64_t at) {
    ForChannels(p.channels, [&](auto zero, int64_t c) {
      using V = decltype(zero);
      auto given = share(zero, at + c);
      for (int64_t i = window.begin_y; i < window.end_y; i++) {
        const int64_t row = ((n * p.height + i) * p.width) * p.channels + c;
        for (int64_t j = window.begin_x; j < window.end_x; j++) {
          const int64_t pixel = row + j * p.channels;
          PutNear(dx + pixel, apart ? given(pixel) : Get<V>(dx + pixel) + given(pixel));
        }
      }
    });
  });
}

/// dy, x, y -> dx: to the first of the largest
inline void MaxPoolGrad(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1), *output = call.Input(2);
  if (!call.ok()) return;
  Pooling p;
  const auto shape = ShapeOf(input);
  const bool fits = ReadPooling(*static_cast<Attributes*>(raw), shape, p) && ShapeOf(gradient) == p.OutputShape() &&
                    ShapeOf(output) == p.OutputShape();
  if (!call.Expect(fits, "a pool's gradient does not fit its image")) return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *dy = Call::Data<T>(gradient), *x = Call::Data<T>(input), *y = Call::Data<T>(output);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Scatter(p, dx, [=](auto zero, int64_t at) {
      using V = decltype(zero);
      const V most = Get<V>(y + at), change = Get<V>(dy + at);
      V open = zero + 1;  // 0 once the largest has been found
      return [=](int64_t pixel) mutable {
        const V hit = Get<V>(x + pixel) == most ? open : zero;
        open -= hit;
        return hit > 0.0f ? change : zero;
      };
    });
  });
}

/// dy, x (for its shape) -> dx
inline void AvgPoolGrad(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1);
  if (!call.ok()) return;
  Pooling p;
  const auto shape = ShapeOf(input);
  const bool fits = ReadPooling(*static_cast<Attributes*>(raw), shape, p) && ShapeOf(gradient) == p.OutputShape();
  if (!call.Expect(fits, "a pool's gradient does not fit its image")) return;
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* dy = Call::Data<T>(gradient);
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    const float part = 1.0f / static_cast<float>(p.tall * p.wide);
    Scatter(p, dx, [=](auto zero, int64_t at) {
      const auto change = Get<decltype(zero)>(dy + at) * part;
      return [=](int64_t) { return change; };
    });
  });
}

/// x [images, height, width, channels] -> the mean of every channel of every image [images, channels], in f32
inline void MeanPixels(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  if (!call.Expect(shape.size() == 4 && CountOf(shape) > 0, "a mean of pixels got no image")) return;
  const int64_t pixels = shape[1] * shape[2], channels = shape[3];
  float* y = call.Output(0, {shape[0], channels});
  if (!call.ok()) return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    Parallel(shape[0], pixels * channels, [&](int, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) {
        ForChannels(channels, [&](auto zero, int64_t c) {
          using V = decltype(zero);
          V sum = zero;
          for (int64_t i = 0; i < pixels; i++) sum += Get<V>(x + (n * pixels + i) * channels + c);
          PutNear(y + n * channels + c, sum / (zero + static_cast<float>(pixels)));
        });
      }
    });
  });
}

/// dy [images, channels], x (for its shape and type) -> dx
inline void MeanPixelsGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  const bool fits = shape.size() == 4 && CountOf(shape) > 0 && CountOf(ShapeOf(gradient)) == shape[0] * shape[3];
  if (!call.Expect(fits, "the gradient of a mean of pixels does not fit its image")) return;
  const int64_t pixels = shape[1] * shape[2], channels = shape[3];
  const float* dy = Call::Data(gradient);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    T* dx = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Parallel(shape[0], pixels * channels, [&](int, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++) {
        ForChannels(channels, [&](auto zero, int64_t c) {
          using V = decltype(zero);
          const V share = Get<V>(dy + n * channels + c) / (zero + static_cast<float>(pixels));
          for (int64_t i = 0; i < pixels; i++) PutNear(dx + (n * pixels + i) * channels + c, share);
        });
      }
    });
  });
}

/// x [..., channels] -> the sum of every channel, in f32
inline void SumPixels(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* input = call.Input(0);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  if (!call.Expect(!shape.empty() && CountOf(shape) > 0, "a sum of pixels got no image")) return;
  const int channels = static_cast<int>(shape.back());
  float* y = call.Output(0, {channels});
  if (!call.ok()) return;
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    const auto sums = SumChannels(channels, CountOf(shape) / channels, [x](auto zero, int64_t i, int, auto& a, auto&) {
      using V = decltype(zero);
      a += Stream<V>(x + i);
    });
    for (int c = 0; c < channels; c++) y[c] = static_cast<float>(sums[c]);
  });
}

}  // namespace zoo
