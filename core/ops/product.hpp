#pragma once
// Products of f32 matrices over packed B on all threads of a session.

#include "kernels/gemm.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {

/// How products of one size are split: into rows, or into columns where there are few rows, or where B is so large that
/// each range of rows would wait for it again. Takes its scratch when it is made.
class Product {
 public:
  /// `fast`: by kernels/strassen.hpp, with its rounding; else by kernels/gemm.hpp. `residual`: there will be one.
  Product(const RunContext& c, size_t m, size_t n, size_t k, bool fast, bool residual = false);

  /// As kernels::gemm. Splits over threads: not for use inside a body of parallel().
  void operator()(const float* a, ptrdiff_t lda, const float* packed_b, float* y, ptrdiff_t ldy,
                  const kernels::Epilogue& epilogue = {}) const;

 private:
  /// A grid of parts of rows x columns; one part is the whole.
  struct Parts {
    size_t rows, columns;
  };
  static Parts fast_parts(size_t threads, size_t m, size_t n, size_t k, bool residual);

  size_t m_, n_, k_;
  bool fast_ = false;
  Parts parts_{};
  ThreadScratch scratch_{nullptr, 0};
};

/// Whether a product of these sizes is better split by columns.
bool splits_columns(size_t threads, size_t m, size_t n, size_t k);

}  // namespace kinglet::ops
