// Convolutions of 3x3 taps with stride 1, and of 3x3 or 4x4 taps with stride 2, in single precision by Winograd's
// minimal filters. With stride 2 they are four filters of up to 2x2 taps, each for every other row and column.
#pragma once

#include <vector>

#include "conv-window.h"
#include "tensorflow.h"
#include "winograd-correlation.h"
#include "winograd-filter-gradient.h"

namespace zoo {

inline bool IsForWinograd(const ConvWindow& window, int64_t taps_y, int64_t taps_x) {
  const int64_t stride = window.stride_y;
  return window.stride_x == stride && taps_y == taps_x && (taps_y == 3 || (taps_y == 4 && stride == 2)) && stride <= 2;
}

/// Calls body with the taps of a filter, in either direction.
template <typename Body>
void WithTaps(const ConvWindow& window, const Body& body) {
  if (window.stride_y == 1) {
    body(std::integral_constant<int, 3>());
  } else {
    body(std::integral_constant<int, 2>());
  }
}

/// Every stride-th row and column of the image, and the taps that see them, of `size` x `size` in all: T is float or
/// const float.
template <typename T>
void EachPhase(const ConvWindow& window, T* filter, int64_t size, int64_t channels, int64_t outputs,
               std::vector<Lattice>& lattices, std::vector<TapsOf<T>>& sets) {
  const int64_t stride = window.stride_y, tap = channels * outputs, row = size * tap;
  const auto seen = [&](int64_t phase) { return (size - phase + stride - 1) / stride; };
  // In such an order that those which count at a point are neighbours.
  constexpr Lattice kOrder[] = {{2, 1, 0}, {1, 0, 0}, {2, 0, 1}, {2, 1, 1}};
  for (const auto& [from, y, x] : kOrder) {
    if (stride >= from) {
      lattices.push_back({stride, y - window.top, x - window.left});
      sets.push_back({filter + y * row + x * tap, seen(y), seen(x), stride * row, stride * tap, outputs, 1});
    }
  }
}

/// x, filter, bias (or none) -> y
inline void WinogradConv2D(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto x = ShapeOf(input), w = ShapeOf(weights);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(x) && IsImage(w) && w[2] == x[3] &&
                    IsForWinograd(window, w[0], w[1]);
  if (!call.Expect(fits, "a convolution got an image and a filter that do not fit each other")) return;
  std::vector<float> bias;
  if (!ReadBias(call, w[3], bias)) return;
  float* const y = call.Output(0, {x[0], window.rows, window.columns, w[3]});
  if (!call.ok()) return;
  WithTaps(window, [&](auto taps) {
    TiledImages images{Call::Data(input), x[0], x[1], x[2], x[3], {}};
    std::vector<Taps> sets;
    EachPhase<const float>(window, Call::Data(weights), w[0], x[3], w[3], images.lattices, sets);
    Correlate<taps()>(WinogradCorrelation{images, sets, y, window.rows, window.columns, w[3], window.rows,
                                          window.columns, {1, 0, 0}, bias.empty() ? nullptr : bias.data(),
                                          static_cast<bool>(attributes.relu)});
  });
}

/// dy, filter, bias (or none: that of a transposed convolution, which this is) -> dx
inline void WinogradConv2DBackpropInput(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *weights = call.Input(1);
  if (!call.ok()) return;
  const auto dy = ShapeOf(gradient), w = ShapeOf(weights);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(dy) && IsImage(w) && w[3] == dy[3] &&
                    IsForWinograd(window, w[0], w[1]);
  if (!call.Expect(fits, "a convolution got a gradient and a filter that do not fit each other")) return;
  std::vector<float> bias;
  if (!ReadBias(call, w[2], bias)) return;
  float* const dx = call.Output(0, {dy[0], window.rows, window.columns, w[2]});
  if (!call.ok()) return;
  const int64_t stride = window.stride_y, tap = w[2] * w[3], row = w[1] * tap;
  for (int64_t phase_y = 0; phase_y < stride; phase_y++) {
    const PhaseAxis y(phase_y, window.rows, w[0], stride, window.top);
    for (int64_t phase_x = 0; phase_x < stride; phase_x++) {
      const PhaseAxis x(phase_x, window.columns, w[1], stride, window.left);
      if (y.count <= 0 || x.count <= 0) continue;
      const Taps taps{Call::Data(weights) + y.last_tap * row + x.last_tap * tap, y.taps, x.taps, -stride * row,
                      -stride * tap, 1, w[3]};
      const TiledImages images{Call::Data(gradient), dy[0], dy[1], dy[2], dy[3], {{1, -y.before, -x.before}}};
      const WinogradCorrelation job{images, {taps}, dx, window.rows, window.columns, w[2], y.count, x.count,
                                    {stride, y.first, x.first}, bias.empty() ? nullptr : bias.data(),
                                    static_cast<bool>(attributes.relu)};
      WithTaps(window, [&](auto taps_of) { Correlate<taps_of()>(job); });
    }
  }
}

/// x, dy -> the filter's gradient
inline void WinogradConv2DBackpropFilter(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *gradient = call.Input(1);
  if (!call.ok()) return;
  const auto x = ShapeOf(input), dy = ShapeOf(gradient);
  ConvWindow window;
  const bool fits = window.Read(attributes) && IsImage(x) && IsImage(dy) && x[0] == dy[0] &&
                    IsForWinograd(window, window.rows, window.columns);
  if (!call.Expect(fits, "a convolution got an image and a gradient that do not fit each other")) return;
  float* const dw = call.Output(0, {window.rows, window.columns, x[3], dy[3]});
  if (!call.ok()) return;
  WithTaps(window, [&](auto taps) {
    TiledImages images{Call::Data(input), x[0], x[1], x[2], x[3], {}};
    std::vector<TapsOf<float>> sets;
    EachPhase<float>(window, dw, window.rows, x[3], dy[3], images.lattices, sets);
    const WinogradFilterGradient job{images, Call::Data(gradient), dy[1], dy[2], dy[3], sets};
    WinogradFilterGradientLoop<taps()>(job).Compute();
  });
}

}  // namespace zoo
