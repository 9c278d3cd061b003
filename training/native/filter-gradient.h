// The gradient of a convolution's filter by tiles.
#pragma once

#include "matrix-tiles.h"

#ifdef ZOO_TILES

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "threads.h"
#include "transpose.h"

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

/// Pixels of a phase that a row (or column) of dy's needs, less the zeros at its end that are those before the next.
inline int64_t Grid(int64_t outputs, int64_t taps, int64_t stride, int64_t before, int64_t size) {
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

/// dw[u, v] = Σ x[.. u, v ..]ᵀ dy, a matrix product over all pixels. A left tile's row is one channel of x at 32 pixels
/// in sequence, so that another tap is the same tile some pixels on: images lie in rows as wide as dy's with zeros
/// between them, and where the stride is more than 1, every pixel of x that one tap sees lies together (a phase).
/// Vectors read x in runs, one for each row of dy, and pass over the zeros.
///
/// Some images at a time are laid out so, to stay in the second cache; of their pixels, as many as stay in the first
/// are multiplied for all taps and outputs before the next. The outputs may be a part of all: sums for many of them do
/// not stay in the cache, and it is cheaper to lay out x again for the others.
///
/// Between small images the zeros are many. Where that costs more than to lay out x for every tap, each tap is a phase
/// of its own, and so many channels are done at a time that their sums stay in the cache.
template <int kParts, typename X, typename Dy>
class FilterGradientLoop {
 public:
  /// @param panel most blocks of 16 outputs at a time
  /// @param chunk most blocks of 16 channels at a time
  FilterGradientLoop(const FilterGradient<X, Dy>& job, int64_t panel, int64_t chunk, bool by_tap)
      : job_(job), panel_(panel), chunk_(chunk) {
    phases_y_ = by_tap ? job.taps_y : std::min(job.stride_y, job.taps_y);
    phases_x_ = by_tap ? job.taps_x : std::min(job.stride_x, job.taps_x);
    grid_rows_ = by_tap ? job.rows : Grid(job.rows, job.taps_y, job.stride_y, job.top, job.height);
    grid_columns_ = by_tap ? job.columns : Grid(job.columns, job.taps_x, job.stride_x, job.left, job.width);
    channel_blocks_ = (job.channels + kTileRows - 1) / kTileRows;
    const int64_t grid = grid_rows_ * grid_columns_, run = job.columns + job.columns % 2;
    in_runs_ = kCheapLayouts && grid > job.rows * job.columns;
    const int64_t pixels = in_runs_ ? job.rows * run : (job.rows - 1) * grid_columns_ + job.columns;
    const int64_t image = phases_y_ * phases_x_ * chunk_ * kTileRows * grid + panel_ * kTileColumns * pixels;
    group_ = std::clamp<int64_t>(kSize / (image * kParts), 1, by_tap ? 64 : 32);
    const int64_t even = kTileDepth / std::gcd(kTileDepth, pixels);  // images whose pixels fill whole tiles
    if (by_tap && group_ > even) group_ -= group_ % even;
    const int64_t apart = group_ * RoundUp(pixels), together = RoundUp((group_ - 1) * grid + pixels);
    segments_ = apart <= together && !in_runs_ ? group_ : 1;
    piece_ = in_runs_ ? run : kTileDepth;
    depth_ = in_runs_ ? group_ * pixels : segments_ == 1 ? together : RoundUp(pixels);
    const auto step = [&](int64_t tap, int64_t phases) { return tap / phases; };
    const int64_t reach = step(job.taps_y - 1, phases_y_) * grid_columns_ + step(job.taps_x - 1, phases_x_);
    pitch_ = RoundUp(std::max(in_runs_ ? group_ * grid + reach + 1 : depth_ + reach, group_ / segments_ * grid));
    if (pitch_ / kTileDepth % 2 == 0) pitch_ += kTileDepth;  // rows of a tile in different sets of the cache
    x_part_ = phases_y_ * phases_x_ * chunk_ * kTileRows * pitch_;
    dy_part_ = panel_ * kTileColumns * depth_;
    steps_ = std::max<int64_t>((panel == 1 ? 3 : 2) * (kParts == 1 ? 7 : 4) * kTileDepth / piece_, 1);
    taps_ = job.taps_y * job.taps_x;
    lefts_ = taps_ * channel_blocks_;
    for (int64_t left = 0; left < taps_ * chunk_; left++) {
      const int64_t u = left % taps_ / job.taps_x, v = left % taps_ % job.taps_x;
      const int64_t phase = u % phases_y_ * phases_x_ + v % phases_x_;
      left_at_.push_back((phase * chunk_ + left / taps_) * kTileRows * pitch_ + step(u, phases_y_) * grid_columns_ +
                         step(v, phases_x_));
    }
    for (int64_t row = 0; in_runs_ && row < group_ * job.rows; row++)
      runs_.push_back((row / job.rows * grid_rows_ + row % job.rows) * grid_columns_);
  }

  /// Left factors, each 16 channels for a tap.
  static int64_t Lefts(const FilterGradient<X, Dy>& job) {
    return job.taps_y * job.taps_x * ((job.channels + kTileRows - 1) / kTileRows);
  }

  /// Adds the part of images [begin, end) for the outputs of `blocks` blocks from `block` on: to a tile of sums for
  /// each of these blocks and each left factor.
  void Add(int64_t begin, int64_t end, int64_t block, int64_t blocks, float* sums) const {
    static thread_local Scratch scratch_x, scratch_dy;
    Bf16* const x = scratch_x.Room<Bf16>(segments_ * kParts * x_part_);
    Bf16* const dy = scratch_dy.Room<Bf16>(segments_ * kParts * dy_part_);
    Tiles tiles(kTileRows);
    for (int64_t channel = 0; channel < channel_blocks_; channel += chunk_) {
      const Channels channels{channel, std::min(chunk_, channel_blocks_ - channel)};
      AddChannels(channels, begin, end, block, blocks, x, dy, tiles, sums);
    }
  }

 private:
  /// Numbers of x and dy, in parts, at a time: they stay in the second cache beside the sums.
  static constexpr int64_t kSize = 256 * 1024;

  /// Blocks of 16 channels.
  struct Channels {
    int64_t first, count;
  };

  /// The same for some channels.
  void AddChannels(Channels channels, int64_t begin, int64_t end, int64_t block, int64_t blocks, Bf16* x, Bf16* dy,
                   Tiles& tiles, float* sums) const {
    const int64_t each = group_ / segments_, lefts = taps_ * channels.count;
    for (int64_t image = begin; image < end; image += group_) {
      const int64_t stop = std::min(end, image + group_);
      const int64_t segments = (stop - image + each - 1) / each;
      const int64_t pieces = in_runs_ ? (stop - image) * job_.rows : depth_ / kTileDepth, steps = segments * pieces;
      for (int64_t s = 0; s < segments; s++) {
        const int64_t first = image + s * each, last = std::min(stop, first + each);
        FillX(first, last, channels, x + s * kParts * x_part_);
        FillDy(first, last, block, blocks, dy + s * kParts * dy_part_);
      }
      const int64_t turns = (steps + steps_ - 1) / steps_;
      for (int64_t turn = 0; turn < turns; turn++) {
        const Depth depth{steps * turn / turns, steps * (turn + 1) / turns, pieces};
        const Factors factors{x, dy, taps_ * channels.first, lefts, depth};
        int64_t b = 0;
        for (; b + 2 <= blocks; b += 2) {
          for (int64_t left = 0; left < lefts; left += 2) TwoByTwo(tiles, factors, left, b, sums);
        }
        for (int64_t left = 0; b < blocks && left < lefts; left += 4) FourByOne(tiles, factors, left, b, sums);
      }
    }
  }

  /// Pieces [begin, end), each a run or 32 pixels; a segment has so many.
  struct Depth {
    int64_t begin, end, segment;
  };

  /// What is laid out: left factors, of which the first is that many-th of all, and right ones.
  struct Factors {
    const Bf16 *x, *dy;
    int64_t first, lefts;
    Depth depth;
  };

  /// Channels of so many left factors from `left` on, at most.
  int Rows(const Factors& factors, int64_t left, int64_t count) const {
    int64_t rows = 0;
    for (int64_t i = left; i < std::min(left + count, factors.lefts); i++)
      rows = std::max(rows, std::min<int64_t>(kTileRows, job_.channels - (factors.first + i) / taps_ * kTileRows));
    return static_cast<int>(rows);
  }

  static int64_t RoundUp(int64_t n) { return (n + kTileDepth - 1) / kTileDepth * kTileDepth; }

  /// x of images [first, last), a row of pixels for each channel: [phases, channels, pitch].
  void FillX(int64_t first, int64_t last, Channels which, Bf16* to) const {
    const int64_t filled = (last - first) * grid_rows_ * grid_columns_;
    for (int64_t phase = 0; phase < phases_y_ * phases_x_; phase++) {
      const int64_t from_y = phase / phases_x_ - job_.top, from_x = phase % phases_x_ - job_.left;
      Bf16* const channels = to + phase * chunk_ * kTileRows * pitch_;
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
        for (int64_t block = 0; block < which.count; block++) {
          const int64_t channel = (which.first + block) * kTileRows;
          Bf16* const tile = channels + block * kTileRows * pitch_ + q;
          FillTile(from, inside, channel, FirstLanes(job_.channels - channel), tile);
        }
      }
      const int64_t end = RoundUp(filled);
      for (int p = 0; p < kParts; p++) {
        for (int64_t c = 0; c < which.count * kTileRows; c++)
          std::memset(channels + p * x_part_ + c * pitch_ + end, 0, sizeof(Bf16) * (pitch_ - end));
      }
    }
  }

  /// Asks for what lies a page later, or 32 pixels later where they are wider, and is needed then.
  template <typename T>
  static void Ahead(const T* from, int64_t channels) {
    const int64_t bytes = std::max<int64_t>(4096, kTileDepth * channels * static_cast<int64_t>(sizeof(T)));
    __builtin_prefetch(reinterpret_cast<const char*>(from) + bytes);
  }

  /// 16 channels of 32 pixels.
  void FillTile(const X* const (&from)[kTileDepth], const bool (&inside)[kTileDepth], int64_t channel, __mmask16 valid,
                Bf16* to) const {
    __m512i words[2][16];
    const auto lanes = [&](int k) { return static_cast<__mmask16>(inside[k] ? valid : 0); };
    for (int k = 0; k < kTileDepth; k++) Ahead(from[k] + channel, job_.channels);
    if constexpr (kParts == 1) {
      // Two pixels in a word.
      for (int k = 0; k < 16; k++) {
        const int even = 2 * k, odd = even + 1;
        StoreInterleaved<1>(reinterpret_cast<Bf16*>(&words[0][k]), 0, from[even] + channel, from[odd] + channel,
                            lanes(even), lanes(odd));
      }
      Transpose(words[0]);
      for (int c = 0; c < kTileRows; c++) _mm512_storeu_si512(to + c * pitch_, words[0][c]);
    } else {
      for (int k = 0; k < 32; k++) words[k / 16][k % 16] = _mm512_maskz_loadu_epi32(lanes(k), from[k] + channel);
      Transpose(words[0]);
      Transpose(words[1]);
      for (int c = 0; c < kTileRows; c++) {
        const Parts<kParts> a(_mm512_castsi512_ps(words[0][c])), b(_mm512_castsi512_ps(words[1][c]));
        for (int p = 0; p < kParts; p++) _mm512_storeu_si512(to + c * pitch_ + p * x_part_, Join(a.part[p], b.part[p]));
      }
    }
  }

  /// dy of images [first, last) for some blocks of outputs, as right factors: [blocks, depth, 16].
  void FillDy(int64_t first, int64_t last, int64_t first_block, int64_t blocks, Bf16* to) const {
    const bool together = segments_ == 1;
    const int64_t height = in_runs_ ? job_.rows : grid_rows_, width = in_runs_ ? piece_ : grid_columns_;
    int64_t image = first, i = 0, j = 0;
    const auto next = [&]() -> const Dy* {
      const bool inside = image < last && i < job_.rows && j < job_.columns;
      const Dy* pixel = inside ? job_.dy + ((image * job_.rows + i) * job_.columns + j) * job_.outputs : nullptr;
      if (++j == width) {
        j = 0;
        if (++i == height && together) {
          i = 0;
          image++;
        }
      }
      return pixel;
    };
    const int64_t end = in_runs_ ? (last - first) * height * width : depth_;
    for (int64_t q = 0; q < end; q += 2) {
      const Dy *even = next(), *odd = next();
      Bf16* const row = to + q / kTileDepth * kTileSize + q % kTileDepth * 16;
      for (int64_t block = 0; block < blocks; block++) {
        const int64_t output = (first_block + block) * kTileColumns;
        const __mmask16 valid = FirstLanes(job_.outputs - output);
        const Dy *a = even == nullptr ? job_.dy : even + output, *b = odd == nullptr ? job_.dy : odd + output;
        Ahead(a, job_.outputs);
        Ahead(b, job_.outputs);
        StoreInterleaved<kParts>(row + block * kTileColumns * depth_, dy_part_, a, b, even == nullptr ? 0 : valid,
                                 odd == nullptr ? 0 : valid);
      }
    }
  }

  /// Calls body with where some pieces in sequence begin in x, from those of the first on, and in dy, how many pixels
  /// they have, and their runs.
  template <typename Body>
  void ForEach(const Depth& depth, const Body& body) const {
    const int64_t at_once = std::max<int64_t>(kTilesAtOnce * kTileDepth / piece_, 1);
    int64_t segment = depth.begin / depth.segment, piece = depth.begin % depth.segment;
    for (int64_t step = depth.begin; step < depth.end;) {
      const int64_t count = std::min({at_once, depth.end - step, depth.segment - piece});
      const Runs runs{runs_.data() + (in_runs_ ? piece : 0), piece_, piece_};
      body(segment * kParts * x_part_ + (in_runs_ ? 0 : piece * kTileDepth),
           segment * kParts * dy_part_ + piece * piece_ * kTileColumns, count * piece_, in_runs_ ? &runs : nullptr);
      step += count;
      piece += count;
      if (piece < depth.segment) continue;
      piece = 0;
      segment++;
    }
  }

  /// Two left factors from `left` on by two blocks of outputs.
  void TwoByTwo(Tiles& tiles, const Factors& factors, int64_t left, int64_t block, float* sums) const {
    const int64_t second = std::min(left + 1, factors.lefts - 1), stride = pitch_ * static_cast<int64_t>(sizeof(Bf16));
    const Bf16 *x0 = factors.x + left_at_[left], *x1 = factors.x + left_at_[second];
    const int rows = Rows(factors, left, 2);
    const Bf16 *dy0 = factors.dy + block * kTileColumns * depth_, *dy1 = dy0 + kTileColumns * depth_;
    tiles.ClearSums();
    ForEach(factors.depth, [&](int64_t at_x, int64_t at_dy, int64_t deep, const Runs* runs) __attribute__((always_inline)) {
      const Left lefts{{x0 + at_x, x1 + at_x}, stride, x_part_, rows, runs};
      tiles.MultiplyPairs<kParts>(lefts, {dy0 + at_dy, dy_part_, deep}, {dy1 + at_dy, dy_part_, deep});
    });
    AddSums<0>(tiles, sums, factors.first + left, block);
    AddSums<1>(tiles, sums, factors.first + left, block + 1);
    if (second == left) return;
    AddSums<2>(tiles, sums, factors.first + second, block);
    AddSums<3>(tiles, sums, factors.first + second, block + 1);
  }

  /// Four left factors from `left` on by one block of outputs.
  void FourByOne(Tiles& tiles, const Factors& factors, int64_t left, int64_t block, float* sums) const {
    const Bf16* from[4];
    for (int t = 0; t < 4; t++) from[t] = factors.x + left_at_[std::min(left + t, factors.lefts - 1)];
    Left lefts{{}, pitch_ * static_cast<int64_t>(sizeof(Bf16)), x_part_, Rows(factors, left, 4)};
    const Bf16* const dy = factors.dy + block * kTileColumns * depth_;
    tiles.ClearSums();
    ForEach(factors.depth, [&](int64_t at_x, int64_t at_dy, int64_t deep, const Runs* runs) __attribute__((always_inline)) {
      lefts.runs = runs;
      for (int t = 0; t < 4; t++) lefts.at[t] = from[t] + at_x;
      tiles.MultiplyAll<kParts>(lefts, {dy + at_dy, dy_part_, deep});
    });
    AddSums<0>(tiles, sums, factors.first + left, block);
    if (left + 1 < factors.lefts) AddSums<1>(tiles, sums, factors.first + left + 1, block);
    if (left + 2 < factors.lefts) AddSums<2>(tiles, sums, factors.first + left + 2, block);
    if (left + 3 < factors.lefts) AddSums<3>(tiles, sums, factors.first + left + 3, block);
  }

  template <int kSum>
  void AddSums(const Tiles& tiles, float* sums, int64_t left, int64_t block) const {
    tiles.AddTo<kSum>(sums + (block * lefts_ + left) * kTileRows * kTileColumns);
  }

  FilterGradient<X, Dy> job_;
  int64_t panel_, chunk_, grid_rows_, grid_columns_, phases_y_, phases_x_, channel_blocks_;
  int64_t group_, segments_, depth_, pitch_, x_part_, dy_part_, taps_, lefts_;
  bool in_runs_;
  int64_t piece_;                 // pixels of a run, or of a tile
  int64_t steps_;                 // pieces whose tiles of x and dy stay in the first cache
  std::vector<int64_t> left_at_;  // where a left factor's tiles begin in x
  std::vector<int64_t> runs_;     // where from there a run begins
};

