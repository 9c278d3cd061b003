// A matrix's columns as products on vectors read them, and rows times such columns, in single precision.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "transpose.h"
#include "vectors.h"

namespace zoo {

/// Numbers at from[i * row + j * column]: a matrix or its transpose.
struct Strided {
  const float* from;
  int64_t row, column;

  const float* At(int64_t i, int64_t j) const { return from + i * row + j * column; }
};

/// A panel has so many vectors side by side, and meets so many rows at once: their sums, a vector of the panel and a
/// number of the rows fit the registers.
constexpr int64_t kPanelRows = 6;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int64_t kPanelBlocks = 4;  // 32 registers
#else
constexpr int64_t kPanelBlocks = 2;  // 16
#endif

/// Lays out [depth, wide] numbers, wide a multiple of a vector's, of which the first `given` columns are there.
inline void PackPanel(Strided matrix, int64_t depth, int64_t wide, int64_t given, float* panel) {
  int64_t k = 0;
#if defined(__AVX512F__)
  if (matrix.row == 1 && given == wide) {
    for (; k + kLanes <= depth; k += kLanes) {
      for (int64_t j = 0; j < wide; j += kLanes) {
        __m512i words[kLanes];
        for (int i = 0; i < kLanes; i++) words[i] = _mm512_loadu_si512(matrix.At(k, j + i));
        Transpose(words);
        for (int i = 0; i < kLanes; i++) _mm512_storeu_si512(panel + (k + i) * wide + j, words[i]);
      }
    }
  }
#endif
  for (; k < depth; k++) {
    float* const to = panel + k * wide;
    if (matrix.column == 1 && given == wide) {
      for (int64_t j = 0; j < wide; j += kLanes) PutNear(to + j, Get<Lanes>(matrix.At(k, j)));
      continue;
    }
    for (int64_t j = 0; j < given; j++) to[j] = *matrix.At(k, j);
    std::fill(to + given, to + wide, 0.0f);
  }
}

/// Sums of so many rows: what they begin with, and where they go. Of the latter, only so many columns are there.
struct Sums {
  const float* start;
  int64_t start_row;
  float* to;
  int64_t row, columns;
};

/// Adds to sums the products of kRows rows of `depth` numbers with a panel of kBlocks vectors.
template <int kRows, int kBlocks>
__attribute__((noinline)) void AddProducts(Strided rows, const float* panel, int64_t depth, Sums all) {
  Lanes sums[kRows][kBlocks];
  const float* left[kRows];
  for (int i = 0; i < kRows; i++) {
    left[i] = rows.At(i, 0);
    for (int j = 0; j < kBlocks; j++) sums[i][j] = Get<Lanes>(all.start + i * all.start_row + j * kLanes);
  }
  for (int64_t k = 0; k < depth; k++, panel += kBlocks * kLanes) {
    Lanes right[kBlocks];
    for (int j = 0; j < kBlocks; j++) right[j] = Get<Lanes>(panel + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; i++) {
      const float number = *left[i];
      left[i] += rows.column;
#pragma GCC unroll 4
      for (int j = 0; j < kBlocks; j++) sums[i][j] += right[j] * number;
    }
  }
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kBlocks; j++) {
      float* const to = all.to + i * all.row + j * kLanes;
      const int64_t columns = all.columns - j * kLanes;
      if (columns >= kLanes) {
        PutNear(to, sums[i][j]);
      } else if (columns > 0) {
        std::memcpy(to, &sums[i][j], columns * sizeof(float));
      }
    }
  }
}

/// The same for up to kPanelRows rows and kPanelBlocks vectors.
inline void AddProducts(int64_t count, int64_t blocks, Strided rows, const float* panel, int64_t depth,
                        const Sums& sums) {
  const auto add = [&](auto fixed) {
    switch (count) {
#define ZOO_ROWS(n) \
  case n:           \
    return AddProducts<n, fixed()>(rows, panel, depth, sums);
      ZOO_ROWS(1)
      ZOO_ROWS(2)
      ZOO_ROWS(3)
      ZOO_ROWS(4)
      ZOO_ROWS(5)
      ZOO_ROWS(6)
#undef ZOO_ROWS
    }
  };
  switch (blocks) {
    case 1:
      return add(std::integral_constant<int, 1>());
    case 2:
      return add(std::integral_constant<int, 2>());
#if defined(__AVX512F__) || defined(__aarch64__)
    case 3:
      return add(std::integral_constant<int, 3>());
    case 4:
      return add(std::integral_constant<int, 4>());
#endif
  }
}

}  // namespace zoo
