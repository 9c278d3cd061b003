// What recurrent cells share (models/src/ops/recurrence.ts): their functions, and which rows take which step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include "gelu.h"
#include "layer-norm.h"
#include "packed-product.h"
#include "tensorflow.h"
#include "threads.h"
#include "tiled-product.h"
#include "vectors.h"

namespace zoo {

/// 1 / (1 + exp(-a))
template <typename V>
V Sigmoid(V a) {
  const V zero = V(), one = zero + 1.0f, e = Exp(a < zero ? a : -a);  // at most 1
  return (a < zero ? e : one) / (e + 1.0f);
}

/// tanh(a), near 0 by its series, where the quotient would lose digits
template <typename V>
V Tanh(V a) {
  const V zero = V(), size = a < zero ? -a : a, e = Exp(size * -2.0f), far = (1.0f - e) / (e + 1.0f);
  const V square = a * a;
  V series = square * (62.0f / 2835) - (17.0f / 315);
  series = series * square + (2.0f / 15);
  series = series * square - (1.0f / 3);
  const V near = a + a * square * series;
  return size < zero + 0.3f ? near : (a < zero ? -far : far);
}

/// Sequences of `time` steps, each of d numbers, of which a row's first `lengths` count.
struct Sequences {
  int64_t batch, time, d;
  bool reverse;
  const int32_t* lengths;  // null: all steps of all rows

  int64_t Length(int64_t row) const { return lengths == nullptr ? time : std::clamp<int64_t>(lengths[row], 0, time); }

  /// The steps in the order in which they are taken.
  int64_t Step(int64_t taken) const { return reverse ? time - 1 - taken : taken; }
};

/// A thread's rows of a batch, longest first: those that take a step are always the first of them.
class Share {
 public:
  Share(const Sequences& all, int64_t begin, int64_t end) : all_(all), rows_(end - begin) {
    std::iota(rows_.begin(), rows_.end(), begin);
    std::stable_sort(rows_.begin(), rows_.end(), [&](int64_t a, int64_t b) { return all.Length(a) > all.Length(b); });
  }

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  int64_t operator[](int64_t i) const { return rows_[i]; }

  /// How many of them take step t.
  int64_t At(int64_t t) const {
    int64_t count = size();
    while (count > 0 && all_.Length(rows_[count - 1]) <= t) count--;
    return count;
  }

  /// The rows of a tensor [batch, d], `stride` apart.
  std::vector<float> Load(const float* from, int64_t stride) const {
    std::vector<float> to(size() * stride);
    for (int64_t i = 0; i < size(); i++) std::copy_n(from + rows_[i] * all_.d, all_.d, to.data() + i * stride);
    return to;
  }

  void Store(const std::vector<float>& from, int64_t stride, float* to) const {
    for (int64_t i = 0; i < size(); i++) std::copy_n(from.data() + i * stride, all_.d, to + rows_[i] * all_.d);
  }

  /// Fills step t of the rows from `first` on, which don't take it, with 0: [batch, time, width].
  void Clear(float* tensor, int64_t width, int64_t t, int64_t first) const {
    for (int64_t i = first; i < size(); i++) std::fill_n(tensor + (rows_[i] * all_.time + t) * width, width, 0.0f);
  }

 private:
  const Sequences& all_;
  std::vector<int64_t> rows_;
};

/// Weights that every step multiplies by, packed once for what the processor has.
class StepWeights {
  template <typename Body>
  auto With(const Body& body) const {
#ifdef ZOO_MATRIX_UNIT
    if (half_ != nullptr) return body(*half_);
    if (single_ != nullptr) return body(*single_);
#endif
    return body(*vectors_);
  }

 public:
  /// Element (k, j) is from[k * row + j * column].
  /// @param rows of the whole batch
  StepWeights(const float* from, int64_t depth, int64_t columns, int64_t row, int64_t column,
              [[maybe_unused]] int64_t rows, [[maybe_unused]] bool bf16) {
#ifdef ZOO_MATRIX_UNIT
    // Few rows, or short ones, leave tiles empty.
    if (tiles_granted && rows >= 4 * pool->threads() && depth >= kTileDepth) {
      if (bf16) {
        half_ = std::make_unique<TiledMatrix<1>>(from, depth, columns, row, column);
      } else {
        single_ = std::make_unique<TiledMatrix<3>>(from, depth, columns, row, column);
      }
      return;
    }
#endif
    vectors_ = std::make_unique<PackedMatrix>(from, depth, columns, row, column);
  }

  /// The columns, filled up to whole vectors.
  int64_t width() const {
    return With([](auto& matrix) { return matrix.width(); });
  }

  /// c = a b, b these weights: so many rows of `depth` numbers, `stride` apart, into as many of width() numbers.
  void Multiply(const float* a, int64_t stride, int64_t rows, float* c) const {
    With([&](auto& matrix) { matrix.Multiply(a, stride, rows, c); });
  }

 private:
#ifdef ZOO_MATRIX_UNIT
  std::unique_ptr<TiledMatrix<1>> half_;
  std::unique_ptr<TiledMatrix<3>> single_;
#endif
  std::unique_ptr<PackedMatrix> vectors_;
};

/// Calls body(share) for the rows of each thread, whose steps wait for no other's.
/// @param cost multiply-adds of a row's step
template <typename Body>
void EachShare(const Sequences& all, int64_t cost, const Body& body) {
  Parallel(all.batch, all.time * cost, [&](int, int64_t begin, int64_t end) {
    if (begin < end) body(Share(all, begin, end));
  });
}

/// A cell's call: what it has of tensors, and whether they fit.
class CellCall : public Call {
 public:
  using Call::Call;

  /// The input at an index, which must have this shape.
  template <typename T = float>
  const T* Expected(int index, const std::vector<int64_t>& shape) {
    const TF_Tensor* tensor = Input(index);
    if (!ok() || !Expect(ShapeOf(tensor) == shape, "a recurrent cell got tensors that do not fit each other")) {
      return nullptr;
    }
    return Data<T>(tensor);
  }

  /// The lengths, where there is an input at this index.
  const int32_t* Lengths(int64_t index, int64_t batch) {
    if (inputs() <= index) return nullptr;
    const TF_Tensor* tensor = Input(static_cast<int>(index));
    if (!ok() ||
        !Expect(ShapeOf(tensor) == std::vector<int64_t>{batch}, "a recurrent cell got other than a length a row"))
      return nullptr;
    return Data<int32_t>(tensor);
  }

  /// Sizes by those of an input [batch, time, …] and of one [batch, d].
  Sequences Sizes(int sequence, int state, bool reverse, int64_t lengths) {
    const TF_Tensor *steps = Input(sequence), *first = Input(state);
    if (!ok()) return {};
    const auto shape = ShapeOf(steps), d = ShapeOf(first);
    if (!Expect(shape.size() == 3 && d.size() == 2 && d[1] > 0, "a recurrent cell got other than sequences")) return {};
    return {shape[0], shape[1], d[1], reverse, Lengths(lengths, shape[0])};
  }
};

}  // namespace zoo
