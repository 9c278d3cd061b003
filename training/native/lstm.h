// Long short-term memory over whole sequences (models/src/ops/lstm.ts), and its gradients.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "recurrent.h"

namespace zoo {

/// x W + b, h0, c0, U, peepholes -> y, the last h and c; i, f, g, o (coupled: i, g, o), h and c before each step
template <typename X>
void LstmSteps(CellCall& call, const Attributes& attributes) {
  const bool coupled = attributes.coupled, peepholes = attributes.peepholes > 0;
  const int gates = coupled ? 3 : 4;
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 4 + attributes.peepholes);
  const int64_t d = all.d;
  const std::vector<int64_t> steps = {all.batch, all.time, d}, wide = {all.batch, all.time, gates * d};
  const std::vector<int64_t> states = {all.batch, d};
  const X* projected = call.Expected<X>(0, wide);
  const float *h0 = call.Expected(1, states), *c0 = call.Expected(2, states);
  const float* weight = call.Expected(3, {d, gates * d});
  const float* peephole = peepholes ? call.Expected(4, {gates - 1, d}) : nullptr;
  float *y = call.Output(0, steps), *last_h = call.Output(1, states), *last_c = call.Output(2, states);
  float *activations = call.Output(3, wide), *h_before = call.Output(4, steps), *c_before = call.Output(5, steps);
  if (!call.ok()) return;
  const StepWeights u(weight, d, gates * d, gates * d, 1, all.batch, attributes.bf16);
  EachShare(all, gates * d * d, [&](const Share& share) {
    std::vector<float> h = share.Load(h0, d), c = share.Load(c0, d), sums(share.size() * u.width());
    for (int64_t taken = 0; taken < all.time; taken++) {
      const int64_t t = all.Step(taken), rows = share.At(t);
      u.Multiply(h.data(), d, rows, sums.data());
      for (int64_t row = 0; row < rows; row++) {
        const int64_t place = share[row] * all.time + t, at = place * d;
        const X* x = projected + at * gates;
        const float* sum = sums.data() + row * u.width();
        float *activation = activations + at * gates, *state = h.data() + row * d, *cell = c.data() + row * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const V before = Get<V>(cell + j);
          // What gate k is the activation of, and what it sees of the cell through its peephole.
          const auto a = [=](int k) -> V { return Get<V>(x + k * d + j) + Get<V>(sum + k * d + j); };
          const auto seen = [=](int k, V value) -> V {
            if (peephole == nullptr) return V();
            return Get<V>(peephole + k * d + j) * value;
          };
          const V i = Sigmoid<V>(a(0) + seen(0, before));
          V f = 1.0f - i;
          if (!coupled) f = Sigmoid<V>(a(1) + seen(1, before));
          const V g = Tanh<V>(a(gates - 2));
          const V next = f * before + i * g;
          const V o = Sigmoid<V>(a(gates - 1) + seen(gates - 2, next));
          const V output = o * Tanh<V>(next);
          PutNear(h_before + at + j, Get<V>(state + j));
          PutNear(c_before + at + j, before);
          PutNear(activation + j, i);
          if (!coupled) PutNear(activation + d + j, f);
          PutNear(activation + (gates - 2) * d + j, g);
          PutNear(activation + (gates - 1) * d + j, o);
          PutNear(cell + j, next);
          PutNear(state + j, output);
          PutNear(y + at + j, output);
        });
      }
      share.Clear(y, d, t, rows);
      share.Clear(activations, gates * d, t, rows);
      share.Clear(h_before, d, t, rows);
      share.Clear(c_before, d, t, rows);
    }
    share.Store(h, d, last_h);
    share.Store(c, d, last_c);
  });
}

inline void Lstm(void* raw, TF_OpKernelContext* context) {
  CellCall call(context);
  const TF_Tensor* projected = call.Input(0);
  if (!call.ok()) return;
  WithType(projected,
           [&](auto* type) { LstmSteps<std::remove_pointer_t<decltype(type)>>(call, *static_cast<Attributes*>(raw)); });
}

/// dy, dh and dc of the last, activations, c before each step, U, peepholes -> da, dh0, dc0
inline void LstmGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const bool coupled = attributes.coupled, peepholes = attributes.peepholes > 0;
  const int gates = coupled ? 3 : 4;
  CellCall call(context);
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 6 + attributes.peepholes);
  const int64_t d = all.d;
  const std::vector<int64_t> steps = {all.batch, all.time, d}, wide = {all.batch, all.time, gates * d};
  const std::vector<int64_t> states = {all.batch, d};
  const float *dy = call.Expected(0, steps), *last_h = call.Expected(1, states), *last_c = call.Expected(2, states);
  const float *activations = call.Expected(3, wide), *c_before = call.Expected(4, steps);
  const float* weight = call.Expected(5, {d, gates * d});
  const float* peephole = peepholes ? call.Expected(6, {gates - 1, d}) : nullptr;
  float *da = call.Output(0, wide), *dh0 = call.Output(1, states), *dc0 = call.Output(2, states);
  if (!call.ok()) return;
  const StepWeights back(weight, gates * d, d, 1, gates * d, all.batch, attributes.bf16);
  const int64_t width = back.width();
  EachShare(all, gates * d * d, [&](const Share& share) {
    std::vector<float> dh = share.Load(last_h, width), dc = share.Load(last_c, d), changes(share.size() * gates * d);
    for (int64_t left = all.time - 1; left >= 0; left--) {
      const int64_t t = all.Step(left), rows = share.At(t);
      for (int64_t row = 0; row < rows; row++) {
        const int64_t at = (share[row] * all.time + t) * d;
        const float *activation = activations + at * gates, *later = dh.data() + row * width;
        float *result = da + at * gates, *change = changes.data() + row * gates * d, *cell = dc.data() + row * d;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const auto seen = [=](int k, V value) -> V {
            if (peephole == nullptr) return V();
            return Get<V>(peephole + k * d + j) * value;
          };
          const auto put = [=](int k, V a) {
            PutNear(result + k * d + j, a);
            PutNear(change + k * d + j, a);
          };
          const V before = Get<V>(c_before + at + j), i = Get<V>(activation + j);
          const V g = Get<V>(activation + (gates - 2) * d + j), o = Get<V>(activation + (gates - 1) * d + j);
          V f = 1.0f - i;
          if (!coupled) f = Get<V>(activation + d + j);
          const V squashed = Tanh<V>(f * before + i * g);
          const V here = Get<V>(later + j) + Get<V>(dy + at + j);
          const V ao = here * squashed * o * (1.0f - o);
          const V c = Get<V>(cell + j) + here * o * (1.0f - squashed * squashed) + seen(gates - 2, ao);
          V written = g, earlier = c * f;
          if (coupled) written = g - before;
          const V ai = c * written * i * (1.0f - i);
          if (!coupled) {
            const V af = c * before * f * (1.0f - f);
            put(1, af);
            earlier += seen(1, af);
          }
          put(0, ai);
          put(gates - 2, c * i * (1.0f - g * g));
          put(gates - 1, ao);
          PutNear(cell + j, earlier + seen(0, ai));
        });
      }
      share.Clear(da, gates * d, t, rows);
      back.Multiply(changes.data(), gates * d, rows, dh.data());
    }
    share.Store(dh, width, dh0);
    share.Store(dc, d, dc0);
  });
}

}  // namespace zoo
