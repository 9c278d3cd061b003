// Layer normalisation of the last axis (models/src/ops/layer-norm.ts), and its gradient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// The sum of term(V(), c) over a row's numbers c.
template <typename Term>
float SumRow(int d, const Term& term) {
  Lanes sum = Lanes();
  int c = 0;
  for (; c + kLanes <= d; c += kLanes) sum += term(Lanes(), c);
  float each[kLanes];
  std::memcpy(each, &sum, sizeof(sum));
  float total = 0;
  for (float part : each) total += part;
  for (; c < d; c++) total += term(float(), c);
  return total;
}

/// Calls body(V(), c) for a row's numbers c.
template <typename Body>
void EachOfRow(int d, const Body& body) {
  int c = 0;
  for (; c + kLanes <= d; c += kLanes) body(Lanes(), c);
  for (; c < d; c++) body(float(), c);
}

/// x, gamma, beta -> y, mean, 1 / deviation
inline void LayerNorm(void* raw, TF_OpKernelContext* context) {
  const float epsilon = static_cast<Attributes*>(raw)->epsilon;
  Call call(context);
  const TF_Tensor *input = call.Input(0), *scales = call.Input(1), *shifts = call.Input(2);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  const int d = shape.empty() ? 0 : static_cast<int>(shape.back());
  const bool fits = d > 0 && CountOf(ShapeOf(scales)) == d && CountOf(ShapeOf(shifts)) == d;
  if (!call.Expect(fits, "layer norm got parameters of another size")) return;
  auto statistics = shape;
  statistics.back() = 1;
  const float *gamma = Call::Data(scales), *beta = Call::Data(shifts);
  float *means = call.Output(1, statistics), *inverses = call.Output(2, statistics);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* all = Call::Data<T>(input);
    T* results = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Parallel(CountOf(statistics), d, [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const T* x = all + row * d;
        T* y = results + row * d;
        const float mean = SumRow(d, [x](auto zero, int c) { return Stream<decltype(zero)>(x + c); }) / d;
        const float variance = SumRow(d,
                                      [x, mean](auto zero, int c) {
                                        const auto centred = Get<decltype(zero)>(x + c) - mean;
                                        return centred * centred;
                                      }) /
                               d;
        const float inverse = 1 / std::sqrt(variance + epsilon);
        means[row] = mean;
        inverses[row] = inverse;
        EachOfRow(d, [=](auto zero, int c) {
          using V = decltype(zero);
          PutNear(y + c, (Get<V>(x + c) - mean) * inverse * Get<V>(gamma + c) + Get<V>(beta + c));
        });
      }
    });
  });
}

/// Rows whose sums are kept in single precision before they go into double.
constexpr int64_t kRowBlock = 128;

/// dy, x, mean, 1 / deviation, gamma -> dx, dgamma, dbeta
inline void LayerNormGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[1]);
  const int d = shape.empty() ? 0 : static_cast<int>(shape.back());
  const int64_t rows = d > 0 ? CountOf(shape) / d : 0;
  const bool fits = d > 0 && ShapeOf(inputs[0]) == shape && CountOf(ShapeOf(inputs[2])) == rows &&
                    CountOf(ShapeOf(inputs[3])) == rows && CountOf(ShapeOf(inputs[4])) == d;
  if (!call.Expect(fits, "layer norm's gradient got tensors that do not fit each other")) return;
  const float *means = Call::Data(inputs[2]), *inverses = Call::Data(inputs[3]), *gamma = Call::Data(inputs[4]);
  float *dgamma = call.Output(1, {d}), *dbeta = call.Output(2, {d});
  std::vector<double> sums(2 * static_cast<size_t>(d) * pool->threads(), 0.0);
  WithType(inputs[1], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *changes = Call::Data<T>(inputs[0]), *all = Call::Data<T>(inputs[1]);
    T* results = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Parallel(rows, d, [&](int part, int64_t begin, int64_t end) {
      std::vector<float> block(2 * static_cast<size_t>(d));
      float *along = block.data(), *plain = along + d;  // of dgamma and dbeta
      double* const total = sums.data() + block.size() * part;
      for (int64_t first = begin; first < end; first += kRowBlock) {
        std::fill(block.begin(), block.end(), 0.0f);
        for (int64_t row = first; row < std::min(end, first + kRowBlock); row++) {
          const T *dy = changes + row * d, *x = all + row * d;
          T* dx = results + row * d;
          const float mean = means[row], inverse = inverses[row];
          const float g = SumRow(d,
                                 [=](auto zero, int c) {
                                   using V = decltype(zero);
                                   return Stream<V>(dy + c) * Get<V>(gamma + c);
                                 }) /
                          d;
          const float gx = SumRow(d,
                                  [=](auto zero, int c) {
                                    using V = decltype(zero);
                                    return Get<V>(dy + c) * Get<V>(gamma + c) * ((Stream<V>(x + c) - mean) * inverse);
                                  }) /
                           d;
          EachOfRow(d, [=](auto zero, int c) {
            using V = decltype(zero);
            const V change = Get<V>(dy + c), normalised = (Get<V>(x + c) - mean) * inverse;
            PutNear(dx + c, (change * Get<V>(gamma + c) - g - normalised * gx) * inverse);
            PutNear(along + c, Get<V>(along + c) + change * normalised);
            PutNear(plain + c, Get<V>(plain + c) + change);
          });
        }
        for (size_t i = 0; i < block.size(); i++) total[i] += block[i];
      }
    });
  });
  if (!call.ok()) return;
  for (int c = 0; c < d; c++) {
    double along = 0, plain = 0;
    for (int part = 0; part < pool->threads(); part++) {
      along += sums[2 * static_cast<size_t>(d) * part + c];
      plain += sums[2 * static_cast<size_t>(d) * part + d + c];
    }
    dgamma[c] = static_cast<float>(along);
    dbeta[c] = static_cast<float>(plain);
  }
}

}  // namespace zoo
