// Numbers by the vector, and loops over them.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "threads.h"

namespace zoo {

/// 16 numbers at once; the compiler makes of them what the processor has.
typedef float Lanes __attribute__((vector_size(64), aligned(4)));
constexpr int kLanes = 16;

template <typename V>
V Get(const float* from) {
  V value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

inline void Put(float* to, float value) { *to = value; }

/// Past the caches: results are much larger than they are, and a store through them reads what it overwrites first.
/// `to` is a multiple of 64 bytes, as TensorFlow's tensors are.
inline void Put(float* to, Lanes value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, reinterpret_cast<__m512>(value));
#else
  std::memcpy(to, &value, sizeof(value));
#endif
}

/// max(z, floor), and NaN for NaN
template <typename V>
V Above(V z, V floor) {
  return z <= floor ? floor : z;
}

/// Calls body(V(), i) for every i in [0, count): with V = Lanes for 16 at a time, with float for the rest.
template <typename Body>
void Elementwise(int64_t count, const Body& body) {
  const int64_t whole = count / kLanes;
  Parallel(whole, kLanes, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(Lanes(), i * kLanes);
  });
  for (int64_t i = whole * kLanes; i < count; i++) body(float(), i);
}

/// Calls body(V(), index, channel) for every element of [rows, channels], likewise.
template <typename Body>
void PerChannel(int channels, int64_t rows, const Body& body) {
  Parallel(rows, channels, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t at = row * channels;
      if (channels % kLanes == 0) {
        for (int c = 0; c < channels; c += kLanes) body(Lanes(), at + c, c);
      } else {
        for (int c = 0; c < channels; c++) body(float(), at + c, c);
      }
    }
  });
}

}  // namespace zoo
