// Depthwise convolution of images with filters [taps_y, taps_x, channels, multiplier], and its two gradients
// (models/src/ops/depthwise-conv2d.ts has the formulas).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// The sizes of a depthwise convolution. Filter number o of channels * multiplier sees channel o / multiplier.
struct Depthwise {
  int64_t images, height, width, channels, multiplier, taps_y, taps_x, rows, columns;
  int64_t stride_y, stride_x, top, left, dilation_y, dilation_x;

  /// @param image the input's shape, or the result's where the input is what is computed
  bool Read(const Attributes& attributes, const std::vector<int64_t>& image, const std::vector<int64_t>& filter) {
    for (const auto* pair : {&attributes.strides, &attributes.padding, &attributes.dilation})
      if (pair->size() != 2) return false;
    if (image.size() != 4 || filter.size() != 4 || filter[2] != image[3]) return false;
    images = image[0], height = image[1], width = image[2], channels = image[3];
    taps_y = filter[0], taps_x = filter[1], multiplier = filter[3];
    stride_y = attributes.strides[0], stride_x = attributes.strides[1];
    top = attributes.padding[0], left = attributes.padding[1];
    dilation_y = attributes.dilation[0], dilation_x = attributes.dilation[1];
    if (std::min({stride_y, stride_x, dilation_y, dilation_x}) < 1 || std::min(top, left) < 0) return false;
    rows = Outputs(height, taps_y, stride_y, top, dilation_y);
    columns = Outputs(width, taps_x, stride_x, left, dilation_x);
    return rows > 0 && columns > 0 && channels * multiplier > 0;
  }

  static int64_t Outputs(int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation) {
    return (size + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
  }

  int64_t outputs() const { return channels * multiplier; }

  /// Where the filters' numbers for tap (u, v) begin.
  int64_t Tap(int64_t u, int64_t v) const { return (u * taps_x + v) * outputs(); }

  /// Calls body(V(), o, c) for the filters o and the channels c that they see: a vector of them where that is one each.
  template <typename Body>
  void EachFilter(const Body& body) const {
    int64_t o = 0;
    if (multiplier == 1)
      for (; o + kLanes <= channels; o += kLanes) body(Lanes(), o, o);
    for (; o < outputs(); o++) body(float(), o, o / multiplier);
  }
};

/// x, filter, bias (or none) -> y
inline void DepthwiseConv2D(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *input = call.Input(0), *weights = call.Input(1);
  const TF_Tensor* biases = call.inputs() > 2 ? call.Input(2) : nullptr;
  if (!call.ok()) return;
  Depthwise job;
  const bool fits = job.Read(*static_cast<Attributes*>(raw), ShapeOf(input), ShapeOf(weights)) &&
                    (biases == nullptr || CountOf(ShapeOf(biases)) == job.outputs());
  if (!call.Expect(fits, "a depthwise convolution got an image, a filter and a bias that do not fit each other"))
    return;
  const float *w = Call::Data(weights), *bias = biases == nullptr ? nullptr : Call::Data(biases);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, {job.images, job.rows, job.columns, job.outputs()});
    if (!call.ok()) return;
    const int64_t cost = job.columns * job.outputs() * job.taps_y * job.taps_x;
    Parallel(job.images * job.rows, cost, [&, job](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t image = row / job.rows, first = row % job.rows * job.stride_y - job.top;
        for (int64_t j = 0; j < job.columns; j++) {
          T* to = y + (row * job.columns + j) * job.outputs();
          job.EachFilter([&](auto zero, int64_t o, int64_t c) {
            using V = decltype(zero);
            V sum = bias == nullptr ? zero : Get<V>(bias + o);
            for (int64_t u = 0; u < job.taps_y; u++) {
              const int64_t a = first + u * job.dilation_y;
              if (a < 0 || a >= job.height) continue;
              const T* line = x + (image * job.height + a) * job.width * job.channels + c;
              for (int64_t v = 0; v < job.taps_x; v++) {
                const int64_t b = j * job.stride_x - job.left + v * job.dilation_x;
                if (b >= 0 && b < job.width) sum += Get<V>(line + b * job.channels) * Get<V>(w + job.Tap(u, v) + o);
              }
            }
            PutNear(to + o, sum);
          });
        }
      }
    });
  });
}

