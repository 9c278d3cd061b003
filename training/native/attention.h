// Scaled dot-product attention in several heads (models/src/ops/attention.ts and attention-lean.ts), and its gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gelu.h"
#include "layer-norm.h"
#include "panel.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Rows of numbers, each filled up with zeros to whole vectors.
class Rows {
 public:
  void Resize(int64_t rows, int64_t columns) {
    width_ = (columns + kLanes - 1) / kLanes * kLanes;
    data_.assign(static_cast<size_t>(rows * width_), 0.0f);
  }

  float* Row(int64_t row) { return data_.data() + row * width_; }
  int64_t width() const { return width_; }
  Strided Plain(int64_t first = 0) { return {Row(first), width_, 1}; }
  Strided Transposed() { return {data_.data(), 1, width_}; }

 private:
  int64_t width_ = 0;
  std::vector<float> data_;
};

/// Some rows of a Rows, from one on.
struct Lines {
  float* at;
  int64_t width;

  Lines(Rows& rows, int64_t first = 0) : at(rows.Row(first)), width(rows.width()) {}
  float* Row(int64_t row) const { return at + row * width; }
};

/// c = factor a b, or c += it, for so many rows and vectors of c, from (i, j) on.
template <int kRows, int kBlocks, bool kAdd>
void ProductTile(const Strided& a, const Lines& b, const Lines& c, int64_t i, int64_t j, int64_t depth, float factor) {
  Lanes sums[kRows][kBlocks] = {};
  const float* left = a.At(i, 0);
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
    for (int block = 0; block < kBlocks; block++) {
      float* to = c.Row(i + row) + j + block * kLanes;
      const Lanes sum = sums[row][block] * factor;
      PutNear(to, kAdd ? Get<Lanes>(to) + sum : sum);
    }
  }
}

/// c = factor a b, or c += it, with a of [rows, depth], for the columns of c before `columns`, rounded up to whole vectors.
template <bool kAdd = false>
void Product(const Strided& a, const Lines& b, const Lines& c, int64_t rows, int64_t depth, int64_t columns,
             float factor = 1) {
  for (int64_t j = 0; j < columns;) {
    const bool wide = j + 4 * kLanes <= c.width;
    int64_t i = 0;
    for (; i + 6 <= rows; i += 6) {
      wide ? ProductTile<6, 4, kAdd>(a, b, c, i, j, depth, factor)
           : ProductTile<6, 1, kAdd>(a, b, c, i, j, depth, factor);
    }
    for (; i < rows; i++) {
      wide ? ProductTile<1, 4, kAdd>(a, b, c, i, j, depth, factor)
           : ProductTile<1, 1, kAdd>(a, b, c, i, j, depth, factor);
    }
    j += wide ? 4 * kLanes : kLanes;
  }
}

/// What a thread works with for one head.
struct HeadRoom {
  Rows q, k, v, turned, scores, changes, result, dk, dv;
};

/// Queries at a time: what belongs to them stays in a cache, and of keys that come later nothing is computed.
constexpr int64_t kQueries = 48;

/// The sizes of a call: [batch, queries, d] and [batch, keys, d], in heads of dh channels.
struct AttentionShape {
  int64_t batch, queries, keys, d, heads, dh;
  float scale;
  bool causal;
  const int32_t* lengths = nullptr;

  AttentionShape(const std::vector<int64_t>& q, const std::vector<int64_t>& k, const Attributes& attributes)
      : batch(q[0]),
        queries(q[1]),
        keys(k[1]),
        d(q[2]),
        heads(attributes.heads),
        dh(d / heads),
        scale(attributes.scale),
        causal(attributes.causal != 0) {}

  /// How many keys a query sees: those that come first.
  int64_t Seen(int64_t head, int64_t query) const {
    const int64_t length = lengths == nullptr ? keys : std::clamp<int64_t>(lengths[head / heads], 0, keys);
    return causal ? std::clamp<int64_t>(query + 1 + keys - queries, 0, length) : length;
  }

  /// Where the rows of a head begin.
  int64_t At(int64_t head, int64_t tokens) const { return head / heads * tokens * d + head % heads * dh; }

