// Correlation of images with filters by tiles: a convolution, and the gradient of its input.
#pragma once

#include "matrix-tiles.h"

#ifdef ZOO_TILES

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "taps.h"
#include "threads.h"

namespace zoo {

/// Output pixels that one set of taps makes: (i, j), for i < rows and j < columns, is pixel (y + i * step_y,
/// x + j * step_x) of the output and sees input pixels (i * stride_y + u - top, j * stride_x + v - left).
struct Phase {
  Taps taps;
  int64_t top, left;
  int64_t rows, columns;
  int64_t y, x;
};

template <typename X, typename Y>
struct Correlation {
  const X* x;  // [images, height, width, channels]
  int64_t images, height, width, channels;
  Y* y;  // [images, out_height, out_width, outputs]
  int64_t out_height, out_width, outputs;
  int64_t stride_y, stride_x, step_y, step_x;
  std::vector<Phase> phases;
  std::vector<float> bias = {};  // none, or one for each output, filled up to a multiple of 16
  bool relu = false;
};

/// A filter as right factors: for 16 outputs, a row of taps and 32 numbers of that row, its parts.
template <int kParts>
class PackedTaps {
 public:
  PackedTaps(const Taps& taps, int64_t channels, int64_t outputs)
      : chunks_((taps.width * channels + kTileDepth - 1) / kTileDepth),
        blocks_((outputs + kTileColumns - 1) / kTileColumns),
        steps_(taps.height * chunks_),
        tiles_(static_cast<size_t>(blocks_ * steps_ * kParts * kTileSize)) {
    const __m512i lanes = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                             _mm512_set1_epi32(static_cast<int>(taps.output)));
    Parallel(blocks_, steps_ * kTileSize, [&](int, int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; block++) {
        const __mmask16 valid = FirstLanes(outputs - block * kTileColumns);
        const auto row = [&](int64_t u, int64_t k) {
          const int64_t v = k / channels, c = k % channels;
          if (v >= taps.width) return Parts<kParts>();
          const float* from =
              taps.start + u * taps.tap_row + v * taps.tap + c * taps.channel + block * kTileColumns * taps.output;
          return Parts<kParts>(taps.output == 1 ? _mm512_maskz_loadu_ps(valid, from)
                                                : _mm512_mask_i32gather_ps(_mm512_setzero_ps(), valid, lanes, from, 4));
        };
        for (int64_t u = 0; u < taps.height; u++) {
          for (int64_t k = 0; k < chunks_ * kTileDepth; k += 2) {
            const Parts<kParts> even = row(u, k), odd = row(u, k + 1);
            const int64_t step = u * chunks_ + k / kTileDepth;
            Bf16* to = Panel(block) + step * kParts * kTileSize + k % kTileDepth * kTileColumns;
            for (int p = 0; p < kParts; p++)
              _mm512_storeu_si512(to + p * kTileSize, Interleave(even.part[p], odd.part[p]));
          }
        }
      }
    });
  }

  int64_t chunks() const { return chunks_; }
  int64_t blocks() const { return blocks_; }

  Bf16* Panel(int64_t block) { return tiles_.data() + block * steps_ * kParts * kTileSize; }

 private:
  int64_t chunks_, blocks_, steps_;
  std::vector<Bf16> tiles_;
};

/// Input pixels, in their parts, with the zeros around them: those of some images, or of some rows of one. The zeros
/// after a row are those before the next, and those below an image are those above the next.
struct Patch {
  Bf16* at;
  int64_t pixels;              // of a row
  int64_t row, image, part;    // numbers between rows, images and parts
  int64_t first, rows, after;  // which row of the image is the patch's first, how many, and numbers of zeros at the end
};

