// Tiles on vectors of 512 bits, in bf16: a row of sums is a vector, to which each pair of numbers of the left factor adds
// its multiple of a pair of rows of the right one. That is twice as fast as f32, in which TensorFlow's own
// convolutions are as fast as the processor can be.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "factors.h"

namespace zoo {

/// Tiles in sequence that are multiplied at once: those of the right factor stay in the first cache.
constexpr int64_t kTilesAtOnce = 8;

/// Whether to lay out factors costs little beside their product.
constexpr bool kCheapLayouts = true;

/// Whether so many tiles of so many rows cost less than others: their rows take the time, and each tile that of two.
inline bool IsCheaper(int64_t tiles, int64_t rows, int64_t other_tiles, int64_t other_rows) {
  return tiles * (rows + 2) < other_tiles * (other_rows + 2);
}

/// There is nothing to ask for.
inline bool RequestTiles() { return true; }

/// This thread's sums: four tiles of so many rows.
class Tiles {
 public:
  explicit Tiles(int rows) : rows_(rows) {}
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  void ClearSums() { std::memset(sums_, 0, sizeof(sums_)); }

  /// Lets every row of all sums start with these 16 numbers.
  void StartSums(const float* row) {
    const __m512 start = _mm512_loadu_ps(row);
    for (auto& tile : sums_) {
      for (auto& sum : tile) _mm512_store_ps(sum, start);
    }
  }

  template <int kParts>
  void LoadRight(const Right& right) {
    right_ = right.at;
    depth_ = right.depth;
  }

  /// Adds to sum kSum the product of a left tile with the right one that was loaded last.
  template <int kParts, int kSum>
  void MultiplyOne(const Bf16* at, const Left& left) {
    static_assert(kParts == 1);
    if (left.stride % kPage != 0 || left.runs != nullptr)
      return Add<1>(left.rows, &sums_[kSum], &at, left.stride, RunsOf(left), right_);
    // Rows a page apart would share eight lines of the first cache.
    constexpr int64_t kDeep = 64;
    alignas(64) Bf16 copy[kTileRows][kDeep];
    const Bf16* const row_0 = copy[0];
    for (int64_t k = 0; k < depth_; k += kDeep) {
      const int64_t deep = std::min(kDeep, depth_ - k);
      for (int row = 0; row < left.rows; row++)
        std::memcpy(copy[row], at + row * left.stride / static_cast<int64_t>(sizeof(Bf16)) + k, deep * sizeof(Bf16));
      Add<1>(left.rows, &sums_[kSum], &row_0, sizeof(copy[0]), OneRun(deep), right_ + k * kTileColumns);
    }
  }

  /// Adds to all sums the products of the left tiles with a right one. Of few rows, several tiles go together: a sum
  /// takes an addition's time until the next can be added to it, and there must be others meanwhile.
  template <int kParts>
  void MultiplyAll(const Left& left, const Right& right) {
    LoadRight<kParts>(right);
    if (left.rows <= 4 && left.stride % kPage != 0)
      return Add<4>(left.rows, sums_, left.at, left.stride, RunsOf(left), right_);
    if (left.rows <= 8 && left.stride % kPage != 0) {
      Add<2>(left.rows, sums_, left.at, left.stride, RunsOf(left), right_);
      return Add<2>(left.rows, sums_ + 2, left.at + 2, left.stride, RunsOf(left), right_);
    }
    MultiplyOne<kParts, 0>(left.at[0], left);
    MultiplyOne<kParts, 1>(left.at[1], left);
    MultiplyOne<kParts, 2>(left.at[2], left);
    MultiplyOne<kParts, 3>(left.at[3], left);
  }

  /// Adds the products of left tile 0 with two right ones to sums 0 and 1, of left tile 1 to sums 2 and 3.
  template <int kParts>
  void MultiplyPairs(const Left& left, const Right& first, const Right& second) {
    LoadRight<kParts>(first);
    MultiplyOne<kParts, 0>(left.at[0], left);
    MultiplyOne<kParts, 2>(left.at[1], left);
    LoadRight<kParts>(second);
    MultiplyOne<kParts, 1>(left.at[0], left);
    MultiplyOne<kParts, 3>(left.at[1], left);
  }

  /// Writes sum kSum to rows so many bytes apart.
  template <int kSum>
  void Store(float* to, int64_t stride) const {
    for (int row = 0; row < rows_; row++) {
      _mm512_storeu_ps(to, _mm512_load_ps(sums_[kSum][row]));
      to += stride / static_cast<int64_t>(sizeof(float));
    }
  }

