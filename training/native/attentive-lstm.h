// An LSTM that looks at a memory before each step, over whole sequences (models/src/ops/attentive-lstm.ts), and its
// gradients.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "additive-attention.h"
#include "recurrent.h"

namespace zoo {

/// The sizes of a call: sequences of `time` steps of d units, a memory of `places`, keys of k numbers, values of m.
struct AttentiveShape {
  int64_t batch = 0, time = 0, d = 0, places = 0, k = 0, m = 0;

  std::vector<int64_t> Steps(int64_t width) const { return {batch, time, width}; }
  std::vector<int64_t> Places(int64_t width) const { return {batch, places, width}; }

  /// @param state [batch, d]  @param keys [batch, places, k]  @param values [batch, places, m]
  static AttentiveShape Of(CellCall& call, int sequence, int weight, int keys, int values) {
    const TF_Tensor *steps = call.Input(sequence), *query = call.Input(weight);
    const TF_Tensor *of_keys = call.Input(keys), *of_values = call.Input(values);
    if (!call.ok()) return {};
    const auto time = ShapeOf(steps), ends = ShapeOf(query), key = ShapeOf(of_keys), value = ShapeOf(of_values);
    const bool fits = time.size() == 3 && ends.size() == 2 && key.size() == 3 && value.size() == 3 && ends[0] > 0;
    if (!call.Expect(fits, "an attentive lstm got tensors that do not fit each other")) return {};
    return {time[0], time[1], ends[0], key[1], key[2], value[2]};
  }

