// Convolution of images [images, height, width, channels] with filters [taps_y, taps_x, channels, outputs], and its two
// gradients (models/src/ops/conv2d.ts has the formulas), by tiles
// (matrix-tiles.h).
#pragma once

#include <type_traits>
#include <vector>

#include "conv-window.h"
#include "correlation.h"
#include "filter-gradient.h"
#include "matrix-tiles.h"
#include "tensorflow.h"

#ifdef ZOO_TILES

namespace zoo {

/// Calls body with what the factors have: kParts, of a type's value, and null pointers to the numbers of image and
/// result. Single precision is in single precision throughout; bf16 reads either type, and writes bf16.
template <typename Body>
void WithPrecision([[maybe_unused]] const Attributes& attributes, const TF_Tensor* image, const Body& body) {
#ifdef ZOO_MATRIX_UNIT
  if (!attributes.bf16)
    return body(std::integral_constant<int, 3>(), static_cast<float*>(nullptr), static_cast<float*>(nullptr));
#endif
  WithType(image, [&](auto* type) { body(std::integral_constant<int, 1>(), type, static_cast<Bf16*>(nullptr)); });
}

/// x, filter, bias (or none) -> y
inline void Conv2D(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto x = ShapeOf(input), w = ShapeOf(weights);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(x) && IsImage(w) && w[2] == x[3];
  if (!call.Expect(fits, "a convolution got an image and a filter that do not fit each other")) return;
  const Taps taps{Call::Data(weights), w[0], w[1], w[1] * w[2] * w[3], w[2] * w[3], w[3], 1};
  std::vector<float> bias;
  if (!ReadBias(call, w[3], bias)) return;
  WithPrecision(attributes, input, [&](auto parts, auto* from, auto* to) {
    using X = std::remove_pointer_t<decltype(from)>;
    using Y = std::remove_pointer_t<decltype(to)>;
    Y* y = call.Output<Y>(0, {x[0], window.rows, window.columns, w[3]});
    if (!call.ok()) return;
    Correlation<X, Y> job{
        Call::Data<X>(input), x[0], x[1], x[2], x[3], y, window.rows, window.columns, w[3], window.stride_y,
        window.stride_x,      1,    1,    {}};
    job.phases.push_back({taps, window.top, window.left, window.rows, window.columns, 0, 0});
    job.bias = bias;
    job.relu = attributes.relu;
    Correlate<parts()>(job);
  });
}

/// dy, filter, bias (or none: that of a transposed convolution, which this is) -> dx
inline void Conv2DBackpropInput(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto dy = ShapeOf(gradient), w = ShapeOf(weights);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(dy) && IsImage(w) && w[3] == dy[3];
  if (!call.Expect(fits, "a convolution got a gradient and a filter that do not fit each other")) return;
  std::vector<float> bias;
  if (!ReadBias(call, w[2], bias)) return;
  const int64_t stride_y = window.stride_y, stride_x = window.stride_x;
  const int64_t tap = w[2] * w[3], tap_row = w[1] * tap;
  std::vector<Phase> phases;
  for (int64_t phase_y = 0; phase_y < stride_y; phase_y++) {
    const PhaseAxis y(phase_y, window.rows, w[0], stride_y, window.top);
    for (int64_t phase_x = 0; phase_x < stride_x; phase_x++) {
      const PhaseAxis x(phase_x, window.columns, w[1], stride_x, window.left);
      if (y.count <= 0 || x.count <= 0) continue;
      const bool seen = y.taps > 0 && x.taps > 0;  // others get 0
      const float* start = Call::Data(weights) + (seen ? y.last_tap * tap_row + x.last_tap * tap : 0);
      const Taps taps{start, seen ? y.taps : 0, seen ? x.taps : 0, -stride_y * tap_row, -stride_x * tap, 1, w[3]};
      phases.push_back({taps, seen ? y.before : 0, seen ? x.before : 0, y.count, x.count, y.first, x.first});
    }
  }
  WithPrecision(attributes, gradient, [&](auto parts, auto* from, auto* to) {
    using Dy = std::remove_pointer_t<decltype(from)>;
    using Dx = std::remove_pointer_t<decltype(to)>;
    Dx* dx = call.Output<Dx>(0, {dy[0], window.rows, window.columns, w[2]});
    if (!call.ok()) return;
    Correlate<parts()>(Correlation<Dy, Dx>{Call::Data<Dy>(gradient), dy[0], dy[1], dy[2], dy[3], dx, window.rows,
                                           window.columns, w[2], 1, 1, stride_y, stride_x, phases, bias,
                                           static_cast<bool>(attributes.relu)});
  });
}

/// x, dy -> the filter's gradient, in single precision
inline void Conv2DBackpropFilter(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *gradient = call.Input(1);
  if (!call.ok()) return;
  const auto x = ShapeOf(input), dy = ShapeOf(gradient);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(x) && IsImage(dy) && x[0] == dy[0];
  if (!call.Expect(fits, "a convolution got an image and a gradient that do not fit each other")) return;
  float* dw = call.Output(0, {window.rows, window.columns, x[3], dy[3]});
  if (!call.ok()) return;
  const auto compute = [&](auto parts, auto* image, auto* change) {
    using X = std::remove_pointer_t<decltype(image)>;
    using Dy = std::remove_pointer_t<decltype(change)>;
    ComputeFilterGradient<parts()>(FilterGradient<X, Dy>{
        Call::Data<X>(input), x[0], x[1], x[2], x[3], Call::Data<Dy>(gradient), dy[1], dy[2], dy[3], dw, window.rows,
        window.columns, window.stride_y, window.stride_x, window.top, window.left});
  };
#ifdef ZOO_MATRIX_UNIT
  if (!attributes.bf16)
    return compute(std::integral_constant<int, 3>(), static_cast<float*>(nullptr), static_cast<float*>(nullptr));
#endif
  WithType(input, [&](auto* image) {
    WithType(gradient, [&](auto* change) { compute(std::integral_constant<int, 1>(), image, change); });
  });
}

}  // namespace zoo

#endif
