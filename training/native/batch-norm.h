// Batch normalisation in training, with its ReLU (Ioffe & Szegedy 2015, algorithm 1), and its gradient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Rows whose sums are kept in single precision before they go into double.
constexpr int64_t kBlock = 128;

/// Adds up two quantities of V's channels over rows [begin, end), as terms(V(), index, channel, a, b) adds an
/// element's. The first `known` of the channels are left out.
template <typename V, typename Terms>
void SumRows(int channels, int channel, int known, int64_t begin, int64_t end, double* sums, const Terms& terms) {
  V a = V(), b = V();
  for (int64_t row = begin; row < end; row++) terms(V(), row * channels + channel, channel, a, b);
  constexpr int kWidth = sizeof(V) / sizeof(float);
  float each[2][kWidth];
  std::memcpy(each[0], &a, sizeof(V));
  std::memcpy(each[1], &b, sizeof(V));
  for (int c = known; c < kWidth; c++) {
    sums[channel + c] += each[0][c];
    sums[channels + channel + c] += each[1][c];
  }
}

/// The sums over all rows, those of the threads added in their order: [a of every channel, b of every channel].
template <typename Terms>
std::vector<double> SumChannels(int channels, int64_t rows, const Terms& terms) {
  const size_t width = 2 * static_cast<size_t>(channels);
  std::vector<double> parts(width * pool->threads(), 0.0);
  // An addition is so little that a thread is not woken for fewer than a hundred thousand.
  Parallel(rows, (channels + 3) / 4, [&](int part, int64_t begin, int64_t end) {
    double* const sums = parts.data() + width * part;
    // A few rows at a time for all channels, so that each comes from memory once.
    for (int64_t block = begin; block < end; block += kBlock) {
      const int64_t stop = std::min(end, block + kBlock);
      int channel = 0;
      for (; channel + kLanes <= channels; channel += kLanes)
        SumRows<Lanes>(channels, channel, 0, block, stop, sums, terms);
      if (channel < channels && channels >= kLanes) {
        SumRows<Lanes>(channels, channels - kLanes, kLanes - channels % kLanes, block, stop, sums, terms);
        continue;
      }
      for (; channel < channels; channel++) SumRows<float>(channels, channel, 0, block, stop, sums, terms);
    }
  });
  for (int part = 1; part < pool->threads(); part++) {
    for (size_t i = 0; i < width; i++) parts[i] += parts[width * part + i];
  }
  parts.resize(width);
  return parts;
}

/// Rows of channels that fill no whole vectors, taken several at a time as longer rows that do: 4 rows of 36 channels
/// are one of 144. A parameter of the channels is repeated so many times.
class Folded {
 public:
  Folded(int channels, int64_t rows) : channels_(channels), rows_(rows) {
    while (channels * times_ % kLanes != 0) times_ *= 2;
    if (rows < times_) times_ = 1;
  }

  std::vector<float> Repeat(const float* values) const {
    std::vector<float> all;
    for (int i = 0; i < times_; i++) all.insert(all.end(), values, values + channels_);
    return all;
  }

  /// As SumChannels: channels in the terms are those of long rows, what is returned is that of the channels.
  template <typename Terms>
  std::vector<double> Sum(const Terms& terms) const {
    const auto wide = SumChannels(channels_ * times_, rows_ / times_, terms);
    std::vector<double> sums(2 * static_cast<size_t>(channels_), 0.0);
    for (int which = 0; which < 2; which++) {
      const double* from = wide.data() + which * channels_ * times_;
      for (int i = 0; i < channels_ * times_; i++) sums[which * channels_ + i % channels_] += from[i];
    }
    EachLeft([&](int64_t i, int c) {
      float a = 0, b = 0;
      terms(float(), i, c, a, b);
      sums[c] += a;
      sums[channels_ + c] += b;
    });
    return sums;
  }

  /// As PerChannel, likewise.
  template <typename Body>
  void Each(const Body& body) const {
    PerChannel(channels_ * times_, rows_ / times_, body);
    EachLeft([&](int64_t i, int c) { body(float(), i, c); });
  }

