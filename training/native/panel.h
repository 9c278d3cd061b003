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
/// number of the rows fit the registers. A narrow panel meets twice as many.
constexpr int64_t kPanelRows = 6;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int64_t kPanelBlocks = 4;  // 32 registers
#else
constexpr int64_t kPanelBlocks = 2;  // 16
#endif

/// Rows that a panel of so many vectors meets at once.
constexpr int64_t RowsAtOnce(int64_t blocks) { return 2 * blocks <= kPanelBlocks ? 2 * kPanelRows : kPanelRows; }

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

/// Sums of some rows: what they begin with, and where they go. Of the latter, only so many columns are there.
struct Sums {
  const float* start;
  int64_t start_row;
  float* to;
  int64_t row, columns;
};

/// Adds to sums the products of groups of kRows rows of `depth` numbers with a panel of kBlocks vectors.
template <int kRows, int kBlocks>
__attribute__((noinline)) void AddGroups(int64_t groups, Strided rows, const float* panel, int64_t depth, Sums all) {
  const bool whole = all.columns >= kBlocks * kLanes;
  const int64_t row = rows.row, column = rows.column;
  for (int64_t group = 0; group < groups; group++) {
    Lanes sums[kRows][kBlocks];
    const float* left[(kRows + 2) / 3];  // of every third row: an address has room for one or two times a row
#pragma GCC unroll 12
    for (int i = 0; i < kRows; i++) {
      if (i % 3 == 0) left[i / 3] = rows.At(i, 0);
#pragma GCC unroll 4
      for (int j = 0; j < kBlocks; j++) sums[i][j] = Get<Lanes>(all.start + i * all.start_row + j * kLanes);
    }
    const float* from = panel;
    for (int64_t k = 0; k < depth; k++, from += kBlocks * kLanes) {
      Lanes right[kBlocks];
      for (int j = 0; j < kBlocks; j++) right[j] = Get<Lanes>(from + j * kLanes);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; i++) {
        const float number = left[i / 3][i % 3 * row];
#pragma GCC unroll 4
        for (int j = 0; j < kBlocks; j++) sums[i][j] += right[j] * number;
      }
      for (const float*& third : left) third += column;
    }
#pragma GCC unroll 12
    for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
      for (int j = 0; j < kBlocks; j++) {
        float* const to = all.to + i * all.row + j * kLanes;
        if (whole) {
          PutNear(to, sums[i][j]);
        } else if (all.columns > j * kLanes) {
          const Lanes last = sums[i][j];  // sums themselves stay in registers
          std::memcpy(to, &last, std::min<int64_t>(all.columns - j * kLanes, kLanes) * sizeof(float));
        }
      }
    }
    rows.from += kRows * rows.row;
    all.start += kRows * all.start_row;
    all.to += kRows * all.row;
  }
}

/// The same for any number of rows and a panel of kBlocks vectors.
template <int kBlocks>
void AddRows(int64_t count, Strided rows, const float* panel, int64_t depth, Sums sums) {
  constexpr int kRows = RowsAtOnce(kBlocks);
  const int64_t groups = count / kRows, done = groups * kRows;
  if (groups > 0) AddGroups<kRows, kBlocks>(groups, rows, panel, depth, sums);
  rows.from += done * rows.row;
  sums.start += done * sums.start_row;
  sums.to += done * sums.row;
  switch (count - done) {
#define ZOO_ROWS(n)                                                                    \
  case n:                                                                              \
    if constexpr (n < kRows) AddGroups<n, kBlocks>(1, rows, panel, depth, sums); \
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
#undef ZOO_ROWS
  }
}

/// The same for a panel of up to kPanelBlocks vectors.
inline void AddProducts(int64_t count, int64_t blocks, Strided rows, const float* panel, int64_t depth,
                        const Sums& sums) {
  switch (blocks) {
    case 1:
      return AddRows<1>(count, rows, panel, depth, sums);
    case 2:
      return AddRows<2>(count, rows, panel, depth, sums);
#if defined(__AVX512F__) || defined(__aarch64__)
    case 3:
      return AddRows<3>(count, rows, panel, depth, sums);
    case 4:
      return AddRows<4>(count, rows, panel, depth, sums);
#endif
  }
}

}  // namespace zoo
