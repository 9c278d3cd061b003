// Dropout's factors, drawn from the zoo's own generator (models/src/random.ts), and their product with what they drop.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "random.h"
#include "tensorflow.h"
#include "vectors.h"

namespace zoo {

/// key, size -> factors of that shape: 0 where the stream's number, of 24 bits, is below `below`, else `kept`. Element
/// i is the stream's i-th.
inline void DropoutMask(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const float kept = attributes.kept;
  const auto below = static_cast<uint32_t>(attributes.below);
  Draw(context, [=](int64_t, uint32_t word) { return word >> 8 < below ? 0.0f : kept; });
}

/// x, mask -> y; the mask is as large as x, or has one number for each of its rows, [rows, 1, …]
inline void Dropout(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *input = call.Input(0), *factors = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(input), of_mask = ShapeOf(factors);
  const int64_t count = CountOf(shape);
  const bool by_row = of_mask != shape && !shape.empty() && of_mask.size() == shape.size() && of_mask[0] == shape[0] &&
                      CountOf(of_mask) == shape[0];
  if (!call.Expect(of_mask == shape || by_row, "dropout got a mask of another shape")) return;
  const float* const mask = Call::Data(factors);
  WithType(input, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* x = Call::Data<T>(input);
    T* y = call.Output<T>(0, shape);
    if (!call.ok() || count == 0) return;
    if (by_row) {
      const int64_t each = count / shape[0];
      for (int64_t row = 0; row < shape[0]; row++) {
        const float factor = mask[row];
        Elementwise(each, [=, from = x + row * each, to = y + row * each](auto zero, int64_t i) {
          using V = decltype(zero);
          Put(to + i, Stream<V>(from + i) * factor);
        });
      }
      return;
    }
    Elementwise(count, [=](auto zero, int64_t i) {
      using V = decltype(zero);
      Put(y + i, Stream<V>(x + i) * Stream<V>(mask + i));
    });
  });
}

}  // namespace zoo