 private:
  /// The rows that make no long one.
  template <typename Body>
  void EachLeft(const Body& body) const {
    for (int64_t row = rows_ / times_ * times_; row < rows_; row++) {
      for (int c = 0; c < channels_; c++) body(row * channels_ + c, c);
    }
  }

  int channels_, times_ = 1;
  int64_t rows_;
};

template <typename T>
void BatchNormOf(const Attributes& attributes, Call& call, const TF_Tensor* const (&inputs)[5]) {
  const auto shape = ShapeOf(inputs[0]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 1; i < 5; i++)
    call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && CountOf(shape) > 0, "batch norm got an empty image")) return;
  const int64_t rows = CountOf(shape) / channels;
  const T* __restrict x = Call::Data<T>(inputs[0]);
  const float* gamma = Call::Data(inputs[1]);
  const float* beta = Call::Data(inputs[2]);
  const float* running_mean = Call::Data(inputs[3]);
  const float* running_variance = Call::Data(inputs[4]);
  T* y = call.Output<T>(0, shape);
  float* outputs[4];
  for (int i = 0; i < 4; i++) outputs[i] = call.Output(i + 1, {channels});
  if (!call.ok()) return;
  auto [new_mean, new_variance, mean, variance] = std::tie(outputs[0], outputs[1], outputs[2], outputs[3]);

  std::vector<float> scale(channels), shift(channels);
  // Sums of x - K and its square, with the first row as K: the variance loses nothing to a large mean.
  std::vector<float> first(channels);
  for (int c = 0; c < channels; c++) first[c] = Get<float>(x + c);
  const Folded folded(channels, rows);
  const std::vector<float> pivot = folded.Repeat(first.data());
  const float* k = pivot.data();
  const auto sums = folded.Sum([x, k](auto zero, int64_t i, int c, auto& a, auto& b) {
    using V = decltype(zero);
    const V d = Stream<V>(x + i) - Get<V>(k + c);
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
    new_variance[c] =
        (1 - attributes.momentum) * running_variance[c] + attributes.momentum * static_cast<float>(unbiased);
    scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  const std::vector<float> scales = folded.Repeat(scale.data()), shifts = folded.Repeat(shift.data());
  const float* __restrict s = scales.data();
  const float* __restrict t = shifts.data();
  const float floor = attributes.relu ? 0.0f : -INFINITY;
  folded.Each([=](auto zero, int64_t i, int c) {
    using V = decltype(zero);
    const V z = Stream<V>(x + i) * Get<V>(s + c) + Get<V>(t + c);
    Put(y + i, Above(z, zero + floor));
  });
}

/// x, gamma, beta, running_mean, running_variance -> y, new running mean, new running variance, mean, variance
inline void BatchNorm(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  WithType(inputs[0], [&](auto* type) {
    BatchNormOf<std::remove_pointer_t<decltype(type)>>(*static_cast<Attributes*>(raw), call, inputs);
  });
}

/// x, gamma, beta, running_mean, running_variance -> y, with the running statistics
inline void BatchNormInference(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  const auto shape = ShapeOf(inputs[0]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 1; i < 5; i++)
    call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0, "batch norm got an empty image")) return;
  const float *gamma = Call::Data(inputs[1]), *beta = Call::Data(inputs[2]);
  const float *mean = Call::Data(inputs[3]), *variance = Call::Data(inputs[4]);
  std::vector<float> scale(channels), shift(channels);
  for (int c = 0; c < channels; c++) {
    scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  const Folded folded(channels, CountOf(shape) / channels);
  const std::vector<float> scales = folded.Repeat(scale.data()), shifts = folded.Repeat(shift.data());
  const float* __restrict s = scales.data();
  const float* __restrict t = shifts.data();
  const float floor = attributes.relu ? 0.0f : -INFINITY;
  WithType(inputs[0], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* __restrict x = Call::Data<T>(inputs[0]);
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    folded.Each([=](auto zero, int64_t i, int c) {
      using V = decltype(zero);
      Put(y + i, Above(Stream<V>(x + i) * Get<V>(s + c) + Get<V>(t + c), zero + floor));
    });
  });
}