  /// Calls body(part, begin, end) for the rows of each thread, whose steps wait for no other's.
  template <typename Body>
  void EachShare(const Body& body) const {
    Parallel(batch, time * (4 * d * (m + d) + d * k + 8 * places * k), [&](int part, int64_t begin, int64_t end) {
      if (begin < end) body(part, begin, end);
    });
  }
};

/// x W + b, h0, c0, C above U, W_q, b_q, keys, v, values, lengths -> every h, what is seen and where; then i, f, g, o,
/// h and c before each step, and q
inline void AttentiveLstm(void* raw, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(raw);
  CellCall call(context);
  const auto sizes = AttentiveShape::Of(call, 0, 4, 6, 8);
  const int64_t time = sizes.time, d = sizes.d, places = sizes.places, k = sizes.k, m = sizes.m, both = m + d;
  const TF_Tensor *projected = call.Input(0), *of_keys = call.Input(6);
  const TF_Tensor* lengths = call.inputs() > 9 ? call.Input(9) : nullptr;
  const float *h0 = call.Expected(1, {sizes.batch, d}), *c0 = call.Expected(2, {sizes.batch, d});
  const float *weight = call.Expected(3, {both, 4 * d}), *query_weight = call.Expected(4, {d, k});
  const float *query_bias = call.Expected(5, {k}), *v = call.Expected(7, {k});
  const float* values = call.Expected(8, sizes.Places(m));
  float *y = call.Output(0, sizes.Steps(d)), *seen = call.Output(1, sizes.Steps(m));
  float *looked = call.Output(2, sizes.Steps(places)), *activations = call.Output(3, sizes.Steps(4 * d));
  float *h_before = call.Output(4, sizes.Steps(d)), *c_before = call.Output(5, sizes.Steps(d));
  float* queries = call.Output(6, sizes.Steps(k));
  if (!call.ok()) return;
  const bool fits = ShapeOf(projected) == sizes.Steps(4 * d) && ShapeOf(of_keys) == sizes.Places(k) &&
                    (lengths == nullptr || ShapeOf(lengths) == std::vector<int64_t>{sizes.batch});
  if (!call.Expect(fits, "an attentive lstm got tensors that do not fit each other")) return;
  const StepWeights u(weight, both, 4 * d, 4 * d, 1, sizes.batch, attributes.bf16);
  const StepWeights w_q(query_weight, d, k, k, 1, sizes.batch, attributes.bf16);
  WithType(projected, [&](auto* x_type) {
    using X = std::remove_pointer_t<decltype(x_type)>;
    WithType(of_keys, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      const X* from_x = Call::Data<X>(projected);
      const T* keys = Call::Data<T>(of_keys);
      sizes.EachShare([&](int, int64_t begin, int64_t end) {
        const int64_t rows = end - begin;
        std::vector<float> read(rows * both), c(rows * d), sums(rows * u.width()), asked(rows * w_q.width());
        for (int64_t row = 0; row < rows; row++) {  // what a step reads: what it sees, and h
          std::copy_n(h0 + (begin + row) * d, d, read.data() + row * both + m);
          std::copy_n(c0 + (begin + row) * d, d, c.data() + row * d);
        }
        for (int64_t t = 0; t < time; t++) {
          w_q.Multiply(read.data() + m, both, rows, asked.data());
          for (int64_t row = 0; row < rows; row++) {
            const int64_t at = (begin + row) * time + t, key = (begin + row) * places;
            float *q = queries + at * k, *z = read.data() + row * both;
            const float* sum = asked.data() + row * w_q.width();
            for (int64_t j = 0; j < k; j++) q[j] = sum[j] + query_bias[j];
            const int64_t count = Seen(lengths, begin + row, places);
            const Memory<T> memory = {keys + key * k, v, values + key * m, places, count, k, m};
            memory.Look(q, looked + at * places, z);
            std::copy_n(z, m, seen + at * m);
            std::copy_n(z + m, d, h_before + at * d);
          }
          u.Multiply(read.data(), both, rows, sums.data());
          for (int64_t row = 0; row < rows; row++) {
            const int64_t at = ((begin + row) * time + t) * d;
            const X* x = from_x + at * 4;
            const float* sum = sums.data() + row * u.width();
            float *state = read.data() + row * both + m, *cell = c.data() + row * d;
            EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
              using V = decltype(zero);
              const auto a = [=](int gate) -> V { return Get<V>(x + gate * d + j) + Get<V>(sum + gate * d + j); };
              const auto put = [=](int gate, V value) { PutNear(activations + at * 4 + gate * d + j, value); };
              const V before = Get<V>(cell + j), i = Sigmoid<V>(a(0)), f = Sigmoid<V>(a(1)), g = Tanh<V>(a(2));
              const V o = Sigmoid<V>(a(3)), next = f * before + i * g, output = o * Tanh<V>(next);
              put(0, i);
              put(1, f);
              put(2, g);
              put(3, o);
              PutNear(c_before + at + j, before);
              PutNear(cell + j, next);
              PutNear(state + j, output);
              PutNear(y + at + j, output);
            });
          }
        }
      });
    });
  });
}

