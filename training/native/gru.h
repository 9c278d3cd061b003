// Gated recurrent units over whole sequences (models/src/ops/gru.ts), and their gradients.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "recurrent.h"

namespace zoo {

/// What the two forms of the cell multiply by: where the reset gate acts after the product, r, z and n have one product
/// with h; where it acts before, n has one of its own with r h.
struct GruSizes {
  int64_t d, gates, saved;  // the columns of the first product, and the activations that are saved, in d

  GruSizes(int64_t d, bool reset_after) : d(d), gates(reset_after ? 3 : 2), saved(reset_after ? 4 : 3) {}
};

/// x W + b, h0, U, b' -> y, the last h, activations r, z, n (reset after: and s = h U_n + b'_n), h before each step
template <typename X>
void GruSteps(CellCall& call, const Attributes& attributes) {
  const bool reset_after = attributes.reset_after, biased = attributes.biases > 0;
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 3 + attributes.biases);
  const int64_t d = all.d;
  const GruSizes sizes(d, reset_after);
  const std::vector<int64_t> steps = {all.batch, all.time, d}, states = {all.batch, d};
  const X* projected = call.Expected<X>(0, {all.batch, all.time, 3 * d});
  const float* h0 = call.Expected(1, states);
  const float *weight = call.Expected(2, {d, 3 * d}), *bias = biased ? call.Expected(3, {3 * d}) : nullptr;
  if (!call.Expect(reset_after || !biased, "a GRU that resets before the product has no bias there")) return;
  float *y = call.Output(0, steps), *last = call.Output(1, states);
  float *activations = call.Output(2, {all.batch, all.time, sizes.saved * d}), *before = call.Output(3, steps);
  if (!call.ok()) return;
  const StepWeights u(weight, d, sizes.gates * d, 3 * d, 1, all.batch, attributes.bf16);
  const StepWeights candidate(weight + 2 * d, reset_after ? 0 : d, d, 3 * d, 1, all.batch, attributes.bf16);
  const int64_t width = candidate.width();
  EachShare(all, 3 * d * d, [&](const Share& share) {
    std::vector<float> h = share.Load(h0, d), sums(share.size() * u.width());
    std::vector<float> reset(share.size() * d), others(share.size() * width);
    for (int64_t taken = 0; taken < all.time; taken++) {
      const int64_t t = all.Step(taken), rows = share.At(t);
      u.Multiply(h.data(), d, rows, sums.data());
      for (int64_t i = 0; i < rows; i++) {
        const int64_t at = (share[i] * all.time + t) * d;
        const X* x = projected + at * 3;
        const float *sum = sums.data() + i * u.width(), *state = h.data() + i * d;
        float *activation = activations + at * sizes.saved, *result = reset.data() + i * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const auto a = [=](int64_t k) -> V {
            if (bias == nullptr) return Get<V>(sum + k * d + j);
            return Get<V>(sum + k * d + j) + Get<V>(bias + k * d + j);
          };
          const V r = Sigmoid<V>(Get<V>(x + j) + a(0)), z = Sigmoid<V>(Get<V>(x + d + j) + a(1));
          const V value = Get<V>(state + j);
          PutNear(before + at + j, value);
          PutNear(activation + j, r);
          PutNear(activation + d + j, z);
          if (reset_after) {
            const V s = a(2);
            PutNear(activation + 3 * d + j, s);
            PutNear(result + j, r * s);
          } else {
            PutNear(result + j, r * value);
          }
        });
      }
      if (!reset_after) candidate.Multiply(reset.data(), d, rows, others.data());
      for (int64_t i = 0; i < rows; i++) {
        const int64_t at = (share[i] * all.time + t) * d;
        const float* sum = reset_after ? reset.data() + i * d : others.data() + i * width;
        const X* x = projected + (at * 3 + 2 * d);
        float *activation = activations + at * sizes.saved, *state = h.data() + i * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const V n = Tanh<V>(Get<V>(x + j) + Get<V>(sum + j)), z = Get<V>(activation + d + j);
          const V next = n + z * (Get<V>(state + j) - n);
          PutNear(activation + 2 * d + j, n);
          PutNear(state + j, next);
          PutNear(y + at + j, next);
        });
      }
      share.Clear(y, d, t, rows);
      share.Clear(activations, sizes.saved * d, t, rows);
      share.Clear(before, d, t, rows);
    }
    share.Store(h, d, last);
  });
}