  /// Adds sum kSum to 16 rows of 16 numbers.
  template <int kSum>
  void AddTo(float* to) const {
    for (int row = 0; row < rows_; row++, to += kTileColumns)
      _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), _mm512_load_ps(sums_[kSum][row])));
  }

 private:
  static constexpr int64_t kPage = 4096;

  using Sum = float[kTileRows][kTileColumns];

  /// So many runs that lie as `runs` says.
  struct Reading {
    Runs runs;
    int64_t count;
  };

  static Reading OneRun(int64_t size) {
    static constexpr int64_t kStart = 0;
    return {{&kStart, size, size}, 1};
  }

  /// How the left factor's rows are read, which are as deep as the right factor.
  Reading RunsOf(const Left& left) const {
    return left.runs == nullptr ? OneRun(depth_) : Reading{*left.runs, depth_ / left.runs->size};
  }

  /// Adds to the sums of kTiles tiles the products of so many rows of each, `stride` bytes apart, with as many rows of
  /// 16 as they have numbers.
  template <int kTiles>
  static void Add(int rows, Sum* to, const Bf16* const* left, int64_t stride, Reading reading, const Bf16* right) {
    switch (rows) {
#define ZOO_ROWS(count)                                                                             \
  case count:                                                                                       \
    if constexpr (count * kTiles <= kTileRows) Add<count, kTiles>(to, left, stride, reading, right); \
    return;
      ZOO_ROWS(1)
      ZOO_ROWS(2)
      ZOO_ROWS(3)
      ZOO_ROWS(4)
      ZOO_ROWS(5)
      ZOO_ROWS(6)
      ZOO_ROWS(7)
      ZOO_ROWS(8)
      ZOO_ROWS(9)
      ZOO_ROWS(10)
      ZOO_ROWS(11)
      ZOO_ROWS(12)
      ZOO_ROWS(13)
      ZOO_ROWS(14)
      ZOO_ROWS(15)
      ZOO_ROWS(16)
#undef ZOO_ROWS
    }
  }

  template <int kRows, int kTiles>
  static __attribute__((noinline)) void Add(Sum* to, const Bf16* const* left, int64_t stride, Reading reading,
                                            const Bf16* right) {
    __m512 sums[kTiles][kRows];
#pragma GCC unroll 4
    for (int tile = 0; tile < kTiles; tile++) {
#pragma GCC unroll 16
      for (int row = 0; row < kRows; row++) sums[tile][row] = _mm512_load_ps(to[tile][row]);
    }
    for (int64_t run = 0; run < reading.count; run++) {
      // Rows are addressed from every fourth, since there are not registers for all.
      constexpr int kFourths = (kRows + 3) / 4;
      const char* from[kTiles][kFourths];
#pragma GCC unroll 4
      for (int tile = 0; tile < kTiles; tile++) {
        const Bf16* const first = left[tile] + reading.runs.at[run];
#pragma GCC unroll 4
        for (int i = 0; i < kFourths; i++) from[tile][i] = reinterpret_cast<const char*>(first) + 4 * i * stride;
      }
      for (int64_t k = 0; k < reading.runs.size; k += 2) {
        const auto both = reinterpret_cast<__m512bh>(_mm512_loadu_si512(right));
        right += 2 * kTileColumns;
#pragma GCC unroll 4
        for (int tile = 0; tile < kTiles; tile++) {
#pragma GCC unroll 16
          for (int i = 0; i < kRows; i++) {
            int32_t pair;
            std::memcpy(&pair, from[tile][i / 4] + i % 4 * stride, sizeof(pair));
            sums[tile][i] = _mm512_dpbf16_ps(sums[tile][i], reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)), both);
          }
#pragma GCC unroll 4
          for (const char*& at : from[tile]) at += sizeof(int32_t);
        }
      }
      right += (reading.runs.apart - reading.runs.size) * kTileColumns;
    }
#pragma GCC unroll 4
    for (int tile = 0; tile < kTiles; tile++) {
#pragma GCC unroll 16
      for (int row = 0; row < kRows; row++) _mm512_store_ps(to[tile][row], sums[tile][row]);
    }
  }

  alignas(64) float sums_[4][kTileRows][kTileColumns];
  const Bf16* right_ = nullptr;
  int64_t depth_ = 0;
  int rows_;
};

}  // namespace zoo