  template <typename T>
  void Load(const T* tensor, int64_t head, int64_t tokens, Rows& rows) const {
    rows.Resize(tokens, dh);
    for (int64_t i = 0; i < tokens; i++) {
      const T* from = tensor + At(head, tokens) + i * d;
      float* to = rows.Row(i);
      EachOfRow(static_cast<int>(dh), [=](auto zero, int c) { PutNear(to + c, Get<decltype(zero)>(from + c)); });
    }
  }

  /// A head's rows as columns.
  template <typename T>
  void LoadTurned(const T* tensor, int64_t head, int64_t tokens, Rows& rows) const {
    rows.Resize(dh, tokens);
    const T* from = tensor + At(head, tokens);
    for (int64_t c = 0; c < dh; c++) {
      float* to = rows.Row(c);
      for (int64_t i = 0; i < tokens; i++) to[i] = Get<float>(from + i * d + c);
    }
  }

  /// Rows as those of a head from token `first` on.
  template <typename T>
  void Store(Rows& rows, int64_t head, int64_t first, int64_t count, int64_t tokens, T* tensor) const {
    for (int64_t i = 0; i < count; i++) {
      const float* from = rows.Row(i);
      T* to = tensor + At(head, tokens) + (first + i) * d;
      EachOfRow(static_cast<int>(dh), [=](auto zero, int c) { PutNear(to + c, Get<decltype(zero)>(from + c)); });
    }
  }

  /// Calls body(head, room) for every head of every row of the batch; with `together`, those of one number in one
  /// thread.
  template <typename Body>
  void EachHead(bool together, const Body& body) const {
    const int64_t each = queries * keys * dh;
    Parallel(together ? heads : batch * heads, together ? batch * each : each, [&](int, int64_t begin, int64_t end) {
      static thread_local HeadRoom room;
      for (int64_t head = begin; head < end; head++) {
        if (!together) body(head, room);
        for (int64_t row = 0; together && row < batch; row++) body(row * heads + head, room);
      }
    });
  }

  /// Calls body(first, count, seen) for blocks of queries, with the number of keys that any of them sees.
  template <typename Body>
  void EachBlock(int64_t head, const Body& body) const {
    for (int64_t first = 0; first < queries; first += kQueries) {
      const int64_t count = std::min(kQueries, queries - first);
      body(first, count, Seen(head, first + count - 1));
    }
  }
};

/// A tensor that is spread over [batch, heads, queries, keys] along its axes of one element.
struct Spread {
  const float* at = nullptr;
  int64_t row = 0, head = 0, query = 0, key = 0;

  Spread() = default;
  Spread(const float* at, const std::vector<int64_t>& shape)
      : at(at),
        row(shape[0] == 1 ? 0 : shape[1] * shape[2] * shape[3]),
        head(shape[1] == 1 ? 0 : shape[2] * shape[3]),
        query(shape[2] == 1 ? 0 : shape[3]),
        key(shape[3] == 1 ? 0 : 1) {}

  const float* Row(const AttentionShape& sizes, int64_t number, int64_t i) const {
    return at + number / sizes.heads * row + number % sizes.heads * head + i * query;
  }

  /// a b for the numbers b of a row, or for its only one
  template <typename V>
  V Times(V a, const float* from, int j) const {
    return key == 0 ? a * *from : a * Get<V>(from + j);
  }
};

/// The inputs that a call may lack: lengths, bias, dropout's factors, in this order from `first` on.
struct AttentionExtras {
  const TF_Tensor *lengths = nullptr, *bias = nullptr, *dropout = nullptr;

  AttentionExtras(Call& call, const Attributes& attributes, int first) {
    if (attributes.with_lengths > 0) lengths = call.Input(first++);
    if (attributes.with_bias > 0) bias = call.Input(first++);
    if (attributes.with_dropout > 0) dropout = call.Input(first++);
  }

