#pragma once
// Products with weights that are not kept as packed floats: a few rows at a time become floats when a product wants them.

#include "ops/parallel.hpp"

namespace kinglet::ops {

/// A matrix [n, k] whose rows are the columns of operand B.
class LazyRows {
 public:
  virtual ~LazyRows() = default;
  /// Rows [first, first + count) as floats: in place, or written to `buffer`.
  virtual const float* rows(size_t first, size_t count, float* buffer) const = 0;
};

/// Scratch for products of depth up to `k`.
ThreadScratch lazy_scratch(const RunContext& c, size_t k);

/// y[m, n] = a[m, k] * B + bias (or null), on all threads of the session; rows of a and y are dense.
void multiply_lazily(const ThreadScratch& scratch, size_t m, size_t n, size_t k, const float* a, const LazyRows& b, float* y,
                     const float* bias = nullptr);

}  // namespace kinglet::ops
