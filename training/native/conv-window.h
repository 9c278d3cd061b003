// What the convolutions' three ops are told, whatever computes them.
#pragma once

#include <cstdint>
#include <vector>

#include "tensorflow.h"

namespace zoo {

/// What the three ops share: strides, zeros before the first row and column, and the one size that the inputs do not
/// tell, (height, width) of the result.
struct ConvWindow {
  int64_t stride_y, stride_x, top, left, rows, columns;

  /// @returns false where an attribute is missing or out of range
  bool Read(const Attributes& attributes) {
    for (const auto* pair : {&attributes.strides, &attributes.padding, &attributes.size}) {
      if (pair->size() != 2) return false;
    }
    stride_y = attributes.strides[0];
    stride_x = attributes.strides[1];
    top = attributes.padding[0];
    left = attributes.padding[1];
    rows = attributes.size[0];
    columns = attributes.size[1];
    return stride_y > 0 && stride_x > 0 && top >= 0 && left >= 0 && rows > 0 && columns > 0;
  }
};

inline bool IsImage(const std::vector<int64_t>& shape) {
  return shape.size() == 4 && shape[1] > 0 && shape[2] > 0 && shape[3] > 0;
}

/// The third input, if there is one, filled up to whole tiles and vectors. @returns false where it does not fit the
/// outputs
inline bool ReadBias(Call& call, int64_t outputs, std::vector<float>& bias) {
  if (call.inputs() <= 2) return true;
  const TF_Tensor* biases = call.Input(2);
  if (!call.ok() || !call.Expect(CountOf(ShapeOf(biases)) == outputs, "a convolution got a bias of another size"))
    return false;
  bias.assign(Call::Data(biases), Call::Data(biases) + outputs);
  bias.resize((outputs + 15) / 16 * 16, 0.0f);
  return true;
}

/// One direction of the input pixels that are the same number of steps from the tap that sees them: every stride-th,
/// from `first` on. They are a correlation of dy, by every stride-th tap, last tap first.
struct PhaseAxis {
  int64_t first, count, taps, last_tap, before;

  PhaseAxis(int64_t phase, int64_t size, int64_t all_taps, int64_t stride, int64_t padding) {
    first = ((phase - padding) % stride + stride) % stride;
    count = (size - first + stride - 1) / stride;
    taps = phase < all_taps ? (all_taps - phase + stride - 1) / stride : 0;
    last_tap = phase + stride * (taps - 1);
    before = taps - 1 - (first + padding - phase) / stride;
  }
};

}  // namespace zoo