  bool Fit(const AttentionShape& sizes) const {
    const auto spreads = [](const TF_Tensor* tensor, const std::vector<int64_t>& full) {
      const auto shape = ShapeOf(tensor);
      for (size_t axis = 0; axis < shape.size() && shape.size() == full.size(); axis++)
        if (shape[axis] != 1 && shape[axis] != full[axis]) return false;
      return shape.size() == full.size();
    };
    const std::vector<int64_t> full = {sizes.batch, sizes.heads, sizes.queries, sizes.keys};
    return (lengths == nullptr || ShapeOf(lengths) == std::vector<int64_t>{sizes.batch}) &&
           (bias == nullptr || ShapeOf(bias) == std::vector<int64_t>{1, sizes.queries, sizes.keys} ||
            ShapeOf(bias) == std::vector<int64_t>{sizes.heads, sizes.queries, sizes.keys}) &&
           (dropout == nullptr || spreads(dropout, full));
  }

  Spread Bias() const {
    if (bias == nullptr) return {};
    const auto shape = ShapeOf(bias);
    return Spread(Call::Data(bias), {1, shape[0], shape[1], shape[2]});
  }

  Spread Dropout() const { return dropout == nullptr ? Spread() : Spread(Call::Data(dropout), ShapeOf(dropout)); }
};

inline bool FitForAttention(const std::vector<int64_t>& q, const std::vector<int64_t>& k, const std::vector<int64_t>& v,
                            int64_t heads) {
  return q.size() == 3 && k.size() == 3 && k == v && q[0] == k[0] && q[2] == k[2] && heads > 0 && q[2] % heads == 0 &&
         q[2] > 0 && k[1] > 0;
}

/// A block's scores s Q Kᵀ + B in room.scores, from room.q and room.turned; of a row, what it sees.
inline void BlockScores(const AttentionShape& sizes, HeadRoom& room, const Spread& bias, int64_t head, int64_t first,
                        int64_t count, int64_t seen) {
  room.scores.Resize(count, sizes.keys);
  Product(room.q.Plain(first), room.turned, room.scores, count, sizes.dh, seen, sizes.scale);
  for (int64_t i = 0; bias.at != nullptr && i < count; i++) {
    float* row = room.scores.Row(i);
    const float* more = bias.Row(sizes, head, first + i);
    EachOfRow(static_cast<int>(sizes.Seen(head, first + i)), [=](auto zero, int j) {
      using V = decltype(zero);
      PutNear(row + j, Get<V>(row + j) + Get<V>(more + j));
    });
  }
}

/// Sets to 0 what a row does not see.
inline void Hide(Rows& rows, int64_t i, int64_t seen) {
  float* row = rows.Row(i);
  std::fill(row + seen, row + rows.width(), 0.0f);
}