/// Writes the sums of a tile for each left factor and each block, added up over `copies`, into dw.
template <typename X, typename Dy>
void StoreFilterGradient(const FilterGradient<X, Dy>& job, const float* sums, int64_t size, int copies) {
  const int64_t taps = job.taps_y * job.taps_x, lefts = FilterGradientLoop<1, X, Dy>::Lefts(job);
  const int64_t blocks = (job.outputs + kTileColumns - 1) / kTileColumns;
  Parallel(lefts, blocks * kTileRows * kTileColumns, [&](int, int64_t begin, int64_t end) {
    for (int64_t left = begin; left < end; left++) {
      const int64_t tap = left % taps, c = left / taps * kTileRows;
      for (int64_t block = 0; block < blocks; block++) {
        const float* from = sums + (block * lefts + left) * kTileRows * kTileColumns;
        const int64_t n = block * kTileColumns;
        const __mmask16 valid = FirstLanes(job.outputs - n);
        for (int64_t row = 0; row < kTileRows && c + row < job.channels; row++) {
          __m512 sum = _mm512_loadu_ps(from + row * kTileColumns);
          for (int copy = 1; copy < copies; copy++)
            sum = _mm512_add_ps(sum, _mm512_loadu_ps(from + copy * size + row * kTileColumns));
          _mm512_mask_storeu_ps(job.dw + (tap * job.channels + c + row) * job.outputs + n, valid, sum);
        }
      }
    }
  });
}

