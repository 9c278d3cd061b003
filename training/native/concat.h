// Channels of images side by side, and taken apart again.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

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

/// Where each part's channels begin in a row of all, and at the end how many there are.
inline std::vector<int64_t> Offsets(const std::vector<int64_t>& channels) {
  std::vector<int64_t> offsets(1, 0);
  for (int64_t count : channels) offsets.push_back(offsets.back() + count);
  return offsets;
}

/// Calls copy(part, row, offset, channels) for each part of each row.
template <typename Copy>
void ForEachPart(int64_t rows, const std::vector<int64_t>& channels, const Copy& copy) {
  const std::vector<int64_t> offsets = Offsets(channels);
  Parallel(rows, offsets.back(), [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      for (size_t part = 0; part < channels.size(); part++) copy(part, row, offsets[part], channels[part]);
    }
  });
}

/// parts [..., channels of each] -> [..., channels of all]
inline void Concat(void*, TF_OpKernelContext* context) {
  Call call(context);
  std::vector<const TF_Tensor*> parts;
  std::vector<int64_t> channels;
  std::vector<int64_t> shape;
  for (int i = 0; i < call.inputs(); i++) {
    parts.push_back(call.Input(i));
    if (!call.ok()) return;
    const auto own = ShapeOf(parts[i]);
    if (i == 0) shape = own;
    if (!call.Expect(SameRows(shape, own), "a concat got shapes that differ in more than the last axis")) return;
    channels.push_back(own.back());
  }
  const int64_t all = Offsets(channels).back();
  shape.back() = 1;
  const int64_t rows = CountOf(shape);
  shape.back() = all;
  WithType(parts[0], [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    T* y = call.Output<T>(0, shape);
    if (!call.ok()) return;
    std::vector<const T*> from;
    for (const TF_Tensor* part : parts) from.push_back(Call::Data<T>(part));
    ForEachPart(rows, channels, [&](size_t part, int64_t row, int64_t offset, int64_t count) {
      CopyBytes(y + row * all + offset, from[part] + row * count, sizeof(T) * count);
    });
  });
}

/// dy [..., channels of all] -> the gradient of each part; `size` says how many channels it has
inline void ConcatGrad(void* raw, TF_OpKernelContext* context) {
  const std::vector<int64_t>& channels = static_cast<Attributes*>(raw)->size;
  Call call(context);
  const TF_Tensor* gradient = call.Input(0);
  if (!call.ok()) return;
  auto shape = ShapeOf(gradient);
  const int64_t all = Offsets(channels).back();
  if (!call.Expect(!shape.empty() && shape.back() == all, "a concat's gradient does not fit its parts")) return;
  const int64_t rows = all == 0 ? 0 : CountOf(shape) / all;
  WithType(gradient, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* dy = Call::Data<T>(gradient);
    std::vector<T*> to;
    for (size_t part = 0; part < channels.size(); part++) {
      shape.back() = channels[part];
      to.push_back(call.Output<T>(static_cast<int>(part), shape));
      if (!call.ok()) return;
    }
    ForEachPart(rows, channels, [&](size_t part, int64_t row, int64_t offset, int64_t count) {
      CopyBytes(to[part] + row * count, dy + row * all + offset, sizeof(T) * count);
    });
  });
}

}  // namespace zoo