/// q, k, v, lengths, bias, dropout -> o and p, or (kLean) the logarithms of the sums over which p is a share
template <bool kLean>
void Attention(void* raw, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *queries = call.Input(0), *keys = call.Input(1), *values = call.Input(2);
  const AttentionExtras extras(call, attributes, 3);
  if (!call.ok()) return;
  const auto shape = ShapeOf(queries), others = ShapeOf(keys);
  const bool fits = FitForAttention(shape, others, ShapeOf(values), attributes.heads);
  if (!call.Expect(fits, "attention got queries, keys and values that do not fit each other")) return;
  AttentionShape sizes(shape, others, attributes);
  if (!call.Expect(extras.Fit(sizes), "attention got lengths, a bias or dropout factors of another size")) return;
  if (extras.lengths != nullptr) sizes.lengths = Call::Data<int32_t>(extras.lengths);
  const Spread bias = extras.Bias(), dropout = extras.Dropout();
  WithType(queries, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    using P = std::conditional_t<kLean, float, T>;
    const T *q = Call::Data<T>(queries), *k = Call::Data<T>(keys), *v = Call::Data<T>(values);
    T* o = call.Output<T>(0, shape);
    P* kept = call.Output<P>(1, {sizes.batch, sizes.heads, sizes.queries, kLean ? 1 : sizes.keys});
    if (!call.ok()) return;
    sizes.EachHead(false, [&](int64_t head, HeadRoom& room) {
      sizes.Load(q, head, sizes.queries, room.q);
      sizes.LoadTurned(k, head, sizes.keys, room.turned);
      sizes.Load(v, head, sizes.keys, room.v);
      sizes.EachBlock(head, [&](int64_t first, int64_t count, int64_t most) {
        BlockScores(sizes, room, bias, head, first, count, most);
        for (int64_t i = 0; i < count; i++) {
          float* row = room.scores.Row(i);
          const int seen = static_cast<int>(sizes.Seen(head, first + i));
          const int64_t at = head * sizes.queries + first + i;
          Hide(room.scores, i, seen);
          const float largest = seen > 0 ? *std::max_element(row, row + seen) : 0.0f;
          EachOfRow(seen, [=](auto zero, int j) {
            using V = decltype(zero);
            PutNear(row + j, Exp(Get<V>(row + j) - largest));
          });
          const float total = SumRow(seen, [=](auto zero, int j) { return Get<decltype(zero)>(row + j); });
          const float share = seen > 0 ? 1 / total : 0.0f;
          EachOfRow(seen, [=](auto zero, int j) {
            using V = decltype(zero);
            PutNear(row + j, Get<V>(row + j) * share);
          });
          if constexpr (kLean) {
            kept[at] = seen > 0 ? largest + std::log(total) : 0.0f;
          } else {
            P* to = kept + at * sizes.keys;
            EachOfRow(static_cast<int>(sizes.keys),
                      [=](auto zero, int j) { PutNear(to + j, Get<decltype(zero)>(row + j)); });
          }
          if (dropout.at == nullptr) continue;
          const float* factors = dropout.Row(sizes, head, first + i);
          EachOfRow(seen, [&](auto zero, int j) {
            using V = decltype(zero);
            PutNear(row + j, dropout.Times(Get<V>(row + j), factors, j));
          });
        }
        room.result.Resize(count, sizes.dh);
        Product(room.scores.Plain(), room.v, room.result, count, most, sizes.dh);
        sizes.Store(room.result, head, first, count, sizes.queries, o);
      });
    });
  });
}

