// Products of matrices by tiles: correlations of columns of single pixels.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "correlation.h"
#include "filter-gradient.h"
#include "matrix-tiles.h"
#include "tensorflow.h"

#ifdef ZOO_TILES

namespace zoo {

/// op(a) op(b) + bias, op the transpose where an attribute says so: [m, k], [k, n] and [n] -> [m, n]. Not both may be
/// transposed. The result is in bf16 where `keep_bf16` says so. Where a is transposed there is no bias, and the result
/// is in single precision.
inline void MatrixProduct(void* raw, TF_OpKernelContext* context) {
  const Attributes& attributes = *static_cast<Attributes*>(raw);
  const bool transpose_a = attributes.transpose_a, transpose_b = attributes.transpose_b;
  Call call(context);
  const TF_Tensor *left = call.Input(0), *right = call.Input(1);
  if (!call.ok()) return;
  const auto a = ShapeOf(left), b = ShapeOf(right);
  const bool matrices = a.size() == 2 && b.size() == 2 && CountOf(a) > 0 && CountOf(b) > 0;
  const bool fits = matrices && !(transpose_a && transpose_b) && a[transpose_a ? 0 : 1] == b[transpose_b ? 1 : 0];
  if (!call.Expect(fits, "a matrix product got factors that do not fit each other")) return;
  const int64_t m = a[transpose_a ? 1 : 0], k = a[transpose_a ? 0 : 1], n = b[transpose_b ? 0 : 1];

  if (transpose_a) {
    // A sum over rows, as a filter's gradient is one over pixels: of images of so many rows as stay in the caches.
    int64_t images = std::min<int64_t>(k, (k + 511) / 512 * pool->threads());
    while (k % images != 0) images--;
    float* y = call.Output(0, {m, n});
    if (!call.ok()) return;
    const auto compute = [&](auto parts, auto* first, auto* second) {
      using A = std::remove_pointer_t<decltype(first)>;
      using B = std::remove_pointer_t<decltype(second)>;
      ComputeFilterGradient<parts()>(FilterGradient<A, B>{Call::Data<A>(left), images, k / images, 1, m,
                                                          Call::Data<B>(right), k / images, 1, n, y, 1, 1, 1, 1, 0, 0});
    };
#ifdef ZOO_MATRIX_UNIT
    if (!attributes.bf16)
      return compute(std::integral_constant<int, 3>(), static_cast<float*>(nullptr), static_cast<float*>(nullptr));
#endif
    return WithType(left, [&](auto* first) {
      WithType(right, [&](auto* second) { compute(std::integral_constant<int, 1>(), first, second); });
    });
  }

  std::vector<float> bias;
  if (call.inputs() > 2) {
    const TF_Tensor* given = call.Input(2);
    if (!call.ok() || !call.Expect(CountOf(ShapeOf(given)) == n, "a matrix product got a bias of another size")) return;
    bias.assign((n + kTileColumns - 1) / kTileColumns * kTileColumns, 0.0f);
    std::copy_n(Call::Data(given), n, bias.begin());
  }
  const auto compute = [&](auto parts, auto* first, auto* result) {
    using A = std::remove_pointer_t<decltype(first)>;
    using Y = std::remove_pointer_t<decltype(result)>;
    Y* y = call.Output<Y>(0, {m, n});
    if (!call.ok()) return;
    Correlation<A, Y> job{Call::Data<A>(left), 1, m, 1, k, y, m, 1, n, 1, 1, 1, 1, {}, bias};
    const Taps taps{Call::Data(right), 1, 1, 0, 0, transpose_b ? 1 : n, transpose_b ? k : 1};
    job.phases.push_back({taps, 0, 0, m, 1, 0, 0});
    Correlate<parts()>(job);
  };
#ifdef ZOO_MATRIX_UNIT
  if (!attributes.bf16)
    return compute(std::integral_constant<int, 3>(), static_cast<float*>(nullptr), static_cast<float*>(nullptr));
#endif
  WithType(left, [&](auto* first) {
    if (attributes.keep_bf16) {
      compute(std::integral_constant<int, 1>(), first, static_cast<Bf16*>(nullptr));
    } else {
      compute(std::integral_constant<int, 1>(), first, static_cast<float*>(nullptr));
    }
  });
}

}  // namespace zoo

#endif
