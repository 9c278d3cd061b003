// Products of two matrices in single precision, on vectors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "panel.h"
#include "scratch.h"
#include "tensorflow.h"
#include "threads.h"

namespace zoo {

/// c = a b + bias, [m, k] by [k, n]; c lies row by row.
class VectorProduct {
 public:
  /// @param bias [n], or nothing
  VectorProduct(Strided a, Strided b, int64_t m, int64_t k, int64_t n, const float* bias, float* c)
      : a_(a), b_(b), m_(m), k_(k), n_(n), c_(c), blocks_((n + kLanes - 1) / kLanes), bias_(blocks_ * kLanes) {
    if (bias != nullptr) std::copy_n(bias, n, bias_.begin());
  }

  /// Threads share the columns, or of few columns the rows.
  void Compute() const {
    if (blocks_ >= 4 * pool->threads()) {
      Parallel(blocks_, m_ * k_, [&](int, int64_t begin, int64_t end) { Part(0, m_, begin, end); });
    } else {
      Parallel((m_ + kPanelRows - 1) / kPanelRows, kPanelRows * k_ * blocks_, [&](int, int64_t begin, int64_t end) {
        Part(begin * kPanelRows, std::min(end * kPanelRows, m_), 0, blocks_);
      });
    }
  }

 private:
  /// Terms of a sum that are added at a time, and numbers of b laid out for them: both stay in the second cache.
  static constexpr int64_t kDeep = 512, kRoom = 1 << 17;

  /// Rows [first, last) of the vectors of columns [begin, end), some panels at a time.
  void Part(int64_t first, int64_t last, int64_t begin, int64_t end) const {
    static thread_local Scratch scratch;
    float* const panels = scratch.Room<float>(kRoom);
    const int64_t most = kRoom / (std::clamp<int64_t>(k_, 1, kDeep) * kLanes);  // vectors that there is room for
    for (int64_t from = begin; from < end;) {
      const int64_t groups = (end - from + most - 1) / most, to = from + (end - from) / groups;
      for (int64_t k = 0; k == 0 || k < k_; k += kDeep) {
        const int64_t depth = std::min(kDeep, k_ - k);
        EachPanel(from, to, [&](int64_t j, int64_t blocks) {
          const int64_t wide = blocks * kLanes;
          PackPanel({b_.At(k, j), b_.row, b_.column}, depth, wide, std::min(wide, n_ - j),
                    panels + (j - from * kLanes) * depth);
        });
        for (int64_t i = first; i < last; i += kPanelRows) {
          Rows(i, std::min(kPanelRows, last - i), from, to, k, depth, panels);
        }
      }
      from = to;
    }
  }

  /// Calls body(first column, vectors) for panels of like width of the vectors [begin, end).
  template <typename Body>
  static void EachPanel(int64_t begin, int64_t end, const Body& body) {
    const int64_t all = end - begin, panels = (all + kPanelBlocks - 1) / kPanelBlocks;
    for (int64_t p = 0; p < panels; p++) {
      const int64_t from = begin + all * p / panels, to = begin + all * (p + 1) / panels;
      body(from * kLanes, to - from);
    }
  }

  /// Adds terms [k, k + depth) to the sums of some rows, from i on, and of the columns of those panels.
  void Rows(int64_t i, int64_t count, int64_t begin, int64_t end, int64_t k, int64_t depth,
            const float* panels) const {
    Strided rows{a_.At(i, k), a_.row, a_.column};
    alignas(64) float together[kDeep * kPanelRows];
    if (a_.row == 1 && count == kPanelRows) {  // of a transposed factor, every term is on a line of its own
      for (int64_t term = 0; term < depth; term++) {
        std::memcpy(together + term * kPanelRows, rows.At(0, term), kPanelRows * sizeof(float));
      }
      rows = {together, 1, kPanelRows};
    }
    EachPanel(begin, end, [&](int64_t j, int64_t blocks) {
      const int64_t columns = std::min(n_ - j, blocks * kLanes);
      alignas(64) float before[kPanelRows][kPanelBlocks * kLanes];
      Sums sums{bias_.data() + j, 0, c_ + i * n_ + j, n_, columns};
      if (k > 0) {
        for (int64_t row = 0; row < count; row++) std::copy_n(sums.to + row * n_, columns, before[row]);
        sums.start = before[0];
        sums.start_row = kPanelBlocks * kLanes;
      }
      AddProducts(count, blocks, rows, panels + (j - begin * kLanes) * depth, depth, sums);
    });
  }

  Strided a_, b_;
  int64_t m_, k_, n_;
  float* c_;
  int64_t blocks_;
  std::vector<float> bias_;  // filled up to whole vectors
};

/// op(a) op(b) + bias, op the transpose where an attribute says so: [m, k], [k, n] and [n] -> [m, n].
inline void MultiplyOnVectors(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const bool transpose_a = attributes.transpose_a, transpose_b = attributes.transpose_b;
  Call call(context);
  const TF_Tensor *left = call.Input(0), *right = call.Input(1);
  const TF_Tensor* const bias = call.inputs() > 2 ? call.Input(2) : nullptr;
  if (!call.ok()) return;
  const auto a = ShapeOf(left), b = ShapeOf(right);
  const bool fits = a.size() == 2 && b.size() == 2 && a[transpose_a ? 0 : 1] == b[transpose_b ? 1 : 0];
  if (!call.Expect(fits, "a matrix product got factors that do not fit each other")) return;
  const int64_t m = a[transpose_a ? 1 : 0], k = a[transpose_a ? 0 : 1], n = b[transpose_b ? 0 : 1];
  const bool biased = bias == nullptr || CountOf(ShapeOf(bias)) == n;
  if (!call.Expect(biased, "a matrix product got a bias of another size")) return;
  float* const c = call.Output(0, {m, n});
  if (!call.ok()) return;
  VectorProduct({Call::Data(left), transpose_a ? 1 : k, transpose_a ? m : 1},
                {Call::Data(right), transpose_b ? 1 : n, transpose_b ? k : 1}, m, k, n,
                bias == nullptr ? nullptr : Call::Data(bias), c)
      .Compute();
}

}  // namespace zoo
