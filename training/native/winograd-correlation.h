// Correlation of images with filters of 3x3 or 2x2 taps in single precision, by Winograd's minimal filters: a
// convolution, and the gradient of its input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "winograd.h"
#include "panel.h"
#include "scratch.h"
#include "taps.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Tiles of 2x2 pixels, row by row, over lattices of `rows` x `columns` pixels of some images. Of the last in a row or a
/// column, a part may be outside.
struct TileGrid {
  int64_t images, rows, columns;

  int64_t down() const { return (rows + 1) / 2; }
  int64_t across() const { return (columns + 1) / 2; }
  int64_t count() const { return images * down() * across(); }
};

/// Some tiles of a grid. The last points of a direction tell only of its second pixel, so that a tile without one leaves
/// them out: there are four kinds of points, by which of their directions they are the last in, and each has its own
/// tiles.
class Tiles2x2 {
 public:
  /// Tiles [begin, end).
  Tiles2x2(const TileGrid& grid, int64_t begin, int64_t end) : grid_(grid), begin_(begin), end_(end) {
    ForEach([&](int64_t, int64_t, int64_t, const int64_t (&place)[4]) {
      for (int kind = 0; kind < 4; kind++) count_[kind] += place[kind] < end - begin;
    });
  }

  static constexpr int Kind(int point, int side) {
    return (point / side == side - 1 ? 1 : 0) + (point % side == side - 1 ? 2 : 0);
  }

  /// How many tiles have a kind of points.
  int64_t Count(int kind) const { return count_[kind]; }

  /// Calls body(image, i, j, place) for every tile: its first pixel is (i, j), its place among those that have a kind
  /// of points is place[kind], and after all of them where it has none.
  template <typename Body>
  void ForEach(const Body& body) const {
    int64_t j = begin_ % grid_.across(), i = begin_ / grid_.across() % grid_.down();
    int64_t image = begin_ / grid_.across() / grid_.down();
    int64_t seen[4] = {};
    for (int64_t t = 0; t < end_ - begin_; t++) {
      const bool below = 2 * i + 1 < grid_.rows, beside = 2 * j + 1 < grid_.columns;
      const bool has[4] = {true, below, beside, below && beside};
      int64_t place[4];
      for (int kind = 0; kind < 4; kind++) place[kind] = has[kind] ? seen[kind]++ : end_ - begin_;
      body(image, 2 * i, 2 * j, place);
      if (++j < grid_.across()) continue;
      j = 0;
      if (++i < grid_.down()) continue;
      i = 0;
      image++;
    }
  }

 private:
  const TileGrid& grid_;
  int64_t begin_, end_, count_[4] = {};
};

/// Images [images, height, width, channels], of which lattices are looked at: their channels are those of the sum.
struct TiledImages {
  const float* at;
  int64_t images, height, width, channels;
  std::vector<Lattice> lattices;

  int64_t depth() const { return channels * static_cast<int64_t>(lattices.size()); }
};

/// Numbers between tiles in memory, where a tile has `wide`: those of neighbours lie in different sets of the cache.
inline int64_t Pitch(int64_t wide) {
  const int64_t vectors = (wide + kLanes - 1) / kLanes;
  return (vectors + (vectors % 2 == 0 ? 1 : 0)) * kLanes;
}

/// Where what is transformed lies: so many numbers between points, and between tiles.
struct Points {
  float* at;
  int64_t point, tile;

  float* At(int p) const { return at + p * point; }
};

/// Where a tile's points of each kind lie, but for the point.
struct TilePoints {
  float* kind[4];

  TilePoints(const Points& points, const int64_t (&place)[4]) {
    for (int k = 0; k < 4; k++) kind[k] = points.at + place[k] * points.tile;
  }
};

