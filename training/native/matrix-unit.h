// Tiles on the processor's matrix unit (Intel AMX).
//
// It multiplies bf16 tiles and adds in f32, some fifteen times faster than the vector units multiply f32. A float has
// the digits of three bf16 numbers, x = x₀ + x₁ + x₂, so a product of floats is the sum of the products of their parts.
// The six with i + j ≤ 2 give single precision (the rest is below its rounding), still 2.5 times faster than vectors.
// It is what JAX calls Precision.HIGHEST on a TPU.
#pragma once

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "factors.h"

namespace zoo {

/// Tiles in sequence that are multiplied at once.
constexpr int64_t kTilesAtOnce = 1;

/// Whether to lay out factors costs little beside their product: here it takes longer than the product itself.
constexpr bool kCheapLayouts = false;

/// Whether so many tiles of so many rows cost less than others: they are better full.
inline bool IsCheaper(int64_t tiles, int64_t, int64_t other_tiles, int64_t other_rows) {
  return tiles < other_tiles || other_rows < kTileRows;
}

/// Whether the system has given the unit to this process.
inline bool tiles_granted = false;

/// Asks the system for the unit, once a process. @returns whether there is one
inline bool RequestTiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  tiles_granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return tiles_granted;
}

/// This thread's tiles: 0-3 for sums and 4 for the left factor, all with so many rows; 5-7 for the right factor.
class Tiles {
 public:
  explicit Tiles(int rows) {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int tile = 0; tile < 8; tile++) {
      config.bytes[tile] = 64;
      config.rows[tile] = static_cast<uint8_t>(tile < 5 ? rows : kTileRows);
    }
    Barrier();
    _tile_loadconfig(&config);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  void ClearSums() {
    Barrier();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }

  /// Lets every row of all sums start with these 16 numbers.
  void StartSums(const float* row) {
    Barrier();
    _tile_loadd(0, row, 0);
    _tile_loadd(1, row, 0);
    _tile_loadd(2, row, 0);
    _tile_loadd(3, row, 0);
  }

  template <int kParts>
  ZOO_INLINE void LoadRight(const Right& right) {
    _tile_loadd(5, right.at, 64);
    if constexpr (kParts == 3) {
      _tile_loadd(6, right.at + right.part, 64);
      _tile_loadd(7, right.at + 2 * right.part, 64);
    }
  }

  /// Adds to sum kSum the product of a left tile with the right one that was loaded last.
  template <int kParts, int kSum>
  ZOO_INLINE void MultiplyOne(const Bf16* at, const Left& left) {
    // The instruction's tile must be a literal.
#define ZOO_ADD(sum)                                   \
  if constexpr (kSum == sum) {                         \
    _tile_loadd(4, at, left.stride);                   \
    _tile_dpbf16ps(sum, 4, 5);                         \
    if constexpr (kParts == 3) {                    \
      _tile_dpbf16ps(sum, 4, 6);                       \
      _tile_dpbf16ps(sum, 4, 7);                       \
      _tile_loadd(4, at + left.part, left.stride);     \
      _tile_dpbf16ps(sum, 4, 5);                       \
      _tile_dpbf16ps(sum, 4, 6);                       \
      _tile_loadd(4, at + 2 * left.part, left.stride); \
      _tile_dpbf16ps(sum, 4, 5);                       \
    }                                                  \
  }
    ZOO_ADD(0) ZOO_ADD(1) ZOO_ADD(2) ZOO_ADD(3)
#undef ZOO_ADD
  }

  /// Adds to all sums the products of the left tiles with a right one.
  template <int kParts>
  ZOO_INLINE void MultiplyAll(const Left& left, const Right& right) {
    LoadRight<kParts>(right);
    MultiplyOne<kParts, 0>(left.at[0], left);
    MultiplyOne<kParts, 1>(left.at[1], left);
    MultiplyOne<kParts, 2>(left.at[2], left);
    MultiplyOne<kParts, 3>(left.at[3], left);
  }

  /// Adds the products of left tile 0 with two right ones to sums 0 and 1, of left tile 1 to sums 2 and 3.
  template <int kParts>
  ZOO_INLINE void MultiplyPairs(const Left& left, const Right& first, const Right& second) {
    if constexpr (kParts == 1) {  // half as many tiles to load as products
      _tile_loadd(5, first.at, 64);
      _tile_loadd(6, second.at, 64);
      _tile_loadd(4, left.at[0], left.stride);
      _tile_dpbf16ps(0, 4, 5);
      _tile_dpbf16ps(1, 4, 6);
      _tile_loadd(7, left.at[1], left.stride);
      _tile_dpbf16ps(2, 7, 5);
      _tile_dpbf16ps(3, 7, 6);
    } else {
      LoadRight<kParts>(first);
      MultiplyOne<kParts, 0>(left.at[0], left);
      MultiplyOne<kParts, 2>(left.at[1], left);
      LoadRight<kParts>(second);
      MultiplyOne<kParts, 1>(left.at[0], left);
      MultiplyOne<kParts, 3>(left.at[1], left);
    }
  }

  /// Writes sum kSum to rows so many bytes apart.
  template <int kSum>
  void Store(float* to, int64_t stride) const {
    if constexpr (kSum == 0) _tile_stored(0, to, stride);
    if constexpr (kSum == 1) _tile_stored(1, to, stride);
    if constexpr (kSum == 2) _tile_stored(2, to, stride);
    if constexpr (kSum == 3) _tile_stored(3, to, stride);
    Barrier();
  }

  /// Adds sum kSum to 16 rows of 16 numbers.
  template <int kSum>
  void AddTo(float* to) const {
    alignas(64) float sum[kTileRows * kTileColumns];
    Store<kSum>(sum, 64);
    for (int i = 0; i < kTileRows * kTileColumns; i += 16)
      _mm512_storeu_ps(to + i, _mm512_add_ps(_mm512_loadu_ps(to + i), _mm512_load_ps(sum + i)));
  }

 private:
  /// The tile instructions do not tell the compiler what memory they use: what is written before stays before.
  static void Barrier() { asm volatile("" ::: "memory"); }
};

}  // namespace zoo
