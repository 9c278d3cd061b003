// Numbers drawn from the zoo's own generator (models/src/random.ts).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// Unsigned integers by the vector, as many as `Lanes` has numbers.
typedef uint32_t Words __attribute__((vector_size(sizeof(Lanes)), aligned(4)));

/// Threefry-2x32-20 (Salmon et al. 2011): encrypts counters (c, 0) under the key (k0, k1).
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

/// What a stream begins with: the shape to fill, which is an input as the key is, since TensorFlow keeps a kernel for
/// every set of attributes that it has seen.
struct Stream2x32 {
  uint32_t k0 = 0, k1 = 0;
  std::vector<int64_t> shape;

  bool Read(Call& call) {
    const TF_Tensor *key = call.Input(0), *sizes = call.Input(1);
    if (!call.ok() || !call.Expect(CountOf(ShapeOf(key)) == 2, "a draw got a key that is none")) return false;
    const auto* size = Call::Data<int32_t>(sizes);
    shape.assign(size, size + CountOf(ShapeOf(sizes)));
    k0 = static_cast<uint32_t>(Call::Data<int32_t>(key)[0]);
    k1 = static_cast<uint32_t>(Call::Data<int32_t>(key)[1]);
    return true;
  }

  /// Calls body(first, words) for some counters at a time: word w of counter first + i is words[w][i].
  template <typename Body>
  void Each(int64_t counters, const Body& body) const {
    Parallel((counters + kLanes - 1) / kLanes, 8 * kLanes, [&](int, int64_t begin, int64_t end) {
      Words lane;
      for (int i = 0; i < kLanes; i++) lane[i] = static_cast<uint32_t>(i);
      for (int64_t block = begin; block < end; block++) {
        Words words[2];
        Threefry(k0, k1, lane + static_cast<uint32_t>(block * kLanes), words[0], words[1]);
        body(block * kLanes, words);
      }
    });
  }
};

/// key, size -> numbers of that shape, element i made of the stream's i-th word by made(i, word).
template <typename Made>
void Draw(TF_OpKernelContext* context, const Made& made) {
  Call call(context);
  Stream2x32 stream;
  if (!stream.Read(call)) return;
  float* const numbers = call.Output(0, stream.shape);
  if (!call.ok()) return;
  const int64_t count = CountOf(stream.shape);
  stream.Each((count + 1) / 2, [&](int64_t first, const Words(&words)[2]) {
    for (int64_t i = 2 * first; i < std::min(count, 2 * (first + kLanes)); i++)
      numbers[i] = made(i, words[i & 1][i / 2 - first]);
  });
}

/// key, size -> numbers in [0, 1), of 24 bits
inline void Uniform(void*, TF_OpKernelContext* context) {
  Draw(context, [](int64_t, uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; });
}

/// key, size -> numbers from the standard normal distribution (Box & Muller 1958), each of two words
inline void Normals(void*, TF_OpKernelContext* context) {
  Call call(context);
  Stream2x32 stream;
  if (!stream.Read(call)) return;
  float* const numbers = call.Output(0, stream.shape);
  if (!call.ok()) return;
  const int64_t count = CountOf(stream.shape);
  // In double precision, as JavaScript does it: so they are the same numbers.
  constexpr double kStep = 0x1p-24, kTurn = 6.283185307179586;
  stream.Each(count, [&](int64_t first, const Words(&words)[2]) {
    for (int64_t i = first; i < std::min(count, first + kLanes); i++) {
      const double radius = std::sqrt(-2 * std::log(1 - (words[0][i - first] >> 8) * kStep));
      numbers[i] = static_cast<float>(radius * std::cos(kTurn * ((words[1][i - first] >> 8) * kStep)));
    }
  });
}

}  // namespace zoo
