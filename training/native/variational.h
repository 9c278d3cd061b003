// What an autoencoder's bound is made of (models/src/ops/sigmoid-cross-entropy.ts, gaussian-kl.ts, reparameterize.ts),
// and their gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "activations.h"
#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// What becomes of the losses of all elements (models/src/ops/reduction.ts).
enum class Reduction : int64_t { kMean, kBatchMean, kEach, kNone };

/// Elements as rows whose losses are summed, `batch` examples of them in all.
struct LossRows {
  std::vector<int64_t> shape, kept;  // of the elements, and of the rows
  int64_t rows, each, batch;
  Reduction reduction;

  /// @param axes how many of the leading axes are the rows'
  LossRows(const TF_Tensor* tensor, size_t axes, int64_t kind)
      : shape(ShapeOf(tensor)),
        kept(shape.begin(), shape.begin() + static_cast<int64_t>(std::min(axes, shape.size()))),
        rows(CountOf(kept)),
        each(rows == 0 ? 0 : CountOf(shape) / rows),
        batch(kept.empty() ? 1 : kept[0]),
        reduction(static_cast<Reduction>(kind)) {}

  /// The shape of what a loss becomes.
  std::vector<int64_t> reduced() const {
    if (reduction == Reduction::kNone) return shape;
    return reduction == Reduction::kEach ? kept : std::vector<int64_t>{};
  }

  /// What the sum of all losses counts for.
  double share() const {
    const int64_t parts = reduction == Reduction::kMean ? rows * each : reduction == Reduction::kBatchMean ? batch : 1;
    return 1.0 / static_cast<double>(std::max<int64_t>(parts, 1));
  }

  /// Reduces sum_of(row), the sum of a row's losses.
  template <typename SumOf>
  void Sum(float* result, const SumOf& sum_of) const {
    std::vector<double> sums(static_cast<size_t>(rows));
    Parallel(rows, each / 2, [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) sums[row] = sum_of(row);
    });
    if (reduction == Reduction::kEach) {
      std::copy(sums.begin(), sums.end(), result);
      return;
    }
    double total = 0;
    for (double sum : sums) total += sum;
    *result = static_cast<float>(total * share());
  }

  /// Calls body(V(), i, factor) for every element, with what its loss counts for.
  template <typename Body>
  void Spread(const float* dy, const Body& body) const {
    if (reduction == Reduction::kNone) {
      return Elementwise(rows * each, [=](auto zero, int64_t i) { body(zero, i, Get<decltype(zero)>(dy + i)); });
    }
    const float factor = static_cast<float>(share());
    Parallel(rows, each / 2, [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const float own = dy[reduction == Reduction::kEach ? row : 0] * factor;
        EachOfRow(static_cast<int>(each), [&](auto zero, int c) { body(zero, row * each + c, zero + own); });
      }
    });
  }
};

/// log(1 + t) for t in [0, 1], to some 1e-7 of it: 2 atanh s, s = t / (2 + t) at most 1/3
template <typename V>
V LogAbove1(V t) {
  const V s = t / (t + 2.0f), square = s * s;
  V p = square * (1.0f / 15) + (1.0f / 13);
  for (const float term : {1.0f / 11, 1.0f / 9, 1.0f / 7, 1.0f / 5, 1.0f / 3, 1.0f}) p = p * square + term;
  return s * p * 2.0f;
}

/// max(x, 0) - x t + log(1 + exp(-|x|))
template <typename V>
V CrossEntropyOf(V x, V t) {
  const V zero = V(), high = x > zero ? x : zero;
  return high - x * t + LogAbove1(Exp(x < zero ? x : -x));
}

/// logits, target -> losses, reduced
inline void SigmoidCrossEntropy(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *logits = call.Input(0), *targets = call.Input(1);
  if (!call.ok()) return;
  const LossRows all(logits, 1, static_cast<Attributes*>(raw)->reduction);
  if (!call.Expect(ShapeOf(targets) == all.shape, "cross-entropy got a target of another shape")) return;
  float* const result = call.Output(0, all.reduced());
  if (!call.ok()) return;
  const float* const target = Call::Data(targets);
  WithType(logits, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const x = Call::Data<T>(logits);
    const auto loss = [=](auto zero, int64_t i) {
      using V = decltype(zero);
      return CrossEntropyOf(Stream<V>(x + i), Stream<V>(target + i));
    };
    if (all.reduction == Reduction::kNone) {
      return Elementwise(all.rows * all.each, [=](auto zero, int64_t i) { Put(result + i, loss(zero, i)); });
    }
    all.Sum(result, [&](int64_t row) {
      return SumRow(static_cast<int>(all.each), [&](auto zero, int c) { return loss(zero, row * all.each + c); });
    });
  });
}

