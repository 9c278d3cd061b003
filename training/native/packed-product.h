// Products with a matrix that stays the same through many of them, as a recurrence's weights do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "threads.h"
#include "vectors.h"

namespace zoo {

/// A matrix [depth, columns] in panels of 64 columns, which lie in memory as products read them.
class PackedMatrix {
 public:
  /// Element (k, j) is from[k * row + j * column].
  PackedMatrix(const float* from, int64_t depth, int64_t columns, int64_t row, int64_t column)
      : depth_(depth), width_((columns + kLanes - 1) / kLanes * kLanes) {
    data_.resize(depth * width_ + kLanes);
    Parallel((width_ + kPanel - 1) / kPanel, depth * kPanel, [&](int, int64_t begin, int64_t end) {
      for (int64_t j = begin * kPanel; j < std::min(end * kPanel, width_); j += kPanel) {
        const int64_t wide = std::min(kPanel, width_ - j), given = std::min(kPanel, columns - j);
        for (int64_t k = 0; k < depth; k++) {
          float* to = Panel(j) + k * wide;
          for (int64_t i = 0; i < given; i++) to[i] = from[k * row + (j + i) * column];
        }
      }
    });
  }

  /// The columns, filled up to whole vectors.
  int64_t width() const { return width_; }

  /// c = a b, b this matrix: so many rows of `depth` numbers, `stride` apart, into as many of width() numbers.
  void Multiply(const float* a, int64_t stride, int64_t rows, float* c) const {
    for (int64_t j = 0; j < width_; j += kPanel) {
      switch (std::min(kPanel, width_ - j) / kLanes) {
        case 1:
          Rows<1>(a, stride, rows, j, c + j);
          break;
        case 2:
          Rows<2>(a, stride, rows, j, c + j);
          break;
        case 3:
          Rows<3>(a, stride, rows, j, c + j);
          break;
        default:
          Rows<4>(a, stride, rows, j, c + j);
      }
    }
  }

  PackedMatrix(const PackedMatrix&) = delete;  // its rows lie where its own memory has cache lines

 private:
  static constexpr int64_t kPanel = 4 * kLanes;

  /// The panel that begins with column j, from the beginning of a cache line.
  const float* Panel(int64_t j) const {
    const uintptr_t at = reinterpret_cast<uintptr_t>(data_.data());
    return data_.data() + (64 - at % 64) % 64 / sizeof(float) + j * depth_;
  }
  float* Panel(int64_t j) { return const_cast<float*>(std::as_const(*this).Panel(j)); }

  /// All rows with one panel, six at a time: as many sums as fit into registers.
  template <int kBlocks>
  void Rows(const float* a, int64_t stride, int64_t rows, int64_t j, float* c) const {
    int64_t i = 0;
    for (; i + 6 <= rows; i += 6) Tile<6, kBlocks>(a + i * stride, stride, j, c + i * width_);
    switch (rows - i) {
      case 5:
        return Tile<5, kBlocks>(a + i * stride, stride, j, c + i * width_);
      case 4:
        return Tile<4, kBlocks>(a + i * stride, stride, j, c + i * width_);
      case 3:
        return Tile<3, kBlocks>(a + i * stride, stride, j, c + i * width_);
      case 2:
        return Tile<2, kBlocks>(a + i * stride, stride, j, c + i * width_);
      case 1:
        return Tile<1, kBlocks>(a + i * stride, stride, j, c + i * width_);
    }
  }

  template <int kRows, int kBlocks>
  void Tile(const float* a, int64_t stride, int64_t j, float* c) const {
    Lanes sums[kRows][kBlocks] = {};
    const float* panel = Panel(j);
    for (int64_t k = 0; k < depth_; k++, panel += kBlocks * kLanes) {
      Lanes right[kBlocks];
      for (int block = 0; block < kBlocks; block++) right[block] = Get<Lanes>(panel + block * kLanes);
      for (int row = 0; row < kRows; row++) {
        const float left = a[row * stride + k];
        for (int block = 0; block < kBlocks; block++) sums[row][block] += right[block] * left;
      }
    }
    for (int row = 0; row < kRows; row++) {
      for (int block = 0; block < kBlocks; block++) PutNear(c + row * width_ + block * kLanes, sums[row][block]);
    }
  }

  int64_t depth_, width_;
  std::vector<float> data_;
};

}  // namespace zoo
