// Dropout's factors, drawn from the zoo's own generator (models/src/random.ts), and their product with what they drop.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Unsigned integers by the vector, as many as `Lanes` has numbers.
typedef uint32_t Words __attribute__((vector_size(64), aligned(4)));

/// Threefry-2x32-20 (Salmon et al. 2011): encrypts 16 counters (c, 0) under the key (k0, k1).
inline void Threefry(uint32_t k0, uint32_t k1, Words c, Words& x0, Words& x1) {
  constexpr int kRotations[] = {13, 15, 26, 6, 17, 29, 16, 24};
  const uint32_t keys[] = {k0, k1, 0x1bd11bda ^ k0 ^ k1};
  x0 = c + k0;
  x1 = Words() + k1;
  for (int round = 0; round < 20; round++) {
    const int r = kRotations[round & 7];
    x0 += x1;
    x1 = ((x1 << r) | (x1 >> (32 - r))) ^ x0;
    if ((round & 3) == 3) {
      const uint32_t s = round / 4 + 1;
      x0 += keys[s % 3];
      x1 += keys[(s + 1) % 3] + s;
    }
  }
}

/// key, shape -> factors of that shape: 0 where the stream's number, of 24 bits, is below `below`, else `kept`. Element
/// i is the stream's i-th. Both are inputs, since TensorFlow keeps a kernel for every set of attributes that it has
/// seen.
inline void DropoutMask(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const float kept = attributes.kept;
  const auto below = static_cast<uint32_t>(attributes.below);
  Call call(context);
  const TF_Tensor *key = call.Input(0), *sizes = call.Input(1);
  if (!call.ok() || !call.Expect(CountOf(ShapeOf(key)) == 2, "a dropout mask got a key that is none")) return;
  const auto* size = Call::Data<int32_t>(sizes);
  const std::vector<int64_t> shape(size, size + CountOf(ShapeOf(sizes)));
  const auto k0 = static_cast<uint32_t>(Call::Data<int32_t>(key)[0]);
  const auto k1 = static_cast<uint32_t>(Call::Data<int32_t>(key)[1]);
  float* const mask = call.Output(0, shape);
  if (!call.ok()) return;
  const int64_t count = CountOf(shape), blocks = (count + 2 * kLanes - 1) / (2 * kLanes);
  Parallel(blocks, 8 * kLanes, [&](int, int64_t begin, int64_t end) {
    Words lane;
    for (int i = 0; i < kLanes; i++) lane[i] = static_cast<uint32_t>(i);
    for (int64_t block = begin; block < end; block++) {
      Words words[2];
      Threefry(k0, k1, lane + static_cast<uint32_t>(block * kLanes), words[0], words[1]);
      const int64_t first = block * 2 * kLanes;
      for (int i = 0; i < 2 * kLanes && first + i < count; i++) {
        mask[first + i] = words[i & 1][i >> 1] >> 8 < below ? 0.0f : kept;
      }
    }
  });
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