/// Bᵀ d B of the patches of r+1 by r+1 pixels that begin at the tiles, for all lattices' channels.
template <int kTaps>
void TransformImages(const TiledImages& images, const Tiles2x2& tiles, Points v) {
  constexpr int kSide = kTaps + 1;
  const auto transform = [](const auto& d, auto& out) { Winograd<kTaps>::Image(d, out); };
  const int64_t row = images.width * images.channels;
  tiles.ForEach([&](int64_t image, int64_t i, int64_t j, const int64_t (&place)[4]) {
    const TilePoints to(v, place);
    int64_t channel = 0;
    for (const Lattice& lattice : images.lattices) {
      const int64_t stride = lattice.stride, y = lattice.y + i * stride, x = lattice.x + j * stride;
      const float* const from = images.at + (image * images.height + y) * row + x * images.channels;
      const auto patch = [&](const auto& inside) {
        CoverChannels(images.channels, [&](auto zero, int64_t c) {
          using V = decltype(zero);
          V d[kSide][kSide], out[kSide][kSide];
#pragma GCC unroll 4
          for (int a = 0; a < kSide; a++) {
#pragma GCC unroll 4
            for (int b = 0; b < kSide; b++)
              d[a][b] = inside(a, b) ? Get<V>(from + a * stride * row + b * stride * images.channels + c) : V();
          }
          BothWays(d, out, transform);
#pragma GCC unroll 4
          for (int a = 0; a < kSide; a++) {
#pragma GCC unroll 4
            for (int b = 0; b < kSide; b++) {
              const int p = a * kSide + b;
              PutNear(to.kind[Tiles2x2::Kind(p, kSide)] + p * v.point + channel + c, out[a][b]);
            }
          }
        });
      };
      const int64_t last = (kSide - 1) * stride;
      if (y >= 0 && x >= 0 && y + last < images.height && x + last < images.width) {
        patch([](int, int) { return true; });
      } else {
        bool rows[kSide], columns[kSide];
        for (int a = 0; a < kSide; a++) {
          rows[a] = y + a * stride >= 0 && y + a * stride < images.height;
          columns[a] = x + a * stride >= 0 && x + a * stride < images.width;
        }
        patch([&](int a, int b) { return rows[a] && columns[b]; });
      }
      channel += images.channels;
    }
  });
}

/// Which of the images' numbers count at a point: the last in a direction is 0 of filters with fewer taps there.
template <int kTaps, typename T>
Range CountingAt(int point, const std::vector<TapsOf<T>>& taps, int64_t channels) {
  Range range{static_cast<int64_t>(taps.size()), 0};
  for (int64_t set = 0; set < static_cast<int64_t>(taps.size()); set++) {
    const bool y = point / (kTaps + 1) < kTaps || taps[set].height == kTaps;
    const bool x = point % (kTaps + 1) < kTaps || taps[set].width == kTaps;
    if (y && x) range = {std::min(range.first, set), set + 1};
  }
  return {std::min(range.first, range.last) * channels, range.last * channels};
}

/// Vectors of some columns, in panels of like width: [begin, end) as first vector and count.
struct Panels {
  int64_t blocks;  // vectors of all columns

  int64_t count() const { return (blocks + kPanelBlocks - 1) / kPanelBlocks; }
  int64_t begin(int64_t panel) const { return blocks * panel / count(); }
  int64_t wide(int64_t panel) const { return (begin(panel + 1) - begin(panel)) * kLanes; }
};

/// G g Gᵀ of all filters, which may have fewer taps: for each panel of outputs and each point, [depth, wide].
template <int kTaps>
class TransformedFilters {
 public:
  static constexpr int kSide = kTaps + 1, kPoints = kSide * kSide;

