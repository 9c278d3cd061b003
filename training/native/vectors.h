// Numbers by the vector, and loops over them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "threads.h"

#define ZOO_INLINE inline __attribute__((always_inline))

namespace zoo {

/// As many numbers at once as a vector of the processor has; the compiler keeps longer ones in memory.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));

using Bf16 = uint16_t;  // the high half of a float

template <typename V>
V Get(const float* from) {
  V value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

inline void Put(float* to, float value) { *to = value; }

/// Whether what an op writes is much larger than the caches. It then goes past them, since a store through them reads
/// what it overwrites first; what is smaller stays in them for the op that reads it next. Call::Output says which.
inline std::atomic<bool> past_caches{false};

/// Bytes of a result from which it goes past the caches.
constexpr size_t kPastCaches = 4 << 20;

/// Past the caches, where that is asked for and `to` is a whole line.
inline void Put(float* to, Lanes value) {
#if defined(__AVX512F__)
  if (past_caches.load(std::memory_order_relaxed) && reinterpret_cast<uintptr_t>(to) % sizeof(value) == 0)
    return _mm512_stream_ps(to, reinterpret_cast<__m512>(value));
#endif
  std::memcpy(to, &value, sizeof(value));
}

/// Into the caches, wherever it lies: for what is small, or read again soon.
inline void PutNear(float* to, float value) { *to = value; }
inline void PutNear(float* to, Lanes value) { std::memcpy(to, &value, sizeof(value)); }

#if defined(__AVX512BF16__)
#define ZOO_BF16 1

template <typename V>
V Get(const Bf16* from) {
  if constexpr (sizeof(V) == sizeof(float)) {
    const uint32_t word = static_cast<uint32_t>(*from) << 16;
    float value;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  } else {
    const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    return reinterpret_cast<Lanes>(_mm512_slli_epi32(words, 16));
  }
}

/// Rounds to the nearest.
inline void Put(Bf16* to, float value) {
  *to = static_cast<Bf16>(_mm_cvtsi128_si32(reinterpret_cast<__m128i>(_mm_cvtneps_pbh(_mm_set_ss(value)))));
}

inline void PutNear(Bf16* to, float value) { Put(to, value); }
inline void PutNear(Bf16* to, Lanes value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(value))));
}

inline void Put(Bf16* to, Lanes value) {
  const auto rounded = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(value)));
  auto* const at = reinterpret_cast<__m256i*>(to);
  if (past_caches.load(std::memory_order_relaxed) && reinterpret_cast<uintptr_t>(to) % sizeof(rounded) == 0)
    return _mm256_stream_si256(at, rounded);
  _mm256_storeu_si256(at, rounded);
}
#endif

/// Gets what is read only once, in sequence: asks for what comes a page later, where the processor would not look.
template <typename V, typename T>
V Stream(const T* from) {
  __builtin_prefetch(reinterpret_cast<const char*>(from) + 4096);
  return Get<V>(from);
}

/// max(z, floor), and NaN for NaN
template <typename V>
V Above(V z, V floor) {
  return z <= floor ? floor : z;
}

/// Calls body(V(), channel), with V = Lanes for a vector of channels; of the last, some may be done twice.
template <typename Body>
ZOO_INLINE void CoverChannels(int64_t channels, const Body& body) {
  if (channels < kLanes) {
    for (int64_t c = 0; c < channels; c++) body(float(), c);
    return;
  }
  for (int64_t c = 0; c + kLanes <= channels; c += kLanes) body(Lanes(), c);
  if (channels % kLanes != 0) body(Lanes(), channels - kLanes);
}

/// Calls body(V(), i) for every i in [0, count): with V = Lanes for a vector of them at a time, with float for the rest.
/// An element costs so little that a thread is not woken for fewer than some hundred thousand.
template <typename Body>
void Elementwise(int64_t count, const Body& body) {
  const int64_t whole = count / kLanes;
  Parallel(whole, kLanes / 4, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) body(Lanes(), i * kLanes);
  });
  for (int64_t i = whole * kLanes; i < count; i++) body(float(), i);
}

/// Calls body(V(), index, channel) for every element of [rows, channels], likewise. A row's last vector may
/// overlap those before.
template <typename Body>
void PerChannel(int channels, int64_t rows, const Body& body) {
  Parallel(rows, channels, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t at = row * channels;
      if (channels >= kLanes) {
        for (int c = 0; c + kLanes <= channels; c += kLanes) body(Lanes(), at + c, c);
        if (channels % kLanes != 0) body(Lanes(), at + channels - kLanes, channels - kLanes);
      } else {
        for (int c = 0; c < channels; c++) body(float(), at + c, c);
      }
    }
  });
}

}  // namespace zoo
