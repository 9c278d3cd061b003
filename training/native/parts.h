// Weights of any shapes whose update takes them one after the other, beside vectors of all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tensorflow.h"
#include "threads.h"
#include "vectors.h"

namespace zoo {

/// One weight of an optimizer's step: `next` is what becomes of it, `at` where it begins in the vectors.
struct Part {
  const float *weights, *gradient;
  float* next;
  int64_t count, at;
};

/// The weights that are the first inputs, the gradients that follow them, and the outputs of the weights' shapes. What
/// comes then are `vectors` inputs of as many numbers as all weights have, and one of `numbers`.
inline std::vector<Part> PartsOf(Call& call, int vectors, int64_t numbers) {
  const int parts = (call.inputs() - vectors - 1) / 2;
  std::vector<Part> all;
  int64_t size = 0;
  for (int i = 0; i < parts; i++) {
    const TF_Tensor *weights = call.Input(i), *gradient = call.Input(parts + i);
    if (!call.ok()) return {};
    const auto shape = ShapeOf(weights);
    const int64_t count = CountOf(shape);
    if (!call.Expect(CountOf(ShapeOf(gradient)) == count, "a weight's gradient has another size")) return {};
    all.push_back({Call::Data(weights), Call::Data(gradient), call.Output(i, shape), count, size});
    size += count;
  }
  for (int i = 0; i <= vectors; i++) {
    const TF_Tensor* vector = call.Input(2 * parts + i);
    if (!call.ok()) return {};
    const bool fits = CountOf(ShapeOf(vector)) == (i < vectors ? size : numbers);
    if (!call.Expect(fits, "an optimizer got vectors that do not fit its weights")) return {};
  }
  return all;
}

/// As Elementwise over all weights: calls body(V(), part, i, j) for every number i of a part, j in the vectors. Threads
/// share whole blocks of a weight, so that how a number is computed does not depend on how many threads there are.
template <typename Body>
void EachPart(const std::vector<Part>& parts, const Body& body) {
  constexpr int64_t kBlock = 512 * kLanes;
  if (parts.empty()) return;
  const int64_t size = parts.back().at + parts.back().count;
  Parallel((size + kLanes - 1) / kLanes, kLanes / 4, [&](int, int64_t first, int64_t last) {
    for (const Part& part : parts) {
      // Blocks that begin in the thread's share of all numbers.
      const int64_t low = std::max<int64_t>(first * kLanes - part.at, 0), high = last * kLanes - part.at;
      for (int64_t begin = (low + kBlock - 1) / kBlock * kBlock; begin < std::min(high, part.count); begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, part.count), whole = begin + (end - begin) / kLanes * kLanes;
        for (int64_t i = begin; i < whole; i += kLanes) body(Lanes(), part, i, part.at + i);
        for (int64_t i = whole; i < end; i++) body(float(), part, i, part.at + i);
      }
    }
  });
}

}  // namespace zoo
