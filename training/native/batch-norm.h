// Batch normalisation in training, with its ReLU (Ioffe & Szegedy 2015, algorithm 1), and its gradient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Calls body with the number of channels as a constant where it is a common one, so that loops over it unroll.
template <typename Body>
void WithChannels(int channels, const Body& body) {
  switch (channels) {
    case 16: return body(std::integral_constant<int, 16>{});
    case 32: return body(std::integral_constant<int, 32>{});
    case 64: return body(std::integral_constant<int, 64>{});
    default: return body(channels);
  }
}

/// Rows whose sums are kept in single precision before they go into double.
constexpr int64_t kBlock = 128;

/// Sums over rows [begin, end) of two quantities a channel, as `terms(x_row_index, channel, &a, &b)` gives them.
template <typename Channels, typename Terms>
void SumRows(Channels channels, int64_t begin, int64_t end, double* sums, const Terms& terms) {
  constexpr int kMost = 64;
  std::vector<float> heap(channels > kMost ? 2 * static_cast<size_t>(channels) : 0);
  alignas(64) float local[2 * kMost];
  float* const a = channels > kMost ? heap.data() : local;
  float* const b = a + channels;
  for (int64_t block = begin; block < end; block += kBlock) {
    std::fill(a, a + 2 * channels, 0.0f);
    const int64_t stop = std::min(end, block + kBlock);
    for (int64_t row = block; row < stop; row++) {
      for (int c = 0; c < channels; c++) terms(row * channels + c, c, a[c], b[c]);
    }
    for (int c = 0; c < 2 * channels; c++) sums[c] += a[c];
  }
}

/// The sums of all parts, in the order of the parts: [a of every channel, b of every channel].
template <typename Channels, typename Terms>
std::vector<double> SumChannels(Channels channels, int64_t rows, const Terms& terms) {
  const size_t width = 2 * static_cast<size_t>(channels);
  std::vector<double> parts(width * pool->threads(), 0.0);
  Parallel(rows, channels, [&](int part, int64_t begin, int64_t end) {
    SumRows(channels, begin, end, parts.data() + width * part, terms);
  });
  for (int part = 1; part < pool->threads(); part++) {
    for (size_t i = 0; i < width; i++) parts[i] += parts[width * part + i];
  }
  parts.resize(width);
  return parts;
}

/// x, gamma, beta, running_mean, running_variance -> y, new running mean, new running variance, mean, variance
inline void BatchNorm(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[0]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 1; i < 5; i++) call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && CountOf(shape) > 0, "batch norm got an empty image")) return;
  const int64_t rows = CountOf(shape) / channels;
  const float* __restrict x = Call::Data(inputs[0]);
  const float* gamma = Call::Data(inputs[1]);
  const float* beta = Call::Data(inputs[2]);
  const float* running_mean = Call::Data(inputs[3]);
  const float* running_variance = Call::Data(inputs[4]);
  float* y = call.Output(0, shape);
  float* outputs[4];
  for (int i = 0; i < 4; i++) outputs[i] = call.Output(i + 1, {channels});
  if (!call.ok()) return;
  auto [new_mean, new_variance, mean, variance] = std::tie(outputs[0], outputs[1], outputs[2], outputs[3]);

  std::vector<float> scale(channels), shift(channels);
  WithChannels(channels, [&](auto width) {
    // Sums of x - K and its square, with the first row as K: the variance loses nothing to a large mean.
    const std::vector<float> pivot(x, x + channels);
    const float* k = pivot.data();
    const auto sums = SumChannels(width, rows, [x, k](int64_t i, int c, float& a, float& b) {
      const float d = x[i] - k[c];
      a += d;
      b += d * d;
    });
    const double n = static_cast<double>(rows);
    for (int c = 0; c < channels; c++) {
      const double offset = sums[c] / n;
      const double spread = std::max(0.0, sums[channels + c] / n - offset * offset);
      mean[c] = static_cast<float>(k[c] + offset);
      variance[c] = static_cast<float>(spread);
      const double unbiased = spread * n / std::max(n - 1, 1.0);
      new_mean[c] = (1 - attributes.momentum) * running_mean[c] + attributes.momentum * mean[c];
      new_variance[c] = (1 - attributes.momentum) * running_variance[c] + attributes.momentum * static_cast<float>(unbiased);
      scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
      shift[c] = beta[c] - mean[c] * scale[c];
    }
    const float* __restrict s = scale.data();
    const float* __restrict t = shift.data();
    const float floor = attributes.relu ? 0.0f : -INFINITY;
    PerChannel(width, rows, [=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      const V z = Get<V>(x + i) * Get<V>(s + c) + Get<V>(t + c);
      Put(y + i, Above(z, zero + floor));
    });
  });
}

/// dy, x, gamma, beta, mean, variance -> dx, dgamma, dbeta
inline void BatchNormGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[6];
  for (int i = 0; i < 6; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[1]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 2; i < 6; i++) call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && ShapeOf(inputs[0]) == shape, "batch norm got dy and x of different shapes")) return;
  const int64_t rows = CountOf(shape) / channels;
  const float* __restrict dy = Call::Data(inputs[0]);
  const float* __restrict x = Call::Data(inputs[1]);
  const float* gamma = Call::Data(inputs[2]);
  const float* beta = Call::Data(inputs[3]);
  const float* mean = Call::Data(inputs[4]);
  const float* variance = Call::Data(inputs[5]);
  float* dx = call.Output(0, shape);
  float* dgamma = call.Output(1, {channels});
  float* dbeta = call.Output(2, {channels});
  if (!call.ok()) return;

  std::vector<float> scale(channels), shift(channels), along(channels), constant(channels);
  for (int c = 0; c < channels; c++) {
    scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  const float* __restrict s = scale.data();
  const float* __restrict t = shift.data();
  const float* __restrict m = mean;
  const float floor = attributes.relu ? 0.0f : -INFINITY;  // without a ReLU every z is above it
  WithChannels(channels, [&](auto width) {
    const auto sums = SumChannels(width, rows, [=](int64_t i, int c, float& a, float& b) {
      const float d = dy[i];  // loaded in any case: a load under a condition would not be a vector's
      const float g = x[i] * s[c] + t[c] > floor ? d : 0.0f;
      a += g;
      b += g * (x[i] - m[c]);
    });
    const double n = static_cast<double>(rows);
    for (int c = 0; c < channels; c++) {
      const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + attributes.epsilon);
      dbeta[c] = static_cast<float>(sums[c]);
      dgamma[c] = static_cast<float>(sums[channels + c] * inverse);
      along[c] = static_cast<float>(-gamma[c] * inverse * inverse * inverse * sums[channels + c] / n);
      constant[c] = static_cast<float>(-gamma[c] * inverse * sums[c] / n);
    }
    const float* __restrict u = along.data();
    const float* __restrict v = constant.data();
    PerChannel(width, rows, [=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      const V xi = Get<V>(x + i), scale = Get<V>(s + c);
      const V g = xi * scale + Get<V>(t + c) > floor ? Get<V>(dy + i) : zero;
      Put(dx + i, scale * g + Get<V>(u + c) * (xi - Get<V>(m + c)) + Get<V>(v + c));
    });
  });
}

}  // namespace zoo
