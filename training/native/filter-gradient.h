// The gradient of a convolution's filter on the matrix unit.
#pragma once

#include "matrix-tiles.h"

#ifdef ZOO_MATRIX_TILES

#include <algorithm>
#include <cstdint>
#include <vector>

#include "threads.h"

namespace zoo {

template <typename X, typename Dy>
struct FilterGradient {
  const X* x;  // [images, height, width, channels]
  int64_t images, height, width, channels;
  const Dy* dy;  // [images, rows, columns, outputs]
  int64_t rows, columns, outputs;
  float* dw;  // [taps_y, taps_x, channels, outputs]
  int64_t taps_y, taps_x, stride_y, stride_x, top, left;
};

/// 16 rows of 16 words of 32 bits, as 16 columns.
inline void Transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

/// dw[u, v] = Σ x[.. u, v ..]ᵀ dy, a matrix product over all pixels. A left tile's row is one channel of x at 32 pixels
/// in sequence, so that another tap is the same tile some pixels on: images lie in rows as wide as dy's with zeros
/// between them, and where the stride is more than 1, every pixel of x that one tap sees lies together (a phase).
template <int kParts, typename X, typename Dy>
class FilterGradientLoop {
 public:
  explicit FilterGradientLoop(const FilterGradient<X, Dy>& job) : job_(job) {
    phases_y_ = std::min(job.stride_y, job.taps_y);
    phases_x_ = std::min(job.stride_x, job.taps_x);
    grid_rows_ = Grid(job.rows, job.taps_y, job.stride_y, job.top, job.height);
    grid_columns_ = Grid(job.columns, job.taps_x, job.stride_x, job.left, job.width);
    channel_blocks_ = (job.channels + kTileRows - 1) / kTileRows;
    output_blocks_ = (job.outputs + kTileColumns - 1) / kTileColumns;
    const int64_t grid = grid_rows_ * grid_columns_, pixels = (job.rows - 1) * grid_columns_ + job.columns;
    const int64_t image =
        phases_y_ * phases_x_ * channel_blocks_ * kTileRows * grid + output_blocks_ * kTileColumns * pixels;
    group_ = std::clamp<int64_t>(kSize / (image * kParts), 1, 32);
    const int64_t apart = group_ * RoundUp(pixels), together = RoundUp((group_ - 1) * grid + pixels);
    segments_ = apart <= together ? group_ : 1;
    depth_ = segments_ == 1 ? together : RoundUp(pixels);
    const int64_t reach = (job.taps_y - 1) / job.stride_y * grid_columns_ + (job.taps_x - 1) / job.stride_x;
    pitch_ = RoundUp(std::max(depth_ + reach, group_ / segments_ * grid));
    if (pitch_ / kTileDepth % 2 == 0) pitch_ += kTileDepth;  // rows of a tile in different sets of the cache
  }

  /// Numbers of the sums that Add adds to: [taps, channels, outputs], the last two in whole tiles.
  int64_t Size() const {
    return job_.taps_y * job_.taps_x * channel_blocks_ * output_blocks_ * kTileRows * kTileColumns;
  }

  int64_t group() const { return group_; }

  /// Adds the part of images [begin, end).
  void Add(int64_t begin, int64_t end, float* sums) const {
    static thread_local Scratch scratch_x, scratch_dy;
    const int64_t x_part = phases_y_ * phases_x_ * channel_blocks_ * kTileRows * pitch_;
    const int64_t dy_part = output_blocks_ * kTileColumns * depth_;
    Bf16* const x = scratch_x.Room<Bf16>(segments_ * kParts * x_part);
    Bf16* const dy = scratch_dy.Room<Bf16>(segments_ * kParts * dy_part);
    const Tiles tiles(kTileRows);
    const int64_t each = group_ / segments_;
    for (int64_t image = begin; image < end; image += group_) {
      const int64_t stop = std::min(end, image + group_);
      const int64_t segments = (stop - image + each - 1) / each;
      for (int64_t s = 0; s < segments; s++) {
        const int64_t first = image + s * each, last = std::min(stop, first + each);
        FillX(first, last, x + s * kParts * x_part, x_part);
        FillDy(first, last, dy + s * kParts * dy_part, dy_part);
      }
      const int64_t lefts = job_.taps_y * job_.taps_x * channel_blocks_;
      for (int64_t block = 0; block < output_blocks_; block++) {
        for (int64_t l = 0; l < lefts; l += 4) Four(block, l, lefts, segments, x, x_part, dy, dy_part, sums);
      }
    }
  }

  /// Where the sum of tap t, 16 channels and 16 outputs lies.
  int64_t TileAt(int64_t left, int64_t block) const {
    return (left * output_blocks_ + block) * kTileRows * kTileColumns;
  }

  int64_t channel_blocks() const { return channel_blocks_; }
  int64_t output_blocks() const { return output_blocks_; }