/// dy, filter -> dx, of `size` pixels
inline void DepthwiseConv2DBackpropInput(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto dy_shape = ShapeOf(gradient), filter = ShapeOf(weights);
  Depthwise job;
  const bool fits = attributes.size.size() == 2 && dy_shape.size() == 4 && filter.size() == 4 &&
                    job.Read(attributes, {dy_shape[0], attributes.size[0], attributes.size[1], filter[2]}, filter) &&
                    dy_shape[1] == job.rows && dy_shape[2] == job.columns && dy_shape[3] == job.outputs();
  if (!call.Expect(fits, "a depthwise convolution got a gradient and a filter that do not fit each other")) return;
  const float* w = Call::Data(weights);
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* dy = Call::Data<T>(gradient);
    T* dx = call.Output<T>(0, {job.images, job.height, job.width, job.channels});
    if (!call.ok()) return;
    const int64_t cost = job.width * job.outputs() * job.taps_y * job.taps_x;
    Parallel(job.images * job.height, cost, [&, job](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t image = row / job.height, a = row % job.height;
        for (int64_t b = 0; b < job.width; b++) {
          T* to = dx + (row * job.width + b) * job.channels;
          float shared = 0;  // of the filters of one channel, where that has several
          job.EachFilter([&](auto zero, int64_t o, int64_t c) {
            using V = decltype(zero);
            V sum = zero;
            for (int64_t u = 0; u < job.taps_y; u++) {
              const int64_t i = a + job.top - u * job.dilation_y;
              if (i < 0 || i % job.stride_y != 0 || i / job.stride_y >= job.rows) continue;
              const T* line = dy + (image * job.rows + i / job.stride_y) * job.columns * job.outputs() + o;
              for (int64_t v = 0; v < job.taps_x; v++) {
                const int64_t j = b + job.left - v * job.dilation_x;
                if (j < 0 || j % job.stride_x != 0 || j / job.stride_x >= job.columns) continue;
                sum += Get<V>(line + j / job.stride_x * job.outputs()) * Get<V>(w + job.Tap(u, v) + o);
              }
            }
            if constexpr (std::is_same_v<V, float>) {
              shared = o % job.multiplier == 0 ? sum : shared + sum;
              PutNear(to + c, shared);
            } else {
              PutNear(to + c, sum);
            }
          });
        }
      }
    });
  });
}

/// x, dy -> the filter's gradient, of `size` taps, in single precision
inline void DepthwiseConv2DBackpropFilter(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *gradient = call.Input(1);
  if (!call.ok()) return;
  const auto image = ShapeOf(input), dy_shape = ShapeOf(gradient);
  Depthwise job;
  const bool sized = attributes.size.size() == 2 && image.size() == 4 && dy_shape.size() == 4 && image[3] > 0 &&
                     image[0] == dy_shape[0];
  const int64_t multiplier = sized ? dy_shape[3] / image[3] : 0;
  const bool fits = sized &&
                    job.Read(attributes, image, {attributes.size[0], attributes.size[1], image[3], multiplier}) &&
                    dy_shape[1] == job.rows && dy_shape[2] == job.columns && dy_shape[3] == job.outputs();
  if (!call.Expect(fits, "a depthwise convolution got an image and a gradient that do not fit each other")) return;
  float* dw = call.Output(0, {job.taps_y, job.taps_x, job.channels, job.multiplier});
  if (!call.ok()) return;
  const int64_t count = job.taps_y * job.taps_x * job.outputs();
  std::vector<double> parts(static_cast<size_t>(count) * pool->threads(), 0.0);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *x = Call::Data<T>(input), *dy = Call::Data<T>(gradient);
    const int64_t cost = job.rows * job.columns * job.outputs() * job.taps_y * job.taps_x;
    Parallel(job.images, cost, [&, job](int part, int64_t begin, int64_t end) {
      double* const sums = parts.data() + part * count;
      for (int64_t n = begin; n < end; n++) {
        for (int64_t u = 0; u < job.taps_y; u++) {
          for (int64_t v = 0; v < job.taps_x; v++) {
            job.EachFilter([&](auto zero, int64_t o, int64_t c) {
              using V = decltype(zero);
              V sum = zero;  // of one image
              for (int64_t i = 0; i < job.rows; i++) {
                const int64_t a = i * job.stride_y - job.top + u * job.dilation_y;
                if (a < 0 || a >= job.height) continue;
                const T* line = x + (n * job.height + a) * job.width * job.channels + c;
                const T* change = dy + (n * job.rows + i) * job.columns * job.outputs() + o;
                for (int64_t j = 0; j < job.columns; j++) {
                  const int64_t b = j * job.stride_x - job.left + v * job.dilation_x;
                  if (b >= 0 && b < job.width)
                    sum += Get<V>(line + b * job.channels) * Get<V>(change + j * job.outputs());
                }
              }
              constexpr int kWidth = sizeof(V) / sizeof(float);
              float each[kWidth];
              std::memcpy(each, &sum, sizeof(V));
              for (int k = 0; k < kWidth; k++) sums[job.Tap(u, v) + o + k] += each[k];
            });
          }
        }
      }
    });
  });
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int part = 0; part < pool->threads(); part++) sum += parts[part * count + i];
    dw[i] = static_cast<float>(sum);
  }
}

}  // namespace zoo
