// The gradient of an embedding's table (models/src/ops/embedding.ts).
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "layer-norm.h"
#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// dy, ids -> dtable: each row of dy is added to the row of the table that its id names. A thread has channels of its
/// own, so that the order of sums is always that of the ids.
inline void EmbeddingGrad(void* raw, TF_OpKernelContext* context) {
  const int64_t vocabulary = static_cast<Attributes*>(raw)->vocabulary;
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *places = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(gradient);
  const int64_t rows = CountOf(ShapeOf(places)), d = shape.empty() ? 0 : shape.back();
  const int32_t* ids = Call::Data<int32_t>(places);
  const bool fits = vocabulary > 0 && d > 0 && CountOf(shape) == rows * d &&
                    std::all_of(ids, ids + rows, [=](int32_t id) { return id >= 0 && id < vocabulary; });
  if (!call.Expect(fits, "an embedding's gradient got ids that do not fit it")) return;
  float* const table = call.Output(0, {vocabulary, d});
  if (!call.ok()) return;
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const dy = Call::Data<T>(gradient);
    const int64_t blocks = (d + kLanes - 1) / kLanes;
    Parallel(blocks, (rows + vocabulary) * kLanes, [&](int, int64_t begin, int64_t end) {
      const int64_t first = begin * kLanes;
      const int width = static_cast<int>(std::min(end * kLanes, d) - first);
      for (int64_t v = 0; v < vocabulary; v++) std::fill_n(table + v * d + first, width, 0.0f);
      for (int64_t row = 0; row < rows; row++) {
        const T* from = dy + row * d + first;
        float* to = table + ids[row] * d + first;
        EachOfRow(width, [=](auto zero, int c) {
          using V = decltype(zero);
          PutNear(to + c, Get<V>(to + c) + Get<V>(from + c));
        });
      }
    });
  });
}

}  // namespace zoo
