// Softmax cross-entropy against integer labels (models/src/ops/softmax-cross-entropy.ts), and its gradient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gelu.h"
#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// The rows of a call: logits [rows, classes] and a label for each, or -1 for a row that does not count.
struct LabelledRows {
  int64_t rows = 0, counted = 0;
  int classes = 0;
  const int32_t* labels = nullptr;

  /// @returns whether the tensors fit each other and every label is a class, or below 0
  bool Read(const TF_Tensor* logits, const TF_Tensor* given) {
    const auto shape = ShapeOf(logits);
    if (shape.size() != 2 || shape[1] < 1 || ShapeOf(given) != std::vector<int64_t>{shape[0]}) return false;
    rows = shape[0];
    classes = static_cast<int>(shape[1]);
    labels = Call::Data<int32_t>(given);
    counted = std::count_if(labels, labels + rows, [](int32_t label) { return label >= 0; });
    return std::all_of(labels, labels + rows, [this](int32_t label) { return label < classes; });
  }
};

/// logits, labels -> the mean loss, and log Σ exp of each row
inline void CrossEntropy(void* raw, TF_OpKernelContext* context) {
  const float smoothing = static_cast<Attributes*>(raw)->smoothing;
  Call call(context);
  const TF_Tensor *logits = call.Input(0), *labels = call.Input(1);
  if (!call.ok()) return;
  LabelledRows all;
  if (!call.Expect(all.Read(logits, labels), "cross-entropy got labels that do not fit its logits")) return;
  float *loss = call.Output(0, {}), *log_sums = call.Output(1, {all.rows, 1});
  if (!call.ok()) return;
  std::vector<double> losses(static_cast<size_t>(all.rows), 0.0);
  const int classes = all.classes;
  WithType(logits, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const data = Call::Data<T>(logits);
    Parallel(all.rows, classes, [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const T* z = data + row * classes;
        Lanes most = Lanes() + Get<float>(z);
        float largest = Get<float>(z);
        int c = 0;
        for (; c + kLanes <= classes; c += kLanes) {
          const Lanes value = Stream<Lanes>(z + c);
          most = value > most ? value : most;
        }
        for (; c < classes; c++) largest = std::max(largest, Get<float>(z + c));
        for (int lane = 0; lane < kLanes; lane++) largest = std::max(largest, most[lane]);
        const float sum = SumRow(classes, [=](auto zero, int i) { return Exp(Get<decltype(zero)>(z + i) - largest); });
        const float log_sum = largest + std::log(sum);
        log_sums[row] = log_sum;
        const int32_t label = all.labels[row];
        if (label < 0) continue;
        double own = static_cast<double>(log_sum) - (1.0 - smoothing) * Get<float>(z + label);
        if (smoothing != 0) {
          own -= smoothing / classes * SumRow(classes, [=](auto zero, int i) { return Get<decltype(zero)>(z + i); });
        }
        losses[row] = own;
      }
    });
  });
  double total = 0;
  for (double own : losses) total += own;
  *loss = static_cast<float>(total / std::max<int64_t>(all.counted, 1));
}

/// dy, logits, labels, log Σ exp -> dlogits
inline void CrossEntropyGrad(void* raw, TF_OpKernelContext* context) {
  const float smoothing = static_cast<Attributes*>(raw)->smoothing;
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *logits = call.Input(1), *labels = call.Input(2), *sums = call.Input(3);
  if (!call.ok()) return;
  LabelledRows all;
  const bool fits = all.Read(logits, labels) && CountOf(ShapeOf(gradient)) == 1 && CountOf(ShapeOf(sums)) == all.rows;
  if (!call.Expect(fits, "cross-entropy's gradient got tensors that do not fit each other")) return;
  const float factor = *Call::Data(gradient) / static_cast<float>(std::max<int64_t>(all.counted, 1));
  const float* const log_sums = Call::Data(sums);
  const int classes = all.classes;
  WithType(logits, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const data = Call::Data<T>(logits);
    T* const results = call.Output<T>(0, ShapeOf(logits));
    if (!call.ok()) return;
    Parallel(all.rows, classes, [&](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const T* z = data + row * classes;
        T* dz = results + row * classes;
        const int32_t label = all.labels[row];
        if (label < 0) {
          std::fill_n(dz, classes, T());
          continue;
        }
        const float log_sum = log_sums[row], share = smoothing / static_cast<float>(classes);
        EachOfRow(classes, [=](auto zero, int c) {
          using V = decltype(zero);
          PutNear(dz + c, (Exp(Stream<V>(z + c) - log_sum) - share) * factor);
        });
        const float p = Exp(Get<float>(z + label) - log_sum);
        PutNear(dz + label, (p - share - (1 - smoothing)) * factor);
      }
    });
  });
}

}  // namespace zoo