  TransformedFilters(const std::vector<Taps>& taps, int64_t channels, int64_t outputs, float* room)
      : panels_{(outputs + kLanes - 1) / kLanes},
        depth_(channels * static_cast<int64_t>(taps.size())),
        outputs_(outputs),
        at_(room) {
    // Rows of what lies together in the filter: a channel's outputs, or an output's channels.
    const bool by_channel = taps[0].output == 1;
    const int64_t rows = by_channel ? channels : outputs, wide = by_channel ? outputs : channels;
    const int64_t sets = static_cast<int64_t>(taps.size());
    static thread_local Scratch scratch;
    float* const loose = scratch.Room<float>(kPoints * depth_ * outputs);
    const int64_t row = by_channel ? outputs : depth_, point = depth_ * outputs;
    Parallel(sets * rows, wide * kPoints, [&](int, int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; at++) {
        const Taps& set = taps[at / rows];
        const int64_t r = at % rows, first = by_channel ? at * row : r * row + at / rows * channels;
        const float* const from = set.start + r * (by_channel ? set.channel : set.output);
        CoverChannels(wide, [&](auto zero, int64_t c) {
          using V = decltype(zero);
          V g[kTaps][kTaps], u[kSide][kSide];
          for (int a = 0; a < kTaps; a++) {
            for (int b = 0; b < kTaps; b++) {
              const bool there = a < set.height && b < set.width;
              g[a][b] = there ? Get<V>(from + a * set.tap_row + b * set.tap + c) : V();
            }
          }
          BothWays(g, u, [](const auto& in, auto& out) { Winograd<kTaps>::Filter(in, out); });
          for (int p = 0; p < kPoints; p++) PutNear(loose + p * point + first + c, u[p / kSide][p % kSide]);
        });
      }
    });
    const Strided shape{loose, by_channel ? row : 1, by_channel ? 1 : row};
    Parallel(kPoints * panels_.count(), depth_ * kPanelBlocks * kLanes, [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t panel = i / kPoints, p = i % kPoints, first = panels_.begin(panel) * kLanes;
        const Strided part{shape.At(0, first) + p * point, shape.row, shape.column};
        PackPanel(part, depth_, panels_.wide(panel), std::min(panels_.wide(panel), outputs - first), At(panel, p));
      }
    });
  }

  /// Numbers that there must be room for.
  static int64_t Room(int64_t depth, int64_t outputs) {
    return kPoints * depth * ((outputs + kLanes - 1) / kLanes) * kLanes;
  }

  const Panels& panels() const { return panels_; }
  float* At(int64_t panel, int64_t point) const {
    return at_ + (panels_.begin(panel) * kLanes * kPoints + panels_.wide(panel) * point) * depth_;
  }

 private:
  Panels panels_;
  int64_t depth_, outputs_;
  float* at_;
};

/// y at a lattice's pixels = bias + the correlation of the images' lattices with their taps.
struct WinogradCorrelation {
  TiledImages images;
  std::vector<Taps> taps;  // of each lattice
  float* y;                // [images, height, width, outputs]
  int64_t height, width, outputs;
  int64_t rows, columns;
  Lattice to;
  const float* bias;  // [outputs, filled up to whole vectors]
  bool relu;
};

/// Aᵀ m A of the tiles, for some outputs from `first` on.
template <int kTaps>
void TransformResults(const WinogradCorrelation& job, const Tiles2x2& tiles, int64_t first, int64_t wide, Points m) {
  constexpr int kSide = kTaps + 1;
  const int64_t there = std::min(wide, job.outputs - first);
  tiles.ForEach([&](int64_t image, int64_t i, int64_t j, const int64_t (&place)[4]) {
    const TilePoints points(m, place);
    const int64_t y = job.to.y + i * job.to.stride, x = job.to.x + j * job.to.stride;
    float* const to = job.y + ((image * job.height + y) * job.width + x) * job.outputs + first;
    const int64_t down = job.to.stride * job.width * job.outputs, right = job.to.stride * job.outputs;
    for (int64_t n = 0; n < there; n += kLanes) {
      Lanes in[kSide][kSide], out[2][2];
#pragma GCC unroll 4
      for (int a = 0; a < kSide; a++) {
#pragma GCC unroll 4
        for (int b = 0; b < kSide; b++) {
          const int p = a * kSide + b;
          in[a][b] = Get<Lanes>(points.kind[Tiles2x2::Kind(p, kSide)] + p * m.point + n);
        }
      }
      BothWays(in, out, [](const auto& sums, auto& y) { Winograd<kTaps>::Result(sums, y); });
      const Lanes bias = job.bias == nullptr ? Lanes() : Get<Lanes>(job.bias + first + n);
      for (int a = 0; a < 2 && i + a < job.rows; a++) {
        for (int b = 0; b < 2 && j + b < job.columns; b++) {
          Lanes sum = out[a][b] + bias;
          if (job.relu) sum = Above(sum, Lanes());
          float* const at = to + a * down + b * right + n;
          if (there - n >= kLanes) {
            Put(at, sum);
          } else {
            std::memcpy(at, &sum, (there - n) * sizeof(float));
          }
        }
      }
    }
  });
}