/// dy, logits, target -> dlogits
inline void SigmoidCrossEntropyGrad(void* raw, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *logits = call.Input(1), *targets = call.Input(2);
  if (!call.ok()) return;
  const LossRows all(logits, 1, static_cast<Attributes*>(raw)->reduction);
  const bool fits = ShapeOf(targets) == all.shape && CountOf(ShapeOf(gradient)) == CountOf(all.reduced());
  if (!call.Expect(fits, "cross-entropy's gradient got tensors that do not fit each other")) return;
  const float* const target = Call::Data(targets);
  WithType(logits, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const x = Call::Data<T>(logits);
    T* const dx = call.Output<T>(0, all.shape);
    if (!call.ok()) return;
    all.Spread(Call::Data(gradient), [=](auto zero, int64_t i, auto factor) {
      using V = decltype(zero);
      Put(dx + i, (SigmoidOf(Stream<V>(x + i)) - Stream<V>(target + i)) * factor);
    });
  });
}

/// exp(x) of any x, by the exponential of what is below 0
template <typename V>
V ExpOf(V x) {
  const V zero = V(), fall = Exp(x < zero ? x : -x);
  return x < zero ? fall : (zero + 1.0f) / fall;
}

/// The two normal distributions of a divergence; what a prior does not say is 0.
struct Gaussians {
  const float *mean = nullptr, *variance = nullptr, *prior_mean = nullptr, *prior_variance = nullptr;

  template <typename V>
  struct Compared {
    V ratio, pull, distance, log_ratio;
  };

  /// The inputs from `first` on: mean, log variance, and the prior's where there are any.
  /// @returns whether they are of one shape
  bool Read(Call& call, int first, const Attributes& attributes) {
    const bool with_mean = attributes.with_mean != 0, with_variance = attributes.with_variance != 0;
    const int count = 2 + with_mean + with_variance;
    const float* data[4] = {};
    std::vector<int64_t> shape;
    for (int i = 0; i < count; i++) {
      const TF_Tensor* tensor = call.Input(first + i);
      if (!call.ok()) return false;
      if (i > 0 && ShapeOf(tensor) != shape) return false;
      shape = ShapeOf(tensor);
      data[i] = Call::Data(tensor);
    }
    mean = data[0];
    variance = data[1];
    if (with_mean) prior_mean = data[2];
    if (with_variance) prior_variance = data[count - 1];
    return !shape.empty();
  }

  /// e^(v - w), (mu - m) e^-w, (mu - m)^2 e^-w and v - w of number i
  template <typename V>
  Compared<V> At(int64_t i) const {
    V offset = Get<V>(mean + i), log_ratio = Get<V>(variance + i);
    if (prior_mean != nullptr) offset = offset - Get<V>(prior_mean + i);
    V pull = offset;
    if (prior_variance != nullptr) {
      const V w = Get<V>(prior_variance + i);
      log_ratio = log_ratio - w;
      pull = offset * ExpOf(-w);
    }
    return {ExpOf(log_ratio), pull, offset * pull, log_ratio};
  }
};

/// mean, log variance, and the prior's where there are any -> divergences, reduced
inline void GaussianKl(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor* means = call.Input(0);
  Gaussians both;
  if (!call.ok() || !call.Expect(both.Read(call, 0, attributes), "a divergence got tensors of different shapes"))
    return;
  const LossRows all(means, static_cast<size_t>(TF_NumDims(means)) - 1, attributes.reduction);
  float* const result = call.Output(0, all.reduced());
  if (!call.ok()) return;
  all.Sum(result, [&](int64_t row) {
    return 0.5f * SumRow(static_cast<int>(all.each), [&](auto zero, int c) {
             const auto [ratio, pull, distance, log_ratio] = both.At<decltype(zero)>(row * all.each + c);
             return (ratio - 1.0f - log_ratio) + distance;
           });
  });
}