/// Bytes of sums that stay in the second cache beside x and dy.
constexpr int64_t kSumsSize = 640 * 1024;

/// Whether short runs would cost more than to lay out x for every tap, which takes as long as to multiply it by some
/// blocks of outputs. To begin a run takes some of a pixel's time, and there is one for each row of an image.
template <typename X, typename Dy>
bool IsCheaperByTap(const FilterGradient<X, Dy>& job, int64_t blocks) {
  if (!kCheapLayouts || job.taps_y * job.taps_x == 1) return false;
  const double run = static_cast<double>(job.columns + job.columns % 2) + 0.1;
  const double cost = 0.5 + 24.0 / static_cast<double>(job.channels), outputs = static_cast<double>(blocks);
  return run * outputs > static_cast<double>(job.columns) * (outputs + cost);
}

template <int kParts, typename X, typename Dy>
void ComputeFilterGradient(const FilterGradient<X, Dy>& job) {
  using Loop = FilterGradientLoop<kParts, X, Dy>;
  const int threads = pool->threads();
  const int64_t blocks = (job.outputs + kTileColumns - 1) / kTileColumns;
  const int64_t taps = job.taps_y * job.taps_x, channels = Loop::Lefts(job) / taps;
  const int64_t tile = kTileRows * kTileColumns, size = Loop::Lefts(job) * blocks * tile;
  const int64_t cost = job.rows * job.columns * job.taps_y * job.taps_x * job.channels * job.outputs;
  const int64_t fit = kSumsSize / (tile * static_cast<int64_t>(sizeof(float)));  // tiles of sums
  int64_t panels = (Loop::Lefts(job) * blocks + fit - 1) / fit;
  if (panels == 1) {  // The threads share the images, each with sums of its own.
    std::vector<float> sums(static_cast<size_t>(size * threads), 0.0f);
    const Loop loop(job, blocks, channels, IsCheaperByTap(job, blocks));
    Parallel(job.images, cost,
             [&](int part, int64_t begin, int64_t end) { loop.Add(begin, end, 0, blocks, sums.data() + part * size); });
    StoreFilterGradient(job, sums.data(), size, threads);
    return;
  }
  panels = std::min(blocks, (panels + threads - 1) / threads * threads);
  int64_t panel = (blocks + panels - 1) / panels, chunk = channels;
  const int64_t share = (blocks + threads - 1) / threads;
  const bool by_tap = IsCheaperByTap(job, share);
  if (kCheapLayouts) {  // few channels at a time, for many outputs
    panel = std::min<int64_t>(share, 16);
    chunk = std::clamp<int64_t>(fit / (taps * panel), 1, channels);
  }
  std::vector<float> sums(static_cast<size_t>(size), 0.0f);
  const Loop loop(job, panel, chunk, by_tap);
  Parallel((blocks + panel - 1) / panel, job.images * cost, [&](int, int64_t begin, int64_t end) {
    for (int64_t block = begin * panel; block < std::min(blocks, end * panel); block += panel) {
      const int64_t count = std::min(panel, blocks - block);
      loop.Add(0, job.images, block, count, sums.data() + size / blocks * block);
    }
  });
  StoreFilterGradient(job, sums.data(), size, 1);
}

}  // namespace zoo

#endif