/// dy, dseen, activations, c before each step, where it looked, q, C above U, W_q, keys, v, values
/// -> da, dq, dkeys, dv, dvalues, dh0, dc0
inline void AttentiveLstmGrad(void* raw, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(raw);
  CellCall call(context);
  const auto sizes = AttentiveShape::Of(call, 0, 7, 8, 10);
  const int64_t time = sizes.time, d = sizes.d, places = sizes.places, k = sizes.k, m = sizes.m, both = m + d;
  const float *dy = call.Expected(0, sizes.Steps(d)), *dseen = call.Expected(1, sizes.Steps(m));
  const float *activations = call.Expected(2, sizes.Steps(4 * d)), *c_before = call.Expected(3, sizes.Steps(d));
  const float *looked = call.Expected(4, sizes.Steps(places)), *queries = call.Expected(5, sizes.Steps(k));
  const float *weight = call.Expected(6, {both, 4 * d}), *query_weight = call.Expected(7, {d, k});
  const TF_Tensor* of_keys = call.Input(8);
  const float *v = call.Expected(9, {k}), *values = call.Expected(10, sizes.Places(m));
  float *da = call.Output(0, sizes.Steps(4 * d)), *dq = call.Output(1, sizes.Steps(k));
  float *dkeys = call.Output(2, sizes.Places(k)), *dv = call.Output(3, {k}), *dvalues = call.Output(4, sizes.Places(m));
  float *dh0 = call.Output(5, {sizes.batch, d}), *dc0 = call.Output(6, {sizes.batch, d});
  if (!call.ok()) return;
  if (!call.Expect(ShapeOf(of_keys) == sizes.Places(k), "an attentive lstm got keys of another size")) return;
  const StepWeights back(weight, 4 * d, both, 1, 4 * d, sizes.batch, attributes.bf16);
  const StepWeights query_back(query_weight, k, d, 1, k, sizes.batch, attributes.bf16);
  const int64_t width = back.width(), query_width = query_back.width();
  ThreadSums of_v(k);
  WithType(of_keys, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* keys = Call::Data<T>(of_keys);
    sizes.EachShare([&](int part, int64_t begin, int64_t end) {
      const int64_t rows = end - begin;
      std::vector<float> dh(rows * d), dc(rows * d), changes(rows * 4 * d), dread(rows * width);
      std::vector<float> asked(rows * k), from_query(rows * query_width), of_share(k), room(places), dz(m);
      std::fill_n(dkeys + begin * places * k, rows * places * k, 0.0f);
      std::fill_n(dvalues + begin * places * m, rows * places * m, 0.0f);
      for (int64_t t = time - 1; t >= 0; t--) {
        for (int64_t row = 0; row < rows; row++) {
          const int64_t at = ((begin + row) * time + t) * d;
          const float *activation = activations + at * 4, *later = dh.data() + row * d;
          float *result = da + at * 4, *change = changes.data() + row * 4 * d, *cell = dc.data() + row * d;
          EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
            using V = decltype(zero);
            const auto put = [=](int gate, V a) {
              PutNear(result + gate * d + j, a);
              PutNear(change + gate * d + j, a);
            };
            const V before = Get<V>(c_before + at + j), i = Get<V>(activation + j), f = Get<V>(activation + d + j);
            const V g = Get<V>(activation + 2 * d + j), o = Get<V>(activation + 3 * d + j);
            const V squashed = Tanh<V>(f * before + i * g), here = Get<V>(later + j) + Get<V>(dy + at + j);
            const V of_cell = Get<V>(cell + j) + here * o * (1.0f - squashed * squashed);
            put(0, of_cell * g * i * (1.0f - i));
            put(1, of_cell * before * f * (1.0f - f));
            put(2, of_cell * i * (1.0f - g * g));
            put(3, here * squashed * o * (1.0f - o));
            PutNear(cell + j, of_cell * f);
          });
        }
        back.Multiply(changes.data(), 4 * d, rows, dread.data());
        for (int64_t row = 0; row < rows; row++) {
          const int64_t at = (begin + row) * time + t, key = (begin + row) * places;
          const float* read = dread.data() + row * width;
          for (int64_t j = 0; j < m; j++) dz[j] = read[j] + dseen[at * m + j];
          const Memory<T> memory = {keys + key * k, v, values + key * m, places, places, k, m};
          memory.LookBack(dz.data(), queries + at * k, looked + at * places, dq + at * k, dkeys + key * k,
                          of_share.data(), dvalues + key * m, room.data());
          std::copy_n(dq + at * k, k, asked.data() + row * k);
        }
        query_back.Multiply(asked.data(), k, rows, from_query.data());
        for (int64_t row = 0; row < rows; row++) {
          const float *read = dread.data() + row * width + m, *query = from_query.data() + row * query_width;
          for (int64_t j = 0; j < d; j++) dh[row * d + j] = read[j] + query[j];
        }
      }
      std::copy_n(dh.data(), rows * d, dh0 + begin * d);
      std::copy_n(dc.data(), rows * d, dc0 + begin * d);
      of_v.Add(part, of_share);
    });
  });
  of_v.Store(dv);
}

}  // namespace zoo