 private:
  static constexpr int64_t kSize = 512 * 1024;  // parts of numbers of x and dy at a time, to stay in the second cache

  /// Pixels of a phase that a row (or column) of dy's needs, less the zeros at its end that are those before the next.
  static int64_t Grid(int64_t outputs, int64_t taps, int64_t stride, int64_t before, int64_t size) {
    const int64_t count = outputs + (taps - 1) / stride;
    int64_t shared = count;
    for (int64_t phase = 0; phase < std::min(stride, taps); phase++) {
      int64_t leading = 0, trailing = 0;
      for (int64_t j = 0; j < count; j++) {
        leading += j * stride + phase - before < 0;
        trailing += j * stride + phase - before >= size;
      }
      shared = std::min({shared, leading, trailing});
    }
    return std::max(count - shared, outputs);
  }

  static int64_t RoundUp(int64_t n) { return (n + kTileDepth - 1) / kTileDepth * kTileDepth; }

  /// x of images [first, last), a row of pixels for each channel: [phases, channels, pitch].
  void FillX(int64_t first, int64_t last, Bf16* to, int64_t part) const {
    const int64_t filled = (last - first) * grid_rows_ * grid_columns_;
    for (int64_t phase = 0; phase < phases_y_ * phases_x_; phase++) {
      const int64_t from_y = phase / phases_x_ - job_.top, from_x = phase % phases_x_ - job_.left;
      Bf16* const channels = to + phase * channel_blocks_ * kTileRows * pitch_;
      int64_t image = first, i = 0, j = 0;
      for (int64_t q = 0; q < filled; q += kTileDepth) {
        const X* from[kTileDepth];
        bool inside[kTileDepth];
        for (int k = 0; k < kTileDepth; k++) {
          const int64_t y = i * job_.stride_y + from_y, x = j * job_.stride_x + from_x;
          inside[k] = image < last && y >= 0 && y < job_.height && x >= 0 && x < job_.width;
          from[k] = inside[k] ? job_.x + ((image * job_.height + y) * job_.width + x) * job_.channels : job_.x;
          if (++j < grid_columns_) continue;
          j = 0;
          if (++i < grid_rows_) continue;
          i = 0;
          image++;
        }
        for (int64_t block = 0; block < channel_blocks_; block++) {
          const __mmask16 valid = FirstLanes(job_.channels - block * kTileRows);
          FillTile(from, inside, block * kTileRows, valid, channels + block * kTileRows * pitch_ + q, part);
        }
      }
      const int64_t end = RoundUp(filled);
      for (int p = 0; p < kParts; p++) {
        for (int64_t c = 0; c < channel_blocks_ * kTileRows; c++)
          std::memset(channels + p * part + c * pitch_ + end, 0, sizeof(Bf16) * (pitch_ - end));
      }
    }
  }

  /// 16 channels of 32 pixels.
  void FillTile(const X* const (&from)[kTileDepth], const bool (&inside)[kTileDepth], int64_t channel, __mmask16 valid,
                Bf16* to, int64_t part) const {
    __m512i words[2][16];
    const auto lanes = [&](int k) { return static_cast<__mmask16>(inside[k] ? valid : 0); };
    if constexpr (kParts == 1) {
      // Two pixels in a word.
      for (int k = 0; k < 16; k++) {
        const auto even = Parts<1>::Load(from[2 * k] + channel, lanes(2 * k));
        const auto odd = Parts<1>::Load(from[2 * k + 1] + channel, lanes(2 * k + 1));
        words[0][k] = Interleave(even.part[0], odd.part[0]);
      }
      Transpose(words[0]);
      for (int c = 0; c < kTileRows; c++) _mm512_storeu_si512(to + c * pitch_, words[0][c]);
    } else {
      for (int k = 0; k < 32; k++) words[k / 16][k % 16] = _mm512_maskz_loadu_epi32(lanes(k), from[k] + channel);
      Transpose(words[0]);
      Transpose(words[1]);
      for (int c = 0; c < kTileRows; c++) {
        const Parts<kParts> a(_mm512_castsi512_ps(words[0][c])), b(_mm512_castsi512_ps(words[1][c]));
        for (int p = 0; p < kParts; p++) _mm512_storeu_si512(to + c * pitch_ + p * part, Join(a.part[p], b.part[p]));
      }
    }
  }

