#pragma once
// Rotary position embedding (Su et al., arXiv:2104.09864): pairs of a head's elements turned by an angle that
// depends on the position.

#include "ops/transformer/attention_core.hpp"

namespace kinglet::ops {

struct Rotary {
  const float *cos = nullptr, *sin = nullptr;  ///< [rows, half]
  size_t half = 0;                             ///< pairs; what a head has beyond them stays as it is
  bool interleaved = false;                    ///< pairs are neighbours, else half a rotated part apart
};

/// Checks two caches of cosines and sines, whose last dim is the number of pairs; `size` is that of a head.
Rotary rotary_of(RunContext& c, const Tensor& cos, const Tensor& sin, size_t size, bool interleaved);

/// The rows of the caches that positions name: throws kShape when one is outside of [0, rows).
void check_rows(std::span<const int64_t> positions, int64_t rows);

/// Turns [batch, heads, rows, size] of x under x_at to y under y_at; y may be x. Row r of batch b takes the
/// angles of cache row positions[b * rows + r].
void rotate(const Rotary& rotary, std::span<const int64_t> positions, size_t batch, size_t heads, size_t rows,
            size_t size, const float* x, const HeadStrides& x_at, float* y, const HeadStrides& y_at);

}  // namespace kinglet::ops
