// The simple recurrent network over whole sequences (models/src/ops/rnn.ts), and its gradients.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "recurrent.h"

namespace zoo {

/// x W + b, h0, U -> y, the last h, h before each step
template <typename X>
void RnnSteps(CellCall& call, const Attributes& attributes) {
  const bool relu = attributes.relu;
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 3);
  const int64_t d = all.d;
  const std::vector<int64_t> steps = {all.batch, all.time, d}, states = {all.batch, d};
  const X* projected = call.Expected<X>(0, steps);
  const float* h0 = call.Expected(1, states);
  const float* weight = call.Expected(2, {d, d});
  float *y = call.Output(0, steps), *last = call.Output(1, states), *before = call.Output(2, steps);
  if (!call.ok()) return;
  const StepWeights u(weight, d, d, d, 1, all.batch, attributes.bf16);
  EachShare(all, d * d, [&](const Share& share) {
    std::vector<float> h = share.Load(h0, d), sums(share.size() * u.width());
    for (int64_t taken = 0; taken < all.time; taken++) {
      const int64_t t = all.Step(taken), rows = share.At(t);
      u.Multiply(h.data(), d, rows, sums.data());
      for (int64_t i = 0; i < rows; i++) {
        const int64_t at = (share[i] * all.time + t) * d;
        float* state = h.data() + i * d;
        const float* sum = sums.data() + i * u.width();
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          PutNear(before + at + j, Get<V>(state + j));
          const V a = Get<V>(projected + at + j) + Get<V>(sum + j);
          V next = Above(a, zero);
          if (!relu) next = Tanh(a);
          PutNear(state + j, next);
          PutNear(y + at + j, next);
        });
      }
      share.Clear(before, d, t, rows);
      share.Clear(y, d, t, rows);
    }
    share.Store(h, d, last);
  });
}

inline void Rnn(void* raw, TF_OpKernelContext* context) {
  CellCall call(context);
  const TF_Tensor* projected = call.Input(0);
  if (!call.ok()) return;
  WithType(projected,
           [&](auto* type) { RnnSteps<std::remove_pointer_t<decltype(type)>>(call, *static_cast<Attributes*>(raw)); });
}

/// dy, dh of the last, y, U -> da, dh0
inline void RnnGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const bool relu = attributes.relu;
  CellCall call(context);
  const Sequences all = call.Sizes(0, 1, attributes.reverse, 4);
  const int64_t d = all.d;
  const std::vector<int64_t> steps = {all.batch, all.time, d}, states = {all.batch, d};
  const float *dy = call.Expected(0, steps), *last = call.Expected(1, states), *y = call.Expected(2, steps);
  const float* weight = call.Expected(3, {d, d});
  float *da = call.Output(0, steps), *dh0 = call.Output(1, states);
  if (!call.ok()) return;
  const StepWeights back(weight, d, d, 1, d, all.batch, attributes.bf16);
  const int64_t width = back.width();
  EachShare(all, d * d, [&](const Share& share) {
    std::vector<float> dh = share.Load(last, width), changes(share.size() * d);
    for (int64_t left = all.time - 1; left >= 0; left--) {
      const int64_t t = all.Step(left), rows = share.At(t);
      for (int64_t i = 0; i < rows; i++) {
        const int64_t at = (share[i] * all.time + t) * d;
        float* change = changes.data() + i * d;
        const float* later = dh.data() + i * width;
        EachOfRow(static_cast<int>(d), [=](auto zero, int j) {
          using V = decltype(zero);
          const V state = Get<V>(y + at + j), here = Get<V>(later + j) + Get<V>(dy + at + j);
          V a = state > zero ? here : zero;
          if (!relu) a = here * (1.0f - state * state);
          PutNear(change + j, a);
          PutNear(da + at + j, a);
        });
      }
      share.Clear(da, d, t, rows);
      back.Multiply(changes.data(), d, rows, dh.data());
    }
    share.Store(dh, width, dh0);
  });
}

}  // namespace zoo