/// Tiles that are transformed at a time: what they are transformed to stays in the second cache.
inline int64_t TilesAtOnce(int64_t depth, int64_t wide, int64_t tiles) {
  constexpr int64_t kRoom = 1 << 17;
  const int64_t fit = std::clamp<int64_t>(kRoom / (16 * (depth + wide)), 48, 96);
  const int64_t share = std::max<int64_t>((tiles + pool->threads() - 1) / pool->threads(), 1);
  return (std::min(share, fit) + kPanelRows - 1) / kPanelRows * kPanelRows;
}

template <int kTaps>
void Correlate(const WinogradCorrelation& job) {
  constexpr int kPoints = (kTaps + 1) * (kTaps + 1);
  static thread_local Scratch filter_room;
  const int64_t depth = job.images.depth();
  const TransformedFilters<kTaps> filters(job.taps, job.images.channels, job.outputs,
                                          filter_room.Room<float>(TransformedFilters<kTaps>::Room(depth, job.outputs)));
  const TileGrid grid{job.images.images, job.rows, job.columns};
  const Panels& panels = filters.panels();
  const int64_t most = std::min<int64_t>(panels.blocks, kPanelBlocks) * kLanes;
  const int64_t at_once = TilesAtOnce(depth, most, grid.count());
  const int64_t groups = (grid.count() + at_once - 1) / at_once;
  static const std::vector<float> zeros(kPanelBlocks * kLanes);
  Parallel(groups, at_once * depth * job.outputs * kPoints, [&](int, int64_t begin, int64_t end) {
    static thread_local Scratch room;
    const int64_t tile_v = Pitch(depth), tile_m = Pitch(most);
    const int64_t point_v = (at_once + 1) * tile_v + kLanes, point_m = (at_once + 1) * tile_m + kLanes;
    float* const numbers = room.Room<float>(kPoints * (point_v + point_m));
    const Points v{numbers, point_v, tile_v}, m{numbers + kPoints * point_v, point_m, tile_m};
    for (int64_t group = begin; group < end; group++) {
      const int64_t first = group * at_once, last = std::min(grid.count(), first + at_once);
      const Tiles2x2 tiles(grid, first, last);
      TransformImages<kTaps>(job.images, tiles, v);
      for (int64_t panel = 0; panel < panels.count(); panel++) {
        const int64_t wide = panels.wide(panel);
        for (int p = 0; p < kPoints; p++) {
          const int64_t having = tiles.Count(Tiles2x2::Kind(p, kTaps + 1));
          const Sums sums{zeros.data(), 0, m.At(p), m.tile, wide};
          const Range counting = CountingAt<kTaps>(p, job.taps, job.images.channels);
          const Strided rows{v.At(p) + counting.first, v.tile, 1};
          AddProducts(having, wide / kLanes, rows, filters.At(panel, p) + counting.first * wide,
                      counting.last - counting.first, sums);
        }
        TransformResults<kTaps>(job, tiles, panels.begin(panel) * kLanes, wide, m);
      }
    }
  });
}

}  // namespace zoo
