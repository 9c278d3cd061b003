// Channels of two images side by side, and taken apart again.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// A few bytes, often: without a call for each.
inline void CopyBytes(void* to, const void* from, int64_t bytes) {
#if defined(__AVX512BW__)
  for (int64_t at = 0; at < bytes; at += 64) {
    const __mmask64 valid = bytes - at >= 64 ? ~__mmask64{0} : (__mmask64{1} << (bytes - at)) - 1;
    const __m512i value = _mm512_maskz_loadu_epi8(valid, static_cast<const char*>(from) + at);
    _mm512_mask_storeu_epi8(static_cast<char*>(to) + at, valid, value);
  }
#else
  std::memcpy(to, from, bytes);
#endif
}

/// Whether two shapes differ in their last axis only.
inline bool SameRows(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  return !a.empty() && a.size() == b.size() && std::equal(a.begin(), a.end() - 1, b.begin());
}

/// a [..., m], b [..., n] -> [..., m + n]
inline void Concat(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *left = call.Input(0), *right = call.Input(1);
  if (!call.ok()) return;
  const auto shape = ShapeOf(left), other = ShapeOf(right);
  if (!call.Expect(SameRows(shape, other), "a concat got shapes that differ in more than the last axis")) return;
  const int64_t m = shape.back(), n = other.back();
  auto joined = shape;
  joined.back() = m + n;
  WithType(left, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *a = Call::Data<T>(left), *b = Call::Data<T>(right);
    T* y = call.Output<T>(0, joined);
    if (!call.ok()) return;
    Parallel(m + n == 0 ? 0 : CountOf(joined) / (m + n), m + n, [=](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        CopyBytes(y + row * (m + n), a + row * m, sizeof(T) * m);
        CopyBytes(y + row * (m + n) + m, b + row * n, sizeof(T) * n);
      }
    });
  });
}

/// dy, a, b (for their shapes) -> da, db
inline void ConcatGrad(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor *gradient = call.Input(0), *left = call.Input(1), *right = call.Input(2);
  if (!call.ok()) return;
  const auto shape = ShapeOf(left), other = ShapeOf(right), joined = ShapeOf(gradient);
  const bool fits = SameRows(shape, other) && SameRows(shape, joined) && joined.back() == shape.back() + other.back();
  if (!call.Expect(fits, "a concat's gradient does not fit its parts")) return;
  const int64_t m = shape.back(), n = other.back();
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* dy = Call::Data<T>(gradient);
    T *da = call.Output<T>(0, shape), *db = call.Output<T>(1, other);
    if (!call.ok()) return;
    Parallel(m + n == 0 ? 0 : CountOf(joined) / (m + n), m + n, [=](int, int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        CopyBytes(da + row * m, dy + row * (m + n), sizeof(T) * m);
        CopyBytes(db + row * n, dy + row * (m + n) + m, sizeof(T) * n);
      }
    });
  });
}

}  // namespace zoo