/// dy, mean, log variance, and the prior's where there are any -> the gradients of each
inline void GaussianKlGrad(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *means = call.Input(1);
  Gaussians both;
  if (!call.ok() || !call.Expect(both.Read(call, 1, attributes), "a divergence got tensors of different shapes"))
    return;
  const LossRows all(means, static_cast<size_t>(TF_NumDims(means)) - 1, attributes.reduction);
  if (!call.Expect(CountOf(ShapeOf(gradient)) == CountOf(all.reduced()),
                   "a divergence got a gradient of another shape"))
    return;
  float *const to_mean = call.Output(0, all.shape), *const to_variance = call.Output(1, all.shape);
  float* const to_prior_mean = attributes.with_mean ? call.Output(2, all.shape) : nullptr;
  float* const to_prior_variance =
      attributes.with_variance ? call.Output(attributes.with_mean ? 3 : 2, all.shape) : nullptr;
  if (!call.ok()) return;
  all.Spread(Call::Data(gradient), [=](auto zero, int64_t i, auto factor) {
    using V = decltype(zero);
    const auto [ratio, pull, distance, log_ratio] = both.At<V>(i);
    Put(to_mean + i, pull * factor);
    Put(to_variance + i, (ratio - 1.0f) * factor * 0.5f);
    if (to_prior_mean != nullptr) Put(to_prior_mean + i, -(pull * factor));
    if (to_prior_variance != nullptr) Put(to_prior_variance + i, (1.0f - (ratio + distance)) * factor * 0.5f);
  });
}

/// [batch, draws, d], or [batch, d] for one draw: the shape of what is drawn, which means and log variances [batch, d] fit
struct Draws {
  int64_t batch = 0, draws = 0;
  int d = 0;

  bool Read(const TF_Tensor* noise, const TF_Tensor* variances) {
    const auto shape = ShapeOf(noise);
    if (shape.size() != 2 && shape.size() != 3) return false;
    batch = shape.front();
    draws = shape.size() == 3 ? shape[1] : 1;
    d = static_cast<int>(shape.back());
    return ShapeOf(variances) == std::vector<int64_t>{batch, d};
  }
};

/// mean, log variance, noise -> mean + deviation * noise
inline void Reparameterize(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *means = call.Input(0), *variances = call.Input(1), *noises = call.Input(2);
  if (!call.ok()) return;
  Draws all;
  const bool fits = all.Read(noises, variances) && ShapeOf(means) == ShapeOf(variances);
  if (!call.Expect(fits, "a draw got tensors that do not fit each other")) return;
  float* const result = call.Output(0, ShapeOf(noises));
  if (!call.ok()) return;
  const float *mean = Call::Data(means), *variance = Call::Data(variances), *noise = Call::Data(noises);
  Parallel(all.batch, all.draws * all.d, [&](int, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      EachOfRow(all.d, [&](auto zero, int c) {
        using V = decltype(zero);
        const V centre = Get<V>(mean + n * all.d + c), deviation = ExpOf(Get<V>(variance + n * all.d + c) * 0.5f);
        for (int64_t k = n * all.draws; k < (n + 1) * all.draws; k++)
          PutNear(result + k * all.d + c, centre + deviation * Get<V>(noise + k * all.d + c));
      });
    }
  });
}

/// dz, log variance, noise -> dmean, dlog variance
inline void ReparameterizeGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *variances = call.Input(1), *noises = call.Input(2);
  if (!call.ok()) return;
  Draws all;
  const bool fits = all.Read(noises, variances) && ShapeOf(gradient) == ShapeOf(noises);
  if (!call.Expect(fits, "a draw's gradient got tensors that do not fit each other")) return;
  float *const to_mean = call.Output(0, ShapeOf(variances)), *const to_variance = call.Output(1, ShapeOf(variances));
  if (!call.ok()) return;
  const float *dz = Call::Data(gradient), *variance = Call::Data(variances), *noise = Call::Data(noises);
  Parallel(all.batch, all.draws * all.d, [&](int, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      EachOfRow(all.d, [&](auto zero, int c) {
        using V = decltype(zero);
        V plain = V(), along = V();
        for (int64_t k = n * all.draws; k < (n + 1) * all.draws; k++) {
          const V change = Get<V>(dz + k * all.d + c);
          plain += change;
          along += change * Get<V>(noise + k * all.d + c);
        }
        PutNear(to_mean + n * all.d + c, plain);
        PutNear(to_variance + n * all.d + c, along * ExpOf(Get<V>(variance + n * all.d + c) * 0.5f) * 0.5f);
      });
    }
  });
}

}  // namespace zoo
