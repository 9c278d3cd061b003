// The gradient of filters of 3x3 or 2x2 taps in single precision, by Winograd's minimal filters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "winograd-correlation.h"

namespace zoo {

/// dw[tap] = Σ x[.. tap ..]ᵀ dy over all pixels: of each point, the product of what the images and dy are transformed
/// to, over all tiles.
struct WinogradFilterGradient {
  TiledImages images;
  const float* dy;  // [images, rows, columns, outputs]
  int64_t rows, columns, outputs;
  std::vector<TapsOf<float>> dw;  // of each lattice; outputs lie together
};

/// A dy Aᵀ of the tiles, for some outputs from `first` on; those that are not there are 0.
template <int kTaps>
void TransformGradients(const WinogradFilterGradient& job, const Tiles2x2& tiles, int64_t first, int64_t wide,
                        Points w) {
  constexpr int kSide = kTaps + 1;
  const int64_t there = std::min(wide, job.outputs - first);
  const auto transform = [](const auto& in, auto& out) { Winograd<kTaps>::ResultGrad(in, out); };
  tiles.ForEach([&](int64_t image, int64_t i, int64_t j, const int64_t (&place)[4]) {
    const float* const from = job.dy + ((image * job.rows + i) * job.columns + j) * job.outputs + first;
    const TilePoints to(w, place);
    const bool below = i + 1 < job.rows, beside = j + 1 < job.columns;
    for (int64_t n = 0; n < wide; n += kLanes) {
      const auto get = [&](int64_t a, int64_t b) {
        const float* const at = from + (a * job.columns + b) * job.outputs + n;
        if (there - n >= kLanes) return Get<Lanes>(at);
        Lanes part{};
        std::memcpy(&part, at, std::max<int64_t>(there - n, 0) * sizeof(float));
        return part;
      };
      const Lanes dy[2][2] = {{get(0, 0), beside ? get(0, 1) : Lanes()},
                              {below ? get(1, 0) : Lanes(), below && beside ? get(1, 1) : Lanes()}};
      Lanes out[kSide][kSide];
      BothWays(dy, out, transform);
#pragma GCC unroll 4
      for (int a = 0; a < kSide; a++) {
#pragma GCC unroll 4
        for (int b = 0; b < kSide; b++) {
          const int p = a * kSide + b;
          PutNear(to.kind[Tiles2x2::Kind(p, kSide)] + p * w.point + n, out[a][b]);
        }
      }
    }
  });
}

template <int kTaps>
class WinogradFilterGradientLoop {
 public:
  static constexpr int kSide = kTaps + 1, kPoints = kSide * kSide;

  explicit WinogradFilterGradientLoop(const WinogradFilterGradient& job)
      : job_(job),
        grid_{job.images.images, job.rows, job.columns},
        panels_{(job.outputs + kLanes - 1) / kLanes},
        depth_(job.images.depth()) {}

  void Compute() const {
    static thread_local Scratch room;
    const int64_t size = kPoints * depth_ * panels_.blocks * kLanes;
    const int threads = pool->threads();
    // Sums of each thread's own tiles, or of its own outputs where they would be too many.
    const bool even = panels_.count() % threads == 0 || panels_.count() >= 4 * threads;
    const bool by_tiles = size * threads <= (even ? kManySums : kMostSums);
    const int64_t copies = by_tiles ? threads : 1;
    float* const sums = room.Room<float>(size * copies);
    Parallel(copies, size, [&](int, int64_t begin, int64_t end) {
      std::fill(sums + begin * size, sums + end * size, 0.0f);
    });
    const int64_t cost = kPoints * depth_ * kLanes;
    if (by_tiles) {
      Parallel(grid_.count(), cost * panels_.blocks, [&](int part, int64_t begin, int64_t end) {
        Add(begin, end, 0, panels_.count(), sums + part * size);
      });
    } else {
      Parallel(panels_.count(), cost * kPanelBlocks * grid_.count(), [&](int, int64_t begin, int64_t end) {
        Add(0, grid_.count(), begin, end, sums);
      });
    }
    Store(sums, size, copies);
  }