  /// dy of images [first, last), as right factors: [chunks, blocks of outputs, tile].
  void FillDy(int64_t first, int64_t last, Bf16* to, int64_t part) const {
    const bool together = segments_ == 1;
    int64_t image = first, i = 0, j = 0;
    const auto next = [&]() -> const Dy* {
      const bool inside = image < last && i < job_.rows && j < job_.columns;
      const Dy* pixel = inside ? job_.dy + ((image * job_.rows + i) * job_.columns + j) * job_.outputs : nullptr;
      if (++j == grid_columns_) {
        j = 0;
        if (++i == grid_rows_ && together) {
          i = 0;
          image++;
        }
      }
      return pixel;
    };
    for (int64_t q = 0; q < depth_; q += 2) {
      const Dy *even = next(), *odd = next();
      Bf16* const row = to + q / kTileDepth * output_blocks_ * kTileSize + q % kTileDepth * 16;
      for (int64_t block = 0; block < output_blocks_; block++) {
        const __mmask16 valid = FirstLanes(job_.outputs - block * kTileColumns);
        const auto get = [&](const Dy* pixel) {
          return Parts<kParts>::Load(pixel == nullptr ? job_.dy : pixel + block * kTileColumns,
                                     pixel == nullptr ? 0 : valid);
        };
        const auto a = get(even), b = get(odd);
        for (int p = 0; p < kParts; p++)
          _mm512_storeu_si512(row + block * kTileSize + p * part, Interleave(a.part[p], b.part[p]));
      }
    }
  }

  void Four(int64_t block, int64_t left, int64_t lefts, int64_t segments, const Bf16* x, int64_t x_part, const Bf16* dy,
            int64_t dy_part, float* sums) const {
    const Bf16* from[4];
    for (int t = 0; t < 4; t++) {
      const int64_t l = std::min(left + t, lefts - 1), tap = l / channel_blocks_, u = tap / job_.taps_x,
                    v = tap % job_.taps_x;
      const int64_t phase = u % job_.stride_y * phases_x_ + v % job_.stride_x;
      from[t] = x + (phase * channel_blocks_ + l % channel_blocks_) * kTileRows * pitch_ +
                u / job_.stride_y * grid_columns_ + v / job_.stride_x;
    }
    Left tiles{{}, pitch_ * static_cast<int64_t>(sizeof(Bf16)), x_part};
    ClearSums();
    for (int64_t s = 0; s < segments; s++) {
      Right right{dy + s * kParts * dy_part + block * kTileSize, dy_part};
      for (int64_t q = 0; q < depth_; q += kTileDepth) {
        for (int t = 0; t < 4; t++) tiles.at[t] = from[t] + s * kParts * x_part + q;
        Multiply<kParts>(tiles, right);
        right.at += output_blocks_ * kTileSize;
      }
    }
    AddSums<0>(sums + TileAt(left, block));
    if (left + 1 < lefts) AddSums<1>(sums + TileAt(left + 1, block));
    if (left + 2 < lefts) AddSums<2>(sums + TileAt(left + 2, block));
    if (left + 3 < lefts) AddSums<3>(sums + TileAt(left + 3, block));
  }

  template <int kSum>
  static void AddSums(float* to) {
    alignas(64) float sums[kTileRows * kTileColumns];
    Store<kSum>(sums, 64);
    for (int i = 0; i < kTileRows * kTileColumns; i += 16)
      _mm512_storeu_ps(to + i, _mm512_add_ps(_mm512_loadu_ps(to + i), _mm512_load_ps(sums + i)));
  }

  FilterGradient<X, Dy> job_;
  int64_t grid_rows_, grid_columns_, phases_y_, phases_x_, channel_blocks_, output_blocks_;
  int64_t group_, segments_, depth_, pitch_;
};

template <int kParts, typename X, typename Dy>
void ComputeFilterGradient(const FilterGradient<X, Dy>& job) {
  const FilterGradientLoop<kParts, X, Dy> loop(job);
  const int threads = pool->threads();
  std::vector<float> sums(static_cast<size_t>(loop.Size()) * threads, 0.0f);
  const int64_t cost = job.rows * job.columns * job.taps_y * job.taps_x * job.channels * job.outputs;
  Parallel(job.images, cost,
           [&](int part, int64_t begin, int64_t end) { loop.Add(begin, end, sums.data() + part * loop.Size()); });
  const int64_t lefts = job.taps_y * job.taps_x * loop.channel_blocks();
  Parallel(lefts, loop.output_blocks() * kTileRows * kTileColumns, [&](int, int64_t begin, int64_t end) {
    for (int64_t left = begin; left < end; left++) {
      const int64_t tap = left / loop.channel_blocks(), c = left % loop.channel_blocks() * kTileRows;
      for (int64_t block = 0; block < loop.output_blocks(); block++) {
        const float* from = sums.data() + loop.TileAt(left, block);
        const int64_t n = block * kTileColumns;
        const __mmask16 valid = FirstLanes(job.outputs - n);
        for (int64_t row = 0; row < kTileRows && c + row < job.channels; row++) {
          __m512 sum = _mm512_loadu_ps(from + row * kTileColumns);
          for (int part = 1; part < threads; part++)
            sum = _mm512_add_ps(sum, _mm512_loadu_ps(from + part * loop.Size() + row * kTileColumns));
          _mm512_mask_storeu_ps(job.dw + (tap * job.channels + c + row) * job.outputs + n, valid, sum);
        }
      }
    }
  });
}

}  // namespace zoo

#endif
