// Additive attention (models/src/ops/additive-attention.ts), and its gradients. What tanh gives is computed again for
// the gradients: it has a number for each query, place and channel, and reading that back costs more than tanh does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gelu.h"
#include "layer-norm.h"
#include "recurrent.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// The sizes of a call: queries [batch, d] or [batch, queries, d], keys [batch, places, d], values [batch, places, e].
struct AdditiveShape {
  bool fits = false;
  int64_t batch = 0, queries = 1, places = 0, d = 0, e = 0;

  AdditiveShape(const std::vector<int64_t>& query, const std::vector<int64_t>& keys, const std::vector<int64_t>& v,
                const std::vector<int64_t>& values) {
    if ((query.size() != 2 && query.size() != 3) || keys.size() != 3 || values.size() != 3) return;
    batch = keys[0], places = keys[1], d = keys[2], e = values[2];
    if (query.size() == 3) queries = query[1];
    fits = query[0] == batch && query.back() == d && v == std::vector<int64_t>{d} && values[0] == batch &&
           values[1] == places && d > 0;
  }

  /// The shape of what each query has so many of: an axis for the queries where they have one.
  std::vector<int64_t> Each(const std::vector<int64_t>& query, int64_t numbers) const {
    auto shape = query;
    shape.back() = numbers;
    return shape;
  }

  /// Calls body(part, row) for each row of the batch.
  template <typename Body>
  void EachRow(const Body& body) const {
    Parallel(batch, queries * places * d * 8, [&](int part, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) body(part, row);
    });
  }
};

/// How many places of a row count.
inline int64_t Seen(const TF_Tensor* lengths, int64_t row, int64_t places) {
  return lengths == nullptr ? places : std::clamp<int64_t>(Call::Data<int32_t>(lengths)[row], 0, places);
}

/// to += factor from
inline void AddRow(int64_t count, float factor, const float* from, float* to) {
  EachOfRow(static_cast<int>(count), [=](auto zero, int c) {
    using V = decltype(zero);
    PutNear(to + c, Get<V>(to + c) + Get<V>(from + c) * factor);
  });
}

/// What a query looks at: the places of a row of the batch, of which the first `seen` count.
template <typename T>
struct Memory {
  const T* keys;        // [places, d]
  const float* v;       // [d]
  const float* values;  // [places, e]
  int64_t places, seen, d, e;

  /// q [d] -> a [places], c [e]
  void Look(const float* q, float* a, float* c) const {
    for (int64_t j = 0; j < seen; j++) {
      const T* key = keys + j * d;
      const float* factors = v;
      a[j] = SumRow(static_cast<int>(d), [=](auto zero, int k) {
        using V = decltype(zero);
        return Get<V>(factors + k) * Tanh<V>(Get<V>(q + k) + Get<V>(key + k));
      });
    }
    std::fill(a + seen, a + places, 0.0f);
    std::fill(c, c + e, 0.0f);
    if (seen == 0) return;
    const float largest = *std::max_element(a, a + seen);
    EachOfRow(static_cast<int>(seen), [=](auto zero, int j) {
      using V = decltype(zero);
      PutNear(a + j, Exp(Get<V>(a + j) - largest));
    });
    const float total = SumRow(static_cast<int>(seen), [=](auto zero, int j) { return Get<decltype(zero)>(a + j); });
    for (int64_t j = 0; j < seen; j++) {
      a[j] /= total;
      AddRow(e, a[j], values + j * e, c);
    }
  }

  /// dc [e], q [d], a [places] -> dq [d]; dkeys, dv and dvalues are added to what they are. `room` is of [places].
  void LookBack(const float* dc, const float* q, const float* a, float* dq, float* dkeys, float* dv, float* dvalues,
                float* room) const {
    float total = 0;
    for (int64_t j = 0; j < places; j++) {
      const float* value = values + j * e;
      room[j] = a[j] == 0 ? 0 : a[j] * SumRow(static_cast<int>(e), [=](auto zero, int c) {
                                  using V = decltype(zero);
                                  return Get<V>(dc + c) * Get<V>(value + c);
                                });
      total += room[j];
    }
    std::fill(dq, dq + d, 0.0f);
    for (int64_t j = 0; j < places; j++) {
      if (a[j] == 0) continue;  // masked, as a rule
      AddRow(e, a[j], dc, dvalues + j * e);
      const float de = room[j] - a[j] * total;
      const T* key = keys + j * d;
      const float* factors = v;
      float* dk = dkeys + j * d;
      EachOfRow(static_cast<int>(d), [=](auto zero, int k) {
        using V = decltype(zero);
        const V t = Tanh<V>(Get<V>(q + k) + Get<V>(key + k));
        const V dt = Get<V>(factors + k) * (1.0f - t * t) * de;
        PutNear(dq + k, Get<V>(dq + k) + dt);
        PutNear(dk + k, Get<V>(dk + k) + dt);
        PutNear(dv + k, Get<V>(dv + k) + t * de);
      });
    }
  }
};