template <int kParts, typename X, typename Y>
void FillPatch(const Correlation<X, Y>& job, int64_t image, int64_t images, int64_t left, const Patch& patch) {
  const int64_t before = left * job.channels, count = job.width * job.channels;
  for (int64_t g = 0; g < images; g++) {
    for (int64_t r = 0; r < patch.rows; r++) {
      const int64_t y = patch.first + r;
      Bf16* to = patch.at + g * patch.image + r * patch.row;
      const bool inside = y >= 0 && y < job.height;
      for (int p = 0; p < kParts; p++) {
        Bf16* const row = to + p * patch.part;
        if (!inside) {
          std::memset(row, 0, sizeof(Bf16) * patch.row);
        } else {
          std::memset(row, 0, sizeof(Bf16) * before);
          std::memset(row + before + count, 0, sizeof(Bf16) * (patch.row - before - count));
        }
      }
      if (!inside) continue;
      const X* from = job.x + (((image + g) * job.height + y) * job.width) * job.channels;
      to += before;
      if constexpr (std::is_same_v<X, Bf16>) {
        static_assert(kParts == 1);
        std::memcpy(to, from, sizeof(Bf16) * count);
      } else {
        for (int64_t i = 0; i < count; i += 32) {
          _mm_prefetch(reinterpret_cast<const char*>(from + i) + 4096, _MM_HINT_T0);
          _mm_prefetch(reinterpret_cast<const char*>(from + i + 16) + 4096, _MM_HINT_T0);
          const __mmask16 low = FirstLanes(count - i), high = FirstLanes(count - i - 16);
          const auto a = Parts<kParts>::Load(from + i, low), b = Parts<kParts>::Load(from + i + 16, high);
          for (int p = 0; p < kParts; p++) {
            _mm512_mask_storeu_epi16(to + p * patch.part + i, low | static_cast<__mmask32>(high) << 16,
                                     Join(a.part[p], b.part[p]));
          }
        }
      }
    }
  }
  for (int p = 0; p < kParts; p++)
    std::memset(patch.at + p * patch.part + images * patch.image, 0, sizeof(Bf16) * patch.after);
}

/// Computes a phase's outputs of some rows of some images, 16 pixels at a time.
template <int kParts, typename X, typename Y>
class TileLoop {
 public:
  TileLoop(const Correlation<X, Y>& job, const Phase& phase, PackedTaps<kParts>& taps, const Patch& patch,
           const Bf16* origin)
      : job_(job), phase_(phase), taps_(taps), patch_(patch), origin_(origin) {
    for (int64_t u = 0; u < phase.taps.height; u++) rows_.push_back(u * patch.row);
  }

  /// Rows [begin, end) of images from `image` on.
  void Run(int64_t image, int64_t images, int64_t begin, int64_t end) {
    image_ = image;
    images_ = images;
    begin_ = begin;
    end_ = end;
    const int64_t high = end - begin, across = (phase_.columns + kTileRows - 1) / kTileRows;
    const int64_t image_pixels = patch_.image / job_.channels;
    const int64_t all = (images - 1) * image_pixels + (high - 1) * patch_.pixels + phase_.columns;
    const int64_t tiles = images * high * across, through = (all + kTileRows - 1) / kTileRows;
    const bool dense = job_.stride_x == 1 && job_.stride_y == 1;
    const bool apart = phase_.columns <= patch_.pixels && high <= patch_.rows;  // each output has a place of its own
    const int64_t wide = std::min<int64_t>(phase_.columns, kTileRows);
    const bool unbroken = dense && apart && IsCheaper(through, kTileRows, tiles, wide);
    const int rows = static_cast<int>(unbroken ? kTileRows : wide);
    Tiles sums(rows);
    for (int64_t block = 0; block < taps_.blocks(); block++) {
      if (unbroken) {
        for (int64_t tile = 0; tile < through; tile += 4) Through(sums, block, tile, through);
      } else {
        for (int64_t tile = 0; tile < tiles; tile += 4) ByRow(sums, block, tile, tiles, across, rows);
      }
    }
  }

 private:
  /// Numbers of all rows of taps up to which vectors take them in one go, the sums staying in registers.
  static constexpr int64_t kAtOnce = 640;

  /// Pixel (g, i, j), of the images and rows at hand.
  const Bf16* From(int64_t g, int64_t i, int64_t j) const {
    return origin_ + g * patch_.image + i * job_.stride_y * patch_.row + j * job_.stride_x * job_.channels;
  }