/// dy, q, k, v, p or (kLean) the logarithms, lengths, bias, dropout -> dq, dk, dv, dbias
template <bool kLean>
void AttentionGrad(void* raw, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  const AttentionExtras extras(call, attributes, 5);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[1]), others = ShapeOf(inputs[2]);
  const bool fits = FitForAttention(shape, others, ShapeOf(inputs[3]), attributes.heads) &&
                    ShapeOf(inputs[0]) == shape &&
                    CountOf(ShapeOf(inputs[4])) == shape[0] * attributes.heads * shape[1] * (kLean ? 1 : others[1]);
  if (!call.Expect(fits, "attention's gradient got tensors that do not fit each other")) return;
  AttentionShape sizes(shape, others, attributes);
  if (!call.Expect(extras.Fit(sizes), "attention's gradient got lengths, a bias or dropout factors of another size"))
    return;
  if (extras.lengths != nullptr) sizes.lengths = Call::Data<int32_t>(extras.lengths);
  const Spread bias = extras.Bias(), dropout = extras.Dropout();
  const int64_t plane = sizes.queries * sizes.keys;
  // A bias's gradient is a sum over the batch, of which a thread makes all of a head's part.
  std::vector<float> changesOfBias(bias.at == nullptr ? 0 : static_cast<size_t>(sizes.heads * plane), 0.0f);
  WithType(inputs[1], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    using P = std::conditional_t<kLean, float, T>;
    const T *dy = Call::Data<T>(inputs[0]), *q = Call::Data<T>(inputs[1]), *k = Call::Data<T>(inputs[2]);
    const T* v = Call::Data<T>(inputs[3]);
    const P* kept = Call::Data<P>(inputs[4]);
    T *dq = call.Output<T>(0, shape), *dk = call.Output<T>(1, others), *dv = call.Output<T>(2, others);
    if (!call.ok()) return;
    sizes.EachHead(bias.at != nullptr, [&](int64_t head, HeadRoom& room) {
      sizes.Load(q, head, sizes.queries, room.q);
      sizes.Load(k, head, sizes.keys, room.k);
      if (kLean) sizes.LoadTurned(k, head, sizes.keys, room.turned);
      Rows& dO = room.result;
      sizes.Load(dy, head, sizes.queries, dO);
      sizes.LoadTurned(v, head, sizes.keys, room.v);
      room.dk.Resize(sizes.keys, sizes.dh);
      room.dv.Resize(sizes.keys, sizes.dh);
      sizes.EachBlock(head, [&](int64_t first, int64_t count, int64_t most) {
        if (kLean) {
          BlockScores(sizes, room, bias, head, first, count, most);
        } else {
          room.scores.Resize(count, sizes.keys);
        }
        room.changes.Resize(count, sizes.keys);
        Product(dO.Plain(first), room.v, room.changes, count, sizes.dh, most);  // dP
        for (int64_t i = 0; i < count; i++) {
          float *row = room.changes.Row(i), *share = room.scores.Row(i);
          const int seen = static_cast<int>(sizes.Seen(head, first + i));
          const int64_t at = head * sizes.queries + first + i;
          if constexpr (kLean) {
            const float logarithm = kept[at];
            EachOfRow(seen, [=](auto zero, int j) {
              using V = decltype(zero);
              PutNear(share + j, Exp(Get<V>(share + j) - logarithm));
            });
            Hide(room.scores, i, seen);
          } else {
            const P* from = kept + at * sizes.keys;
            EachOfRow(seen, [=](auto zero, int j) { PutNear(share + j, Get<decltype(zero)>(from + j)); });
          }
          Hide(room.changes, i, seen);
          const float* factors = dropout.at == nullptr ? nullptr : dropout.Row(sizes, head, first + i);
          if (factors != nullptr) {
            EachOfRow(seen, [&](auto zero, int j) {
              using V = decltype(zero);
              PutNear(row + j, dropout.Times(Get<V>(row + j), factors, j));
            });
          }
          const float along = SumRow(seen, [=](auto zero, int j) {
            using V = decltype(zero);
            return Get<V>(row + j) * Get<V>(share + j);
          });
          EachOfRow(seen, [=](auto zero, int j) {
            using V = decltype(zero);
            PutNear(row + j, Get<V>(share + j) * (Get<V>(row + j) - along));  // dS
          });
          if (factors != nullptr) {
            EachOfRow(seen, [&](auto zero, int j) {
              using V = decltype(zero);
              PutNear(share + j, dropout.Times(Get<V>(share + j), factors, j));
            });
          }
          if (bias.at == nullptr) continue;
          float* to = changesOfBias.data() + head % sizes.heads * plane + (first + i) * sizes.keys;
          EachOfRow(seen, [=](auto zero, int j) {
            using V = decltype(zero);
            PutNear(to + j, Get<V>(to + j) + Get<V>(row + j));
          });
        }
        Product<true>(room.scores.Transposed(), Lines(dO, first), room.dv, most, count, sizes.dh);
        Product<true>(room.changes.Transposed(), Lines(room.q, first), room.dk, most, count, sizes.dh, sizes.scale);
        // The block's rows of q are no longer needed: those of dq take their place.
        Product(room.changes.Plain(), room.k, Lines(room.q, first), count, most, sizes.dh, sizes.scale);
      });
      sizes.Store(room.q, head, 0, sizes.queries, sizes.queries, dq);
      sizes.Store(room.dk, head, 0, sizes.keys, sizes.keys, dk);
      sizes.Store(room.dv, head, 0, sizes.keys, sizes.keys, dv);
    });
  });
  if (!call.ok() || bias.at == nullptr) return;
  const auto biasShape = ShapeOf(extras.bias);
  float* dbias = call.Output(3, biasShape);
  if (!call.ok()) return;
  std::fill_n(dbias, CountOf(biasShape), 0.0f);
  for (int64_t head = 0; head < sizes.heads; head++) {
    float* to = dbias + (biasShape[0] == 1 ? 0 : head * plane);
    for (int64_t i = 0; i < plane; i++) to[i] += changesOfBias[head * plane + i];
  }
}

}  // namespace zoo
