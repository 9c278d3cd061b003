// Where a convolution's numbers lie.
#pragma once

#include <cstdint>

namespace zoo {

/// Where the filter's numbers lie: that of tap (u, v), channel c and output n at
/// start + u * tap_row + v * tap + c * channel + n * output.
template <typename T>
struct TapsOf {
  T* start;
  int64_t height, width;
  int64_t tap_row, tap, channel, output;
};
using Taps = TapsOf<const float>;

/// Parts of a sum: [first, last).
struct Range {
  int64_t first, last;
};

/// Every stride-th pixel of an image, from (y, x) on: pixel (i, j) is (y + i * stride, x + j * stride) of the image,
/// and 0 where that is outside.
struct Lattice {
  int64_t stride, y, x;
};

}  // namespace zoo
