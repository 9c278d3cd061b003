// Group normalisation of each example (models/src/ops/group-norm.ts), and its gradient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// [batch, places, channels], and the channels of a group.
struct Grouped {
  int64_t batch = 0, places = 0;
  int channels = 0, groups = 0, size = 0;

  /// @returns false where the groups do not divide the channels, or there is nothing
  bool Read(const std::vector<int64_t>& shape, int64_t all_groups) {
    if (shape.size() < 2 || CountOf(shape) == 0 || all_groups < 1 || shape.back() % all_groups != 0) return false;
    batch = shape.front();
    channels = static_cast<int>(shape.back());
    places = CountOf(shape) / batch / channels;
    groups = static_cast<int>(all_groups);
    size = channels / groups;
    return true;
  }

  int64_t example() const { return places * channels; }
  double members() const { return static_cast<double>(places) * size; }
};

/// Sums over an example's places of `kinds` quantities of each channel: add(V(), i, c, sums) adds those of number i,
/// of channel c, to sums[kind * channels + c]. Some rows are added in single precision before they go into double.
class PlaceSums {
 public:
  PlaceSums(const Grouped& grouped, int kinds)
      : grouped_(grouped), block_(kinds * grouped.channels), totals_(block_.size()) {}

  template <typename Add>
  const double* Run(const Add& add) {
    std::fill(totals_.begin(), totals_.end(), 0.0);
    for (int64_t first = 0; first < grouped_.places; first += kRowBlock) {
      std::fill(block_.begin(), block_.end(), 0.0f);
      for (int64_t row = first; row < std::min(grouped_.places, first + kRowBlock); row++) {
        const int64_t at = row * grouped_.channels;
        EachOfRow(grouped_.channels, [&](auto zero, int c) { add(zero, at + c, c, block_.data()); });
      }
      for (size_t i = 0; i < block_.size(); i++) totals_[i] += block_[i];
    }
    return totals_.data();
  }

 private:
  const Grouped& grouped_;
  std::vector<float> block_;
  std::vector<double> totals_;
};

/// Adds a term to the sum of its channel.
template <typename V>
void AddTo(float* sum, V term) {
  PutNear(sum, Get<V>(sum) + term);
}

/// The sum of a group's channels.
inline double OfGroup(const double* sums, int group, int size) {
  double total = 0;
  for (int c = group * size; c < (group + 1) * size; c++) total += sums[c];
  return total;
}

/// x, gamma, beta -> y, mean, 1 / deviation: an example at a time, which the caches hold from pass to pass
inline void GroupNorm(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *input = call.Input(0), *scales = call.Input(1), *shifts = call.Input(2);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  Grouped grouped;
  const bool fits = grouped.Read(shape, attributes.groups) && CountOf(ShapeOf(scales)) == grouped.channels &&
                    CountOf(ShapeOf(shifts)) == grouped.channels;
  if (!call.Expect(fits, "group norm got groups or parameters that do not fit its channels")) return;
  const std::vector<int64_t> statistics = {grouped.batch, 1, grouped.groups, 1};
  const float *gamma = Call::Data(scales), *beta = Call::Data(shifts);
  float *means = call.Output(1, statistics), *inverses = call.Output(2, statistics);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* all = Call::Data<T>(input);
    T* results = call.Output<T>(0, shape);
    if (!call.ok()) return;
    const int channels = grouped.channels, size = grouped.size;
    Parallel(grouped.batch, grouped.example(), [&](int, int64_t begin, int64_t end) {
      PlaceSums sums(grouped, 1);
      std::vector<float> parameters(3 * static_cast<size_t>(channels));
      float *mean = parameters.data(), *scale = mean + channels, *shift = scale + channels;
      for (int64_t n = begin; n < end; n++) {
        const T* x = all + n * grouped.example();
        T* y = results + n * grouped.example();
        const double* plain = sums.Run([x](auto zero, int64_t i, int c, float* sum) {
          using V = decltype(zero);
          AddTo<V>(sum + c, Stream<V>(x + i));
        });
        for (int g = 0; g < grouped.groups; g++) {
          means[n * grouped.groups + g] = static_cast<float>(OfGroup(plain, g, size) / grouped.members());
          std::fill(mean + g * size, mean + (g + 1) * size, means[n * grouped.groups + g]);
        }
        const double* squares = sums.Run([x, mean](auto zero, int64_t i, int c, float* sum) {
          using V = decltype(zero);
          const V centred = Get<V>(x + i) - Get<V>(mean + c);
          AddTo<V>(sum + c, centred * centred);
        });
        for (int g = 0; g < grouped.groups; g++) {
          const double variance = OfGroup(squares, g, size) / grouped.members();
          const float inverse = static_cast<float>(1 / std::sqrt(variance + attributes.epsilon));
          inverses[n * grouped.groups + g] = inverse;
          for (int c = g * size; c < (g + 1) * size; c++) {
            scale[c] = inverse * gamma[c];
            shift[c] = beta[c];
          }
        }
        for (int64_t at = 0; at < grouped.example(); at += channels) {
          EachOfRow(channels, [=](auto zero, int c) {
            using V = decltype(zero);
            Put(y + at + c, (Get<V>(x + at + c) - Get<V>(mean + c)) * Get<V>(scale + c) + Get<V>(shift + c));
          });
        }
      }
    });
  });
}