template <typename T>
void BatchNormGradOf(const Attributes& attributes, Call& call, const TF_Tensor* const (&inputs)[6]) {
  const auto shape = ShapeOf(inputs[1]);
  const int channels = shape.empty() ? 0 : static_cast<int>(shape.back());
  for (int i = 2; i < 6; i++)
    call.Expect(CountOf(ShapeOf(inputs[i])) == channels, "batch norm got parameters of another size");
  if (!call.Expect(channels > 0 && ShapeOf(inputs[0]) == shape, "batch norm got dy and x of different shapes")) return;
  const int64_t rows = CountOf(shape) / channels;
  const T* __restrict dy = Call::Data<T>(inputs[0]);
  const T* __restrict x = Call::Data<T>(inputs[1]);
  const float* gamma = Call::Data(inputs[2]);
  const float* beta = Call::Data(inputs[3]);
  const float* mean = Call::Data(inputs[4]);
  const float* variance = Call::Data(inputs[5]);
  T* dx = call.Output<T>(0, shape);
  float* dgamma = call.Output(1, {channels});
  float* dbeta = call.Output(2, {channels});
  if (!call.ok()) return;

  std::vector<float> scale(channels), shift(channels), along(channels), constant(channels);
  for (int c = 0; c < channels; c++) {
    scale[c] = gamma[c] / std::sqrt(variance[c] + attributes.epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  const Folded folded(channels, rows);
  const std::vector<float> scales = folded.Repeat(scale.data()), shifts = folded.Repeat(shift.data());
  const std::vector<float> means = folded.Repeat(mean);
  const float* __restrict s = scales.data();
  const float* __restrict t = shifts.data();
  const float* __restrict m = means.data();
  const float floor = attributes.relu ? 0.0f : -INFINITY;  // without a ReLU every z is above it
  const auto sums = folded.Sum([=](auto zero, int64_t i, int c, auto& a, auto& b) {
    using V = decltype(zero);
    const V xi = Stream<V>(x + i);
    const V g = xi * Get<V>(s + c) + Get<V>(t + c) > floor ? Stream<V>(dy + i) : zero;
    a += g;
    b += g * (xi - Get<V>(m + c));
  });
  const double n = static_cast<double>(rows);
  for (int c = 0; c < channels; c++) {
    const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + attributes.epsilon);
    dbeta[c] = static_cast<float>(sums[c]);
    dgamma[c] = static_cast<float>(sums[channels + c] * inverse);
    along[c] = static_cast<float>(-gamma[c] * inverse * inverse * inverse * sums[channels + c] / n);
    constant[c] = static_cast<float>(-gamma[c] * inverse * sums[c] / n);
  }
  const std::vector<float> alongs = folded.Repeat(along.data()), constants = folded.Repeat(constant.data());
  const float* __restrict u = alongs.data();
  const float* __restrict v = constants.data();
  folded.Each([=](auto zero, int64_t i, int c) {
    using V = decltype(zero);
    const V xi = Stream<V>(x + i), scale = Get<V>(s + c);
    const V g = xi * scale + Get<V>(t + c) > floor ? Stream<V>(dy + i) : zero;
    Put(dx + i, scale * g + Get<V>(u + c) * (xi - Get<V>(m + c)) + Get<V>(v + c));
  });
}

/// dy, x, gamma, beta, mean, variance -> dx, dgamma, dbeta
inline void BatchNormGrad(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* inputs[6];
  for (int i = 0; i < 6; i++) inputs[i] = call.Input(i);
  if (!call.ok()) return;
  WithType(inputs[1], [&](auto* type) {
    BatchNormGradOf<std::remove_pointer_t<decltype(type)>>(*static_cast<Attributes*>(raw), call, inputs);
  });
}

}  // namespace zoo