  Y* To(int64_t g, int64_t i, int64_t j) const {
    const int64_t y = phase_.y + (begin_ + i) * job_.step_y, x = phase_.x + j * job_.step_x;
    return job_.y + (((image_ + g) * job_.out_height + y) * job_.out_width + x) * job_.outputs;
  }

  void Sum(Tiles& sums, int64_t block, const Bf16* const (&from)[4], int rows) {
    Left left{{}, job_.channels * job_.stride_x * static_cast<int64_t>(sizeof(Bf16)), patch_.part, rows};
    Right right{taps_.Panel(block), kTileSize, 0};
    const int64_t depth = phase_.taps.width * job_.channels;
    if (job_.bias.empty()) {
      sums.ClearSums();
    } else {
      sums.StartSums(job_.bias.data() + block * kTileColumns);
    }
    const int64_t run = depth + depth % 2;
    // A phase that no tap sees has no run.
    if (kCheapLayouts && run > 0 && phase_.taps.height * run <= kAtOnce) {
      const Runs runs{rows_.data(), run, taps_.chunks() * kTileDepth};
      for (int t = 0; t < 4; t++) left.at[t] = from[t];
      left.runs = &runs;
      right.depth = phase_.taps.height * run;
      return sums.MultiplyAll<kParts>(left, right);
    }
    for (int64_t u = 0; u < phase_.taps.height; u++) {
      for (int64_t k = 0; k < taps_.chunks(); k += kTilesAtOnce) {
        for (int t = 0; t < 4; t++) left.at[t] = from[t] + u * patch_.row + k * kTileDepth;
        right.depth = std::min<int64_t>(kTilesAtOnce * kTileDepth, depth - k * kTileDepth);
        sums.MultiplyAll<kParts>(left, right);
        right.at += kParts * kTileSize * std::min(kTilesAtOnce, taps_.chunks() - k);
      }
    }
  }

  /// Four tiles that each lie in one row; where they do not fit, the last starts earlier.
  void ByRow(Tiles& sums, int64_t block, int64_t tile, int64_t tiles, int64_t across, int rows) {
    const Bf16* from[4];
    Y* to[4];
    for (int t = 0; t < 4; t++) {
      const int64_t at = std::min(tile + t, tiles - 1);
      const int64_t j = std::min(at % across * rows, phase_.columns - rows);
      const int64_t i = at / across % (end_ - begin_), g = at / across / (end_ - begin_);
      from[t] = From(g, i, j);
      to[t] = To(g, i, j) + block * kTileColumns;
    }
    Sum(sums, block, from, rows);
    const int64_t stride = job_.step_x * job_.outputs, columns = job_.outputs - block * kTileColumns;
    StoreSums<0>(sums, to[0], stride, rows, columns, job_.relu);
    StoreSums<1>(sums, to[1], stride, rows, columns, job_.relu);
    StoreSums<2>(sums, to[2], stride, rows, columns, job_.relu);
    StoreSums<3>(sums, to[3], stride, rows, columns, job_.relu);
  }

  /// Four tiles of pixels in sequence, from row to row and image to image; those of the zeros between are left out.
  void Through(Tiles& sums, int64_t block, int64_t tile, int64_t tiles) {
    const Bf16* from[4];
    for (int t = 0; t < 4; t++) from[t] = origin_ + std::min(tile + t, tiles - 1) * kTileRows * job_.channels;
    Sum(sums, block, from, kTileRows);
    alignas(64) float rows[4][kTileRows][kTileColumns];
    sums.Store<0>(rows[0][0], 64);
    sums.Store<1>(rows[1][0], 64);
    sums.Store<2>(rows[2][0], 64);
    sums.Store<3>(rows[3][0], 64);
    const __mmask16 valid = FirstLanes(job_.outputs - block * kTileColumns);
    const int64_t image_rows = patch_.image / patch_.row;
    const int64_t first = tile * kTileRows;
    int64_t j = first % patch_.pixels, i = first / patch_.pixels % image_rows, g = first / patch_.pixels / image_rows;
    for (int64_t t = 0; t < std::min<int64_t>(4, tiles - tile); t++) {
      for (int row = 0; row < kTileRows; row++) {
        if (j < phase_.columns && i < end_ - begin_ && g < images_)
          StoreRow(To(g, i, j) + block * kTileColumns, valid, Activated(_mm512_load_ps(rows[t][row]), job_.relu));
        if (++j < patch_.pixels) continue;
        j = 0;
        if (++i < image_rows) continue;
        i = 0;
        g++;
      }
    }
  }

