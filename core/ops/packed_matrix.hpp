#pragma once
// A constant matrix as f32, packed for products: what MatMul and Gemm keep of their weights.

#include "ops/packing.hpp"
#include "ops/product.hpp"

namespace kinglet::ops {

class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// Packs and releases constant `i`, [k, n] or, where `transposed`, [n, k], times `factor`.
  PackedMatrix(PrepareContext& c, size_t i, bool transposed = false, float factor = 1);

  explicit operator bool() const { return first_ != nullptr; }
  size_t k() const { return k_; }
  size_t n() const { return n_; }

  /// y[m, n] = a[m, k] * this, on all threads of the session; `fast` as in Product. Not for use inside a body of parallel().
  void multiply(const RunContext& c, size_t m, const float* a, ptrdiff_t lda, float* y, ptrdiff_t ldy,
                const kernels::Epilogue& epilogue, bool fast) const;

 private:
  size_t k_ = 0, n_ = 0;
  /// Columns of `first_`, all or whole panels of them; the others are in `rest_`, so that their padding does not keep a
  /// large matrix from being packed over its own memory.
  size_t whole_ = 0;
  std::shared_ptr<std::byte[]> first_, rest_;
};

}  // namespace kinglet::ops