inline void Gru(void* raw, TF_OpKernelContext* context) {
  CellCall call(context);
  const TF_Tensor* projected = call.Input(0);
  if (!call.ok()) return;
  WithType(projected,
           [&](auto* type) { GruSteps<std::remove_pointer_t<decltype(type)>>(call, *static_cast<Attributes*>(raw)); });
}

/// dy, dh of the last, activations, h before each step, U -> dh0, da; reset after: the gradient of h U + b', too
inline void GruGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const bool reset_after = attributes.reset_after;
  CellCall call(context);
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 5);
  const int64_t d = all.d;
  const GruSizes sizes(d, reset_after);
  const std::vector<int64_t> steps = {all.batch, all.time, d}, wide = {all.batch, all.time, 3 * d};
  const std::vector<int64_t> states = {all.batch, d};
  const float *dy = call.Expected(0, steps), *last = call.Expected(1, states);
  const float *activations = call.Expected(2, {all.batch, all.time, sizes.saved * d}),
              *before = call.Expected(3, steps);
  const float* weight = call.Expected(4, {d, 3 * d});
  float *dh0 = call.Output(0, states), *da = call.Output(1, wide), *ds = reset_after ? call.Output(2, wide) : nullptr;
  if (!call.ok()) return;
  const StepWeights back(weight, sizes.gates * d, d, 1, 3 * d, all.batch, attributes.bf16);
  const StepWeights candidate(weight + 2 * d, reset_after ? 0 : d, d, 1, 3 * d, all.batch, attributes.bf16);
  const int64_t width = back.width(), room = sizes.gates * d;
  EachShare(all, 3 * d * d, [&](const Share& share) {
    std::vector<float> dh = share.Load(last, width), changes(share.size() * room), direct(share.size() * d);
    std::vector<float> of_candidate(share.size() * d), of_reset(share.size() * width);
    for (int64_t left = all.time - 1; left >= 0; left--) {
      const int64_t t = all.Step(left), rows = share.At(t);
      for (int64_t i = 0; i < rows; i++) {
        const int64_t at = (share[i] * all.time + t) * d;
        const float *activation = activations + at * sizes.saved, *later = dh.data() + i * width;
        float *result = da + at * 3, *hidden = reset_after ? ds + at * 3 : nullptr, *change = changes.data() + i * room;
        float *kept = direct.data() + i * d, *candidates = of_candidate.data() + i * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const V r = Get<V>(activation + j), z = Get<V>(activation + d + j), n = Get<V>(activation + 2 * d + j);
          const V here = Get<V>(later + j) + Get<V>(dy + at + j);
          const V an = here * (1.0f - z) * (1.0f - n * n);
          const V az = here * (Get<V>(before + at + j) - n) * z * (1.0f - z);
          PutNear(result + d + j, az);
          PutNear(result + 2 * d + j, an);
          PutNear(change + d + j, az);
          PutNear(kept + j, here * z);
          if (reset_after) {
            const V ar = an * Get<V>(activation + 3 * d + j) * r * (1.0f - r), as = an * r;
            PutNear(result + j, ar);
            PutNear(change + j, ar);
            PutNear(change + 2 * d + j, as);
            PutNear(hidden + j, ar);
            PutNear(hidden + d + j, az);
            PutNear(hidden + 2 * d + j, as);
          } else {
            PutNear(candidates + j, an);
          }
        });
      }
      if (!reset_after) {
        candidate.Multiply(of_candidate.data(), d, rows, of_reset.data());
        for (int64_t i = 0; i < rows; i++) {
          const int64_t at = (share[i] * all.time + t) * d;
          const float *activation = activations + at * sizes.saved, *reset = of_reset.data() + i * width;
          float *result = da + at * 3, *change = changes.data() + i * room, *kept = direct.data() + i * d;
          EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
            using V = decltype(zero);
            const V r = Get<V>(activation + j), of = Get<V>(reset + j);
            const V ar = of * Get<V>(before + at + j) * r * (1.0f - r);
            PutNear(result + j, ar);
            PutNear(change + j, ar);
            PutNear(kept + j, Get<V>(kept + j) + of * r);
          });
        }
      }
      back.Multiply(changes.data(), room, rows, dh.data());
      for (int64_t i = 0; i < rows; i++) {
        float* to = dh.data() + i * width;
        const float* kept = direct.data() + i * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          PutNear(to + j, Get<V>(to + j) + Get<V>(kept + j));
        });
      }
      share.Clear(da, 3 * d, t, rows);
      if (reset_after) share.Clear(ds, 3 * d, t, rows);
    }
    share.Store(dh, width, dh0);
  });
}

}  // namespace zoo
