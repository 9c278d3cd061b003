// Filters by the fewest products (Winograd 1980, "Arithmetic complexity of computations", ch. V): m outputs of r taps
// by m + r - 1 products, in two dimensions by the square of that. Lavin & Gray 2016, "Fast algorithms for convolutional
// neural networks", eqs. 5 to 8, has the matrices: y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A. Here m is 2: the transforms have no
// factor but one half, so sums are as exact as the plain ones.
#pragma once

#include "vectors.h"

namespace zoo {

/// F(2, r), and its parts in one dimension.
template <int kTaps>
struct Winograd;

template <>
struct Winograd<3> {
  template <typename V>
  static ZOO_INLINE void Image(const V (&d)[4], V (&v)[4]) {  // Bᵀ d
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }

  template <typename V>
  static ZOO_INLINE void Filter(const V (&g)[3], V (&u)[4]) {  // G g
    const V ends = (g[0] + g[2]) * 0.5f, middle = g[1] * 0.5f;
    u[0] = g[0];
    u[1] = ends + middle;
    u[2] = ends - middle;
    u[3] = g[2];
  }

  template <typename V>
  static ZOO_INLINE void Result(const V (&m)[4], V (&y)[2]) {  // Aᵀ m
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }

  template <typename V>
  static ZOO_INLINE void ResultGrad(const V (&dy)[2], V (&w)[4]) {  // A dy
    w[0] = dy[0];
    w[1] = dy[0] + dy[1];
    w[2] = dy[0] - dy[1];
    w[3] = -dy[1];
  }

  template <typename V>
  static ZOO_INLINE void FilterGrad(const V (&du)[4], V (&dg)[3]) {  // Gᵀ du
    const V half_sum = (du[1] + du[2]) * 0.5f, half_difference = (du[1] - du[2]) * 0.5f;
    dg[0] = du[0] + half_sum;
    dg[1] = half_difference;
    dg[2] = half_sum + du[3];
  }
};

template <>
struct Winograd<2> {
  template <typename V>
  static ZOO_INLINE void Image(const V (&d)[3], V (&v)[3]) {
    v[0] = d[0] - d[1];
    v[1] = d[1];
    v[2] = d[2] - d[1];
  }

  template <typename V>
  static ZOO_INLINE void Filter(const V (&g)[2], V (&u)[3]) {
    u[0] = g[0];
    u[1] = g[0] + g[1];
    u[2] = g[1];
  }

  template <typename V>
  static ZOO_INLINE void Result(const V (&m)[3], V (&y)[2]) {
    y[0] = m[0] + m[1];
    y[1] = m[1] + m[2];
  }

  template <typename V>
  static ZOO_INLINE void ResultGrad(const V (&dy)[2], V (&w)[3]) {
    w[0] = dy[0];
    w[1] = dy[0] + dy[1];
    w[2] = dy[1];
  }

  template <typename V>
  static ZOO_INLINE void FilterGrad(const V (&du)[3], V (&dg)[2]) {
    dg[0] = du[0] + du[1];
    dg[1] = du[1] + du[2];
  }
};

/// The same in two dimensions: along the columns, then along the rows.
template <int kIn, int kOut, typename V, typename Transform>
ZOO_INLINE void BothWays(const V (&in)[kIn][kIn], V (&out)[kOut][kOut], const Transform& transform) {
  V half[kOut][kIn];
#pragma GCC unroll 4
  for (int j = 0; j < kIn; j++) {
    V column[kIn], transformed[kOut];
#pragma GCC unroll 4
    for (int i = 0; i < kIn; i++) column[i] = in[i][j];
    transform(column, transformed);
#pragma GCC unroll 4
    for (int i = 0; i < kOut; i++) half[i][j] = transformed[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < kOut; i++) transform(half[i], out[i]);
}

}  // namespace zoo