/// Sums of [d] numbers that threads add to, each its own.
class ThreadSums {
 public:
  explicit ThreadSums(int64_t d) : d_(d), sums_(static_cast<size_t>(d) * pool->threads(), 0.0) {}

  void Add(int part, const std::vector<float>& more) {
    for (int64_t k = 0; k < d_; k++) sums_[part * d_ + k] += more[k];
  }

  void Store(float* to) const {
    for (int64_t k = 0; k < d_; k++) {
      double sum = 0;
      for (int part = 0; part < pool->threads(); part++) sum += sums_[part * d_ + k];
      to[k] = static_cast<float>(sum);
    }
  }

 private:
  int64_t d_;
  std::vector<double> sums_;
};

/// query, keys, v, values, lengths -> c, a
inline void AdditiveAttention(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[4];
  for (int i = 0; i < 4; i++) inputs[i] = call.Input(i);
  const TF_Tensor* lengths = call.inputs() > 4 ? call.Input(4) : nullptr;
  if (!call.ok()) return;
  const auto asked = ShapeOf(inputs[0]);
  const AdditiveShape sizes(asked, ShapeOf(inputs[1]), ShapeOf(inputs[2]), ShapeOf(inputs[3]));
  const bool fits = sizes.fits && (lengths == nullptr || ShapeOf(lengths) == std::vector<int64_t>{sizes.batch});
  if (!call.Expect(fits, "additive attention got tensors that do not fit each other")) return;
  const float *query = Call::Data(inputs[0]), *v = Call::Data(inputs[2]), *values = Call::Data(inputs[3]);
  float *contexts = call.Output(0, sizes.Each(asked, sizes.e)),
        *weights = call.Output(1, sizes.Each(asked, sizes.places));
  if (!call.ok()) return;
  const int64_t places = sizes.places, d = sizes.d, e = sizes.e;
  WithType(inputs[1], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* keys = Call::Data<T>(inputs[1]);
    sizes.EachRow([&](int, int64_t row) {
      const int64_t seen = Seen(lengths, row, places);
      const Memory<T> memory = {keys + row * places * d, v, values + row * places * e, places, seen, d, e};
      for (int64_t i = row * sizes.queries; i < (row + 1) * sizes.queries; i++)
        memory.Look(query + i * d, weights + i * places, contexts + i * e);
    });
  });
}

/// dc, query, keys, v, values, a -> dquery, dkeys, dv, dvalues
inline void AdditiveAttentionGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[6];
  for (int i = 0; i < 6; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto asked = ShapeOf(inputs[1]);
  const AdditiveShape sizes(asked, ShapeOf(inputs[2]), ShapeOf(inputs[3]), ShapeOf(inputs[4]));
  const bool fits = sizes.fits && ShapeOf(inputs[0]) == sizes.Each(asked, sizes.e) &&
                    ShapeOf(inputs[5]) == sizes.Each(asked, sizes.places);
  if (!call.Expect(fits, "additive attention's gradient got tensors that do not fit each other")) return;
  const float *changes = Call::Data(inputs[0]), *query = Call::Data(inputs[1]), *v = Call::Data(inputs[3]);
  const float *values = Call::Data(inputs[4]), *weights = Call::Data(inputs[5]);
  float *dquery = call.Output(0, asked), *dkeys = call.Output(1, ShapeOf(inputs[2]));
  float *dv = call.Output(2, {sizes.d}), *dvalues = call.Output(3, ShapeOf(inputs[4]));
  if (!call.ok()) return;
  const int64_t places = sizes.places, d = sizes.d, e = sizes.e;
  ThreadSums of_v(d);
  WithType(inputs[2], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* keys = Call::Data<T>(inputs[2]);
    sizes.EachRow([&](int part, int64_t row) {
      const int64_t key = row * places * d, value = row * places * e;
      const Memory<T> memory = {keys + key, v, values + value, places, places, d, e};
      std::vector<float> of_row(d), room(places);
      std::fill_n(dkeys + key, places * d, 0.0f);
      std::fill_n(dvalues + value, places * e, 0.0f);
      for (int64_t i = row * sizes.queries; i < (row + 1) * sizes.queries; i++) {
        memory.LookBack(changes + i * e, query + i * d, weights + i * places, dquery + i * d, dkeys + key,
                        of_row.data(), dvalues + value, room.data());
      }
      of_v.Add(part, of_row);
    });
  });
  of_v.Store(dv);
}

}  // namespace zoo
