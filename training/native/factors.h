// What matrix tiles multiply.
#pragma once

#include <cstdint>

#include "vectors.h"

namespace zoo {

/// A tile of sums has 16 rows of 16 f32, that of a left factor as many rows of 32 bf16, that of a right factor 32 rows of
/// 16. Of these, two lie interleaved: number by number, that of the even row first.
constexpr int kTileRows = 16, kTileDepth = 32, kTileColumns = 16, kTileSize = 512;

/// Where numbers lie that are read in runs of so many, an even number: so far from the first each run begins. Their rows
/// of the right factor begin so many rows after those of the run before.
struct Runs {
  const int64_t* at;
  int64_t size, apart;
};

/// Four left factors: a tile's rows lie `stride` bytes apart, its parts `part` numbers. The first `rows` are of use.
/// A row lies in sequence, or, on vectors, in runs.
struct Left {
  const Bf16* at[4];
  int64_t stride, part;
  int rows;
  const Runs* runs = nullptr;
};

/// A right factor, its parts `part` numbers apart. The first `depth` rows are of use.
struct Right {
  const Bf16* at;
  int64_t part, depth;
};

}  // namespace zoo
