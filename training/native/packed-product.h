// Products with a matrix that stays the same through many of them, as a recurrence's weights do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "panel.h"
#include "threads.h"

namespace zoo {

/// A matrix [depth, columns] in panels, which lie in memory as products read them.
class PackedMatrix {
 public:
  /// Element (k, j) is from[k * row + j * column].
  PackedMatrix(const float* from, int64_t depth, int64_t columns, int64_t row, int64_t column)
      : depth_(depth), width_((columns + kLanes - 1) / kLanes * kLanes) {
    data_.resize(depth * width_ + 64 / sizeof(float));
    const Strided matrix{from, row, column};
    Parallel((width_ + kPanel - 1) / kPanel, depth * kPanel, [&](int, int64_t begin, int64_t end) {
      for (int64_t j = begin * kPanel; j < std::min(end * kPanel, width_); j += kPanel) {
        PackPanel({matrix.At(0, j), row, column}, depth, Wide(j), std::min(kPanel, columns - j), Panel(j));
      }
    });
  }

  /// The columns, filled up to whole vectors.
  int64_t width() const { return width_; }

  /// c = a b, b this matrix: so many rows of `depth` numbers, `stride` apart, into as many of width() numbers.
  void Multiply(const float* a, int64_t stride, int64_t rows, float* c) const {
    static constexpr float kZeros[kPanel] = {};
    for (int64_t j = 0; j < width_; j += kPanel) {
      AddProducts(rows, Wide(j) / kLanes, {a, stride, 1}, Panel(j), depth_, {kZeros, 0, c + j, width_, width_ - j});
    }
  }

  PackedMatrix(const PackedMatrix&) = delete;  // its rows lie where its own memory has cache lines

 private:
  static constexpr int64_t kPanel = kPanelBlocks * kLanes;

  /// How wide the panel is that begins with column j.
  int64_t Wide(int64_t j) const { return std::min(kPanel, width_ - j); }

  /// It, from the beginning of a cache line.
  const float* Panel(int64_t j) const {
    const uintptr_t at = reinterpret_cast<uintptr_t>(data_.data());
    return data_.data() + (64 - at % 64) % 64 / sizeof(float) + j * depth_;
  }
  float* Panel(int64_t j) { return const_cast<float*>(std::as_const(*this).Panel(j)); }

  int64_t depth_, width_;
  std::vector<float> data_;
};

}  // namespace zoo
