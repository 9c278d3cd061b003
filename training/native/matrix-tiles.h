// Sums of products of matrices by tiles of 16 x 16, in bf16 and in single precision: on the processor's matrix unit where
// it has one, in bf16 alone on vectors of 512 bits.
//
// kParts is 3 for single precision throughout, and 1 for bf16.
#pragma once

#include "scratch.h"
#include "vectors.h"

#if defined(__linux__) && defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(ZOO_BF16)
#define ZOO_TILES 1
#define ZOO_MATRIX_UNIT 1
#include "matrix-unit.h"
#elif defined(ZOO_BF16) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define ZOO_TILES 1
#include "vector-unit.h"
#endif

#ifdef ZOO_TILES

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace zoo {

/// 16 numbers in their parts, largest first, each in the high half of 32 bits. Of three parts, each has the next eight
/// digits; one part is rounded.
template <int kParts>
struct Parts {
  __m512i part[kParts];

  Parts() {
    for (__m512i& p : part) p = _mm512_setzero_si512();
  }

  explicit Parts(__m512 x) {
    if constexpr (kParts == 1) {
      part[0] = _mm512_slli_epi32(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x))), 16);
    } else {
      for (__m512i& p : part) {
        p = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(static_cast<int>(0xffff0000)));
        x = _mm512_sub_ps(x, _mm512_castsi512_ps(p));
      }
    }
  }

  static Parts Load(const float* from, __mmask16 valid) { return Parts(_mm512_maskz_loadu_ps(valid, from)); }

  /// A bf16 number is its own first part.
  static Parts Load(const Bf16* from, __mmask16 valid) {
    Parts parts;
    parts.part[0] = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(valid, from)), 16);
    return parts;
  }
};

/// Two rows of a right factor as its tile holds them: number by number, that of the even row first.
inline __m512i Interleave(__m512i even, __m512i odd) { return _mm512_or_si512(_mm512_srli_epi32(even, 16), odd); }

/// The same straight from memory, in parts of `part` numbers.
template <int kParts, typename T>
inline void StoreInterleaved(Bf16* to, int64_t part, const T* even, const T* odd, __mmask16 valid_even,
                             __mmask16 valid_odd) {
  if constexpr (std::is_same_v<T, Bf16>) {
    static_assert(kParts == 1);
    alignas(64) static constexpr uint16_t kInTurn[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                         8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi16(valid_even, even)),
                                            _mm256_maskz_loadu_epi16(valid_odd, odd), 1);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_load_si512(kInTurn), both));
  } else {
    const auto a = Parts<kParts>::Load(even, valid_even), b = Parts<kParts>::Load(odd, valid_odd);
    for (int p = 0; p < kParts; p++) _mm512_storeu_si512(to + p * part, Interleave(a.part[p], b.part[p]));
  }
}

/// 32 numbers in sequence.
inline __m512i Join(__m512i first, __m512i second) {
  alignas(64) static constexpr uint16_t kHighHalves[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                           23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                           45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  return _mm512_permutex2var_epi16(first, _mm512_load_si512(kHighHalves), second);
}

inline __mmask16 FirstLanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << (count < 0 ? 0 : count)) - 1);
}

/// Rounds 16 numbers to the output's type.
inline void StoreRow(float* to, __mmask16 valid, __m512 row) { _mm512_mask_storeu_ps(to, valid, row); }
inline void StoreRow(Bf16* to, __mmask16 valid, __m512 row) {
  _mm256_mask_storeu_epi16(to, valid, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(row)));
}

/// max(x, 0), and NaN for NaN, or x itself
inline __m512 Activated(__m512 x, bool relu) {
  const __mmask16 below = relu ? _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LE_OQ) : 0;
  return _mm512_mask_mov_ps(x, below, _mm512_setzero_ps());
}

/// Writes the first `rows` and `columns` of the sums of tile kSum, rows `stride` numbers apart.
template <int kSum, typename Y>
inline void StoreSums(const Tiles& tiles, Y* to, int64_t stride, int rows, int64_t columns, bool relu) {
  if constexpr (std::is_same_v<Y, float>) {
    if (columns >= kTileColumns && !relu) {
      tiles.Store<kSum>(to, stride * static_cast<int64_t>(sizeof(float)));
      return;
    }
  }
  alignas(64) float sums[kTileRows][kTileColumns];
  tiles.Store<kSum>(sums[0], 64);
  for (int row = 0; row < rows; row++)
    StoreRow(to + row * stride, FirstLanes(columns), Activated(_mm512_load_ps(sums[row]), relu));
}

}  // namespace zoo

#endif