 private:
  /// Numbers of all threads' copies of the sums above which they are too many: where threads would have as many outputs
  /// each, and where some would wait for others.
  static constexpr int64_t kManySums = 1 << 19, kMostSums = 1 << 24;

  int64_t SumsOf(int64_t panel, int64_t point) const {
    return (panels_.begin(panel) * kLanes * kPoints + panels_.wide(panel) * point) * depth_;
  }

  /// Adds tiles [begin, end) to the sums of panels [first_panel, last_panel).
  void Add(int64_t begin, int64_t end, int64_t first_panel, int64_t last_panel, float* sums) const {
    static thread_local Scratch room;
    const int64_t most = std::min<int64_t>(panels_.blocks, kPanelBlocks) * kLanes;
    const int64_t at_once = TilesAtOnce(depth_, most, grid_.count()), tile_v = Pitch(depth_);
    const int64_t point_v = (at_once + 1) * tile_v + kLanes, point_w = (at_once + 1) * most + kLanes;
    float* const numbers = room.Room<float>(kPoints * (point_v + point_w));
    const Points v{numbers, point_v, tile_v};
    for (int64_t first = begin; first < end; first += at_once) {
      const Tiles2x2 tiles(grid_, first, std::min(end, first + at_once));
      TransformImages<kTaps>(job_.images, tiles, v);
      for (int64_t panel = first_panel; panel < last_panel; panel++) {
        const int64_t wide = panels_.wide(panel);
        const Points w{numbers + kPoints * point_v, point_w, wide};
        TransformGradients<kTaps>(job_, tiles, panels_.begin(panel) * kLanes, wide, w);
        for (int p = 0; p < kPoints; p++) {
          const Range counting = CountingAt<kTaps>(p, job_.dw, job_.images.channels);
          float* const to = sums + SumsOf(panel, p) + counting.first * wide;
          const Strided channels{v.At(p) + counting.first, 1, v.tile};
          const int64_t having = tiles.Count(Tiles2x2::Kind(p, kSide));
          AddProducts(counting.last - counting.first, wide / kLanes, channels, w.At(p), having,
                      {to, wide, to, wide, wide});
        }
      }
    }
  }

  /// Gᵀ du G of the sums, added up over copies, into dw.
  void Store(const float* sums, int64_t size, int64_t copies) const {
    const int64_t channels = job_.images.channels;
    Parallel(depth_, kPoints * job_.outputs * copies, [&](int, int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; at++) {
        const TapsOf<float>& dw = job_.dw[at / channels];
        float* const to = dw.start + at % channels * dw.channel;
        for (int64_t panel = 0; panel < panels_.count(); panel++) {
          const int64_t wide = panels_.wide(panel);
          for (int64_t n = 0; n < wide; n += kLanes) {
            Lanes du[kSide][kSide], dg[kTaps][kTaps];
            for (int p = 0; p < kPoints; p++) {
              const float* const from = sums + SumsOf(panel, p) + at * wide + n;
              Lanes sum = Get<Lanes>(from);
              for (int64_t copy = 1; copy < copies; copy++) sum += Get<Lanes>(from + copy * size);
              du[p / kSide][p % kSide] = sum;
            }
            BothWays(du, dg, [](const auto& in, auto& out) { Winograd<kTaps>::FilterGrad(in, out); });
            const int64_t output = panels_.begin(panel) * kLanes + n;
            const int64_t there = std::min<int64_t>(job_.outputs - output, kLanes);
            for (int u = 0; u < dw.height && there > 0; u++) {
              for (int v = 0; v < dw.width; v++)
                std::memcpy(to + u * dw.tap_row + v * dw.tap + output, &dg[u][v], there * sizeof(float));
            }
          }
        }
      }
    });
  }

  const WinogradFilterGradient& job_;
  TileGrid grid_;
  Panels panels_;
  int64_t depth_;
};

}  // namespace zoo
