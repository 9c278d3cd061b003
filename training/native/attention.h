// Scaled dot-product attention in several heads (models/src/ops/attention.ts), and its gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gelu.h"
#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// A matrix whose element (i, k) is at[i * row + k * column].
struct Strided {
  const float* at;
  int64_t row, column;
};

/// Rows of numbers, each filled up with zeros to a multiple of 16.
class Rows {
 public:
  void Resize(int64_t rows, int64_t columns) {
    width_ = (columns + kLanes - 1) / kLanes * kLanes;
    data_.assign(static_cast<size_t>(rows * width_), 0.0f);
  }

  float* Row(int64_t row) { return data_.data() + row * width_; }
  int64_t width() const { return width_; }
  Strided Plain() const { return {data_.data(), width_, 1}; }
  Strided Transposed() const { return {data_.data(), 1, width_}; }

 private:
  int64_t width_ = 0;
  std::vector<float> data_;
};

/// c = factor a b for so many rows of c, and 16 times so many columns, from (i, j) on.
template <int kRows, int kBlocks>
void ProductTile(const Strided& a, Rows& b, Rows& c, int64_t i, int64_t j, int64_t depth, float factor) {
  Lanes sums[kRows][kBlocks] = {};
  const float* left = a.at + i * a.row;
  for (int64_t k = 0; k < depth; k++) {
    const float* right = b.Row(k) + j;
    Lanes factors[kBlocks];
    for (int block = 0; block < kBlocks; block++) factors[block] = Get<Lanes>(right + block * kLanes);
    for (int row = 0; row < kRows; row++) {
      const float one = left[row * a.row + k * a.column];
      for (int block = 0; block < kBlocks; block++) sums[row][block] += factors[block] * one;
    }
  }
  for (int row = 0; row < kRows; row++) {
    for (int block = 0; block < kBlocks; block++)
      PutNear(c.Row(i + row) + j + block * kLanes, sums[row][block] * factor);
  }
}

/// c = factor a b, with a of [rows, depth]
inline void Product(const Strided& a, Rows& b, Rows& c, int64_t rows, int64_t depth, float factor = 1) {
  for (int64_t j = 0; j < c.width();) {
    const bool wide = j + 4 * kLanes <= c.width();
    int64_t i = 0;
    for (; i + 6 <= rows; i += 6)
      wide ? ProductTile<6, 4>(a, b, c, i, j, depth, factor) : ProductTile<6, 1>(a, b, c, i, j, depth, factor);
    for (; i < rows; i++)
      wide ? ProductTile<1, 4>(a, b, c, i, j, depth, factor) : ProductTile<1, 1>(a, b, c, i, j, depth, factor);
    j += wide ? 4 * kLanes : kLanes;
  }
}

/// What a thread works with for one head.
struct HeadRoom {
  Rows q, k, v, turned, scores, changes, result;
};

/// The sizes of a call: [batch, queries, d] and [batch, keys, d], in heads of dh channels.
struct AttentionShape {
  int64_t batch, queries, keys, d, heads, dh;
  float scale;

  AttentionShape(const std::vector<int64_t>& q, const std::vector<int64_t>& k, int64_t heads)
      : batch(q[0]), queries(q[1]), keys(k[1]), d(q[2]), heads(heads), dh(d / heads) {
    scale = 1 / std::sqrt(static_cast<float>(dh));
  }

  /// Where the rows of a head begin.
  int64_t At(int64_t head, int64_t tokens) const { return head / heads * tokens * d + head % heads * dh; }

  void Load(const float* tensor, int64_t head, int64_t tokens, Rows& rows) const {
    rows.Resize(tokens, dh);
    for (int64_t i = 0; i < tokens; i++) std::copy_n(tensor + At(head, tokens) + i * d, dh, rows.Row(i));
  }

  /// A head's rows as columns.
  void LoadTurned(const float* tensor, int64_t head, int64_t tokens, Rows& rows) const {
    rows.Resize(dh, tokens);
    const float* from = tensor + At(head, tokens);
    for (int64_t c = 0; c < dh; c++) {
      float* to = rows.Row(c);
      for (int64_t i = 0; i < tokens; i++) to[i] = from[i * d + c];
    }
  }

  void Store(Rows& rows, int64_t head, int64_t tokens, float* tensor) const {
    for (int64_t i = 0; i < tokens; i++) std::copy_n(rows.Row(i), dh, tensor + At(head, tokens) + i * d);
  }

  /// Calls body(head, room) for every head of every image or sentence.
  template <typename Body>
  void EachHead(const Body& body) const {
    Parallel(batch * heads, queries * keys * dh, [&](int, int64_t begin, int64_t end) {
      static thread_local HeadRoom room;
      for (int64_t head = begin; head < end; head++) body(head, room);
    });
  }
};

inline bool FitForAttention(const std::vector<int64_t>& q, const std::vector<int64_t>& k, const std::vector<int64_t>& v,
                            int64_t heads) {
  return q.size() == 3 && k.size() == 3 && k == v && q[0] == k[0] && q[2] == k[2] && heads > 0 && q[2] % heads == 0 &&
         q[2] > 0 && k[1] > 0;
}

