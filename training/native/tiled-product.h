// The same products on the matrix unit (see packed-product.h), in single precision or in bf16.
#pragma once

#include "matrix-tiles.h"

#ifdef ZOO_MATRIX_UNIT

#include <algorithm>
#include <cstdint>

#include "correlation.h"

namespace zoo {

/// A matrix [depth, columns] as right factors; element (k, j) is from[k * row + j * column].
template <int kParts>
class TiledMatrix {
 public:
  TiledMatrix(const float* from, int64_t depth, int64_t columns, int64_t row, int64_t column)
      : depth_(depth), taps_({from, 1, 1, 0, 0, row, column}, depth, columns) {}

  int64_t width() const { return taps_.blocks() * kTileColumns; }

  /// c = a b, b this matrix: so many rows of `depth` numbers, `stride` apart, into as many of width() numbers.
  void Multiply(const float* a, int64_t stride, int64_t rows, float* c) {
    if (rows == 0) return;
    const int64_t tiles = (rows + kTileRows - 1) / kTileRows, high = (rows + tiles - 1) / tiles;
    static thread_local Scratch scratch;
    const int64_t across = taps_.chunks() * kTileDepth, part = tiles * high * across;
    Bf16* const left = scratch.Room<Bf16>(kParts * part);
    for (int64_t i = 0; i < rows; i++) Split(a + i * stride, left + i * across, part);
    Tiles sums(static_cast<int>(high));
    for (int64_t block = 0; block < taps_.blocks(); block++) {
      for (int64_t tile = 0; tile < tiles; tile += 4) {
        const int64_t first = tile * high;
        Left factor{{}, across * static_cast<int64_t>(sizeof(Bf16)), part, static_cast<int>(high)};
        for (int64_t t = 0; t < 4; t++) factor.at[t] = left + std::min(tile + t, tiles - 1) * high * across;
        switch (tiles - tile) {
          case 1:
            Sum<1>(sums, block, factor);
            break;
          case 2:
            Sum<2>(sums, block, factor);
            break;
          case 3:
            Sum<3>(sums, block, factor);
            break;
          default:
            Sum<4>(sums, block, factor);
        }
        float* const to = c + first * width() + block * kTileColumns;
        StoreRows<0>(sums, to, high, rows - first);
        StoreRows<1>(sums, to, high, rows - first);
        StoreRows<2>(sums, to, high, rows - first);
        StoreRows<3>(sums, to, high, rows - first);
      }
    }
  }

 private:
  /// A row in its parts, filled up with zeros to whole tiles.
  void Split(const float* from, Bf16* to, int64_t part) const {
    for (int64_t k = 0; k < depth_; k += kTileDepth) {
      const auto a = Parts<kParts>::Load(from + k, FirstLanes(depth_ - k));
      const auto b = Parts<kParts>::Load(from + k + 16, FirstLanes(depth_ - k - 16));
      for (int p = 0; p < kParts; p++) _mm512_storeu_si512(to + p * part + k, Join(a.part[p], b.part[p]));
    }
  }

  /// The products of so many left tiles with a block of columns.
  template <int kCount>
  void Sum(Tiles& sums, int64_t block, Left left) {
    Right right{taps_.Panel(block), kTileSize, kTileDepth};
    sums.ClearSums();
    for (int64_t k = 0; k < taps_.chunks(); k++) {
      sums.LoadRight<kParts>(right);
      sums.MultiplyOne<kParts, 0>(left.at[0], left);
      if constexpr (kCount > 1) sums.MultiplyOne<kParts, 1>(left.at[1], left);
      if constexpr (kCount > 2) sums.MultiplyOne<kParts, 2>(left.at[2], left);
      if constexpr (kCount > 3) sums.MultiplyOne<kParts, 3>(left.at[3], left);
      for (const Bf16*& at : left.at) at += kTileDepth;
      right.at += kParts * kTileSize;
    }
  }

  /// Writes a sum's rows as far as there are any; c begins with those of sum 0.
  template <int kSum>
  void StoreRows(const Tiles& tiles, float* c, int64_t high, int64_t rows) const {
    const int64_t count = std::min(high, rows - kSum * high);
    float* const to = c + kSum * high * width();
    if (count == high) return tiles.Store<kSum>(to, width() * static_cast<int64_t>(sizeof(float)));
    if (count <= 0) return;
    alignas(64) float sums[kTileRows][kTileColumns];
    tiles.Store<kSum>(sums[0], 64);
    for (int64_t row = 0; row < count; row++) StoreRow(to + row * width(), 0xffff, _mm512_load_ps(sums[row]));
  }

  int64_t depth_;
  PackedTaps<kParts> taps_;
};

}  // namespace zoo

#endif