/// dy, x, mean, 1 / deviation, gamma -> dx, dgamma, dbeta
inline void GroupNormGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *input = call.Input(1), *centres = call.Input(2);
  const TF_Tensor *spreads = call.Input(3), *scales = call.Input(4);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input);
  Grouped grouped;
  const bool fits = grouped.Read(shape, attributes.groups) && ShapeOf(gradient) == shape &&
                    CountOf(ShapeOf(scales)) == grouped.channels &&
                    CountOf(ShapeOf(centres)) == grouped.batch * grouped.groups &&
                    CountOf(ShapeOf(spreads)) == grouped.batch * grouped.groups;
  if (!call.Expect(fits, "group norm's gradient got tensors that do not fit each other")) return;
  const int channels = grouped.channels, size = grouped.size;
  const float *gamma = Call::Data(scales), *means = Call::Data(centres), *inverses = Call::Data(spreads);
  float *dgamma = call.Output(1, {channels}), *dbeta = call.Output(2, {channels});
  // Of each thread: dgamma, then dbeta.
  std::vector<double> parts(2 * static_cast<size_t>(channels) * pool->threads(), 0.0);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *changes = Call::Data<T>(gradient), *all = Call::Data<T>(input);
    T* results = call.Output<T>(0, shape);
    if (!call.ok()) return;
    Parallel(grouped.batch, grouped.example(), [&](int part, int64_t begin, int64_t end) {
      PlaceSums sums(grouped, 2);
      std::vector<float> parameters(5 * static_cast<size_t>(channels));
      float *mean = parameters.data(), *inverse = mean + channels;
      float *scale = inverse + channels, *along = scale + channels, *constant = along + channels;
      double* const total = parts.data() + 2 * static_cast<size_t>(channels) * part;
      for (int64_t n = begin; n < end; n++) {
        const T *dy = changes + n * grouped.example(), *x = all + n * grouped.example();
        T* dx = results + n * grouped.example();
        for (int c = 0; c < channels; c++) {
          mean[c] = means[n * grouped.groups + c / size];
          inverse[c] = inverses[n * grouped.groups + c / size];
        }
        // Of dy times x normalised, and of dy.
        const double* sum = sums.Run([=](auto zero, int64_t i, int c, float* block) {
          using V = decltype(zero);
          const V change = Stream<V>(dy + i);
          AddTo<V>(block + c, change * ((Stream<V>(x + i) - Get<V>(mean + c)) * Get<V>(inverse + c)));
          AddTo<V>(block + channels + c, change);
        });
        for (int c = 0; c < 2 * channels; c++) total[c] += sum[c];
        for (int g = 0; g < grouped.groups; g++) {
          double gx = 0, plain = 0;
          for (int c = g * size; c < (g + 1) * size; c++) {
            gx += gamma[c] * sum[c];
            plain += gamma[c] * sum[channels + c];
          }
          for (int c = g * size; c < (g + 1) * size; c++) {
            scale[c] = inverse[c] * gamma[c];
            along[c] = static_cast<float>(-gx / grouped.members()) * inverse[c] * inverse[c];
            constant[c] = static_cast<float>(-plain / grouped.members()) * inverse[c];
          }
        }
        for (int64_t at = 0; at < grouped.example(); at += channels) {
          EachOfRow(channels, [=](auto zero, int c) {
            using V = decltype(zero);
            const V centred = Get<V>(x + at + c) - Get<V>(mean + c);
            Put(dx + at + c,
                Get<V>(dy + at + c) * Get<V>(scale + c) + centred * Get<V>(along + c) + Get<V>(constant + c));
          });
        }
      }
    });
  });
  if (!call.ok()) return;
  for (int c = 0; c < channels; c++) {
    double scaled = 0, plain = 0;
    for (int part = 0; part < pool->threads(); part++) {
      scaled += parts[2 * static_cast<size_t>(channels) * part + c];
      plain += parts[2 * static_cast<size_t>(channels) * part + channels + c];
    }
    dgamma[c] = static_cast<float>(scaled);
    dbeta[c] = static_cast<float>(plain);
  }
}

}  // namespace zoo