  const Correlation<X, Y>& job_;
  const Phase& phase_;
  PackedTaps<kParts>& taps_;
  const Patch& patch_;
  const Bf16* origin_;
  std::vector<int64_t> rows_;  // where a row of taps begins
  int64_t image_ = 0, images_ = 0, begin_ = 0, end_ = 0;
};

/// Numbers of a patch that stay in a core's second cache beside the filter.
constexpr int64_t kPatchSize = 256 * 1024;

/// Computes all phases. Each pixel of the output must belong to one of them.
template <int kParts, typename X, typename Y>
void Correlate(const Correlation<X, Y>& job) {
  std::vector<PackedTaps<kParts>> packed;
  packed.reserve(job.phases.size());
  int64_t top = 0, left = 0, below = 0, right = 0, rows = 0, ahead = 0;
  for (const Phase& phase : job.phases) {
    packed.emplace_back(phase.taps, job.channels, job.outputs);
    const int64_t last_row = (phase.rows - 1) * job.stride_y, last_column = (phase.columns - 1) * job.stride_x;
    top = std::max(top, phase.top);
    left = std::max(left, phase.left);
    below = std::max(below, last_row + phase.taps.height - phase.top - job.height);
    right = std::max(right, last_column + phase.taps.width - phase.left - job.width);
    ahead = std::max(ahead, phase.taps.height - phase.top);
    rows = std::max(rows, phase.rows);
  }
  Patch shape{};
  shape.pixels = job.width + std::max(left, right);
  shape.row = shape.pixels * job.channels;
  shape.rows = job.height + std::max(top, below);
  const int64_t whole = shape.rows * shape.row * kParts;
  const int64_t group = std::clamp<int64_t>(kPatchSize / std::max<int64_t>(whole, 1), 1, 16);
  const auto height = [&](int64_t band) { return top + (band - 1) * job.stride_y + ahead; };
  int64_t band = rows;
  while (band > 1 && whole > 2 * kPatchSize && height(band) * shape.row * kParts > 2 * kPatchSize)
    band = (band + 1) / 2;
  // With fewer images than threads, rows are shared out.
  if (job.images < pool->threads())
    band = std::min(band, std::max<int64_t>(kTileRows, (rows + pool->threads() - 1) / pool->threads()));
  if (band < rows) shape.rows = height(band);
  const int64_t bands = (rows + band - 1) / band, groups = (job.images + group - 1) / group;
  shape.image = shape.rows * shape.row;
  shape.after = (std::min(top, below) + 1) * shape.row + kTileRows * job.channels + kTileDepth;
  shape.part = group * shape.image + shape.after;

  const int64_t cost = band * group * job.out_width * job.outputs * job.channels;
  Parallel(groups * bands, cost, [&](int, int64_t begin, int64_t end) {
    static thread_local Scratch scratch;
    Patch patch = shape;
    patch.at = scratch.Room<Bf16>(kParts * patch.part);
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t image = unit / bands * group, images = std::min(group, job.images - image);
      const int64_t i = unit % bands * band;
      patch.first = i * job.stride_y - top;
      FillPatch<kParts>(job, image, images, left, patch);
      for (size_t p = 0; p < job.phases.size(); p++) {
        const Phase& phase = job.phases[p];
        if (phase.columns <= 0 || i >= phase.rows) continue;
        const Bf16* origin = patch.at + (top - phase.top) * patch.row + (left - phase.left) * job.channels;
        TileLoop<kParts, X, Y>(job, phase, packed[p], patch, origin)
            .Run(image, images, i, std::min(phase.rows, i + band));
      }
    }
  });
}

}  // namespace zoo

#endif