/// q, k, v -> o, p
inline void Attention(void* raw, TF_OpKernelContext* context) {
  const int64_t heads = static_cast<Attributes*>(raw)->heads;
  Call call(context);
  const TF_Tensor *queries = call.Input(0), *keys = call.Input(1), *values = call.Input(2);
  if (!call.ok()) return;
  const auto shape = ShapeOf(queries), others = ShapeOf(keys);
  const bool fits = FitForAttention(shape, others, ShapeOf(values), heads);
  if (!call.Expect(fits, "attention got queries, keys and values that do not fit each other")) return;
  const AttentionShape sizes(shape, others, heads);
  const float *q = Call::Data(queries), *k = Call::Data(keys), *v = Call::Data(values);
  float* o = call.Output(0, shape);
  float* p = call.Output(1, {sizes.batch, heads, sizes.queries, sizes.keys});
  if (!call.ok()) return;
  sizes.EachHead([&](int64_t head, HeadRoom& room) {
    sizes.Load(q, head, sizes.queries, room.q);
    sizes.LoadTurned(k, head, sizes.keys, room.turned);
    sizes.Load(v, head, sizes.keys, room.v);
    room.scores.Resize(sizes.queries, sizes.keys);
    Product(room.q.Plain(), room.turned, room.scores, sizes.queries, sizes.dh, sizes.scale);
    const int count = static_cast<int>(sizes.keys);
    for (int64_t i = 0; i < sizes.queries; i++) {
      float* row = room.scores.Row(i);
      const float largest = *std::max_element(row, row + count);
      EachOfRow(count, [=](auto zero, int j) {
        using V = decltype(zero);
        PutNear(row + j, Exp(Get<V>(row + j) - largest));
      });
      const float total = 1 / SumRow(count, [=](auto zero, int j) { return Get<decltype(zero)>(row + j); });
      float* to = p + (head * sizes.queries + i) * sizes.keys;
      EachOfRow(count, [=](auto zero, int j) {
        using V = decltype(zero);
        const V share = Get<V>(row + j) * total;
        PutNear(row + j, share);
        PutNear(to + j, share);
      });
    }
    room.result.Resize(sizes.queries, sizes.dh);
    Product(room.scores.Plain(), room.v, room.result, sizes.queries, sizes.keys);
    sizes.Store(room.result, head, sizes.queries, o);
  });
}

/// dy, q, k, v, p -> dq, dk, dv
inline void AttentionGrad(void* raw, TF_OpKernelContext* context) {
  const int64_t heads = static_cast<Attributes*>(raw)->heads;
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[1]), others = ShapeOf(inputs[2]);
  const bool fits = FitForAttention(shape, others, ShapeOf(inputs[3]), heads) && ShapeOf(inputs[0]) == shape &&
                    CountOf(ShapeOf(inputs[4])) == shape[0] * heads * shape[1] * others[1];
  if (!call.Expect(fits, "attention's gradient got tensors that do not fit each other")) return;
  const AttentionShape sizes(shape, others, heads);
  const float *dy = Call::Data(inputs[0]), *q = Call::Data(inputs[1]), *k = Call::Data(inputs[2]);
  const float *v = Call::Data(inputs[3]), *p = Call::Data(inputs[4]);
  float *dq = call.Output(0, shape), *dk = call.Output(1, others), *dv = call.Output(2, others);
  if (!call.ok()) return;
  sizes.EachHead([&](int64_t head, HeadRoom& room) {
    Rows& dO = room.v;
    sizes.Load(dy, head, sizes.queries, dO);
    sizes.LoadTurned(v, head, sizes.keys, room.turned);
    room.changes.Resize(sizes.queries, sizes.keys);
    Product(dO.Plain(), room.turned, room.changes, sizes.queries, sizes.dh);  // dP
    const int count = static_cast<int>(sizes.keys);
    const float* shares = p + head * sizes.queries * sizes.keys;
    for (int64_t i = 0; i < sizes.queries; i++) {
      float* row = room.changes.Row(i);
      const float* share = shares + i * sizes.keys;
      const float along = SumRow(count, [=](auto zero, int j) {
        using V = decltype(zero);
        return Get<V>(row + j) * Get<V>(share + j);
      });
      EachOfRow(count, [=](auto zero, int j) {
        using V = decltype(zero);
        PutNear(row + j, Get<V>(share + j) * (Get<V>(row + j) - along));  // dS
      });
    }
    sizes.Load(k, head, sizes.keys, room.k);
    room.result.Resize(sizes.queries, sizes.dh);
    Product(room.changes.Plain(), room.k, room.result, sizes.queries, sizes.keys, sizes.scale);
    sizes.Store(room.result, head, sizes.queries, dq);
    sizes.Load(q, head, sizes.queries, room.q);
    room.result.Resize(sizes.keys, sizes.dh);
    Product(room.changes.Transposed(), room.q, room.result, sizes.keys, sizes.queries, sizes.scale);
    sizes.Store(room.result, head, sizes.keys, dk);
    Product({shares, 1, sizes.keys}, dO, room.result, sizes.keys, sizes.queries);
    sizes.Store(room.result, head, sizes.keys, dv);
  });
}

}  // namespace zoo
