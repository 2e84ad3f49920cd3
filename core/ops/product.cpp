#include "ops/product.hpp"

#include <algorithm>

#include "kernels/gemm_columns.hpp"
#include "kernels/strassen.hpp"

namespace kinglet::ops {
namespace {

/// A range of so many rows waits little for B, however large that is.
constexpr size_t kManyRows = 96;
/// Floats of B that stay in a cache of each thread.
constexpr size_t kSmallB = size_t{1} << 17;
/// Rows that a register tile of gemm has, and columns that it has for one row.
constexpr size_t kRowUnit = 6, kColumnUnit = 32;

size_t size_of_part(size_t size, size_t parts, size_t unit) {
  return std::max(unit, ((size + parts - 1) / parts + unit - 1) / unit * unit);
}

}  // namespace

bool splits_columns(size_t threads, size_t m, size_t n, size_t k) {
  if (n < 2 * kColumnUnit) return false;
  return m < 2 * kRowUnit * threads || (m < kManyRows * threads && n * k > kSmallB);
}

Product::Parts Product::fast_parts(size_t threads, size_t m, size_t n, size_t k, bool residual) {
  if (kernels::strassen_scratch_size(m, n, k, residual) == 0) return {0, 0};
  if (threads == 1) return {m, n};
  // As many parts as are still large enough, so that no thread waits long for the last.
  for (const size_t per_thread : {size_t{4}, size_t{2}, size_t{1}}) {
    const size_t parts = per_thread * threads;
    for (size_t across = 1; across <= parts; ++across) {
      if (parts % across != 0) continue;
      const Parts sizes{size_of_part(m, parts / across, 2), size_of_part(n, across, 2 * kernels::kPanelWidth)};
      if (kernels::strassen_scratch_size(sizes.rows, sizes.columns, k, residual) != 0) return sizes;
    }
  }
  return {0, 0};
}

Product::Product(const RunContext& c, size_t m, size_t n, size_t k, bool fast, bool residual) : m_(m), n_(n), k_(k) {
  if (!fast) return;
  parts_ = fast_parts(threads(), m, n, k, residual);
  fast_ = parts_.rows != 0;
  if (!fast_) return;
  const size_t floats = kernels::strassen_scratch_size(parts_.rows, parts_.columns, k, residual);
  scratch_ = thread_scratch(c, floats * sizeof(float));
}

void Product::operator()(const float* a, ptrdiff_t lda, const float* packed_b, float* y, ptrdiff_t ldy,
                         const kernels::Epilogue& epilogue) const {
  if (fast_) {
    const size_t down = (m_ + parts_.rows - 1) / parts_.rows, across = (n_ + parts_.columns - 1) / parts_.columns;
    return parallel(down * across, 1, [&](size_t begin, size_t end, size_t worker) {
      for (size_t i = begin; i < end; ++i) {
        const size_t row = i / across * parts_.rows, column = i % across * parts_.columns;
        const auto r = static_cast<ptrdiff_t>(row);
        kernels::strassen_columns(std::min(parts_.rows, m_ - row), n_, k_, a + r * lda, lda, packed_b, y + r * ldy, ldy,
                                  part_of(epilogue, row, 0), scratch_.as<float>(worker), column,
                                  std::min(n_, column + parts_.columns));
      }
    });
  }
  if (splits_columns(threads(), m_, n_, k_)) {
    return parallel(n_, worth_a_thread(m_ * k_), [&](size_t begin, size_t end, size_t) {
      kernels::gemm_columns(m_, n_, k_, a, lda, packed_b, y, ldy, epilogue, begin, end);
    }, kColumnUnit);
  }
  parallel(m_, worth_a_thread(n_ * k_), [&](size_t begin, size_t end, size_t) {
    const auto r = static_cast<ptrdiff_t>(begin);
    kernels::gemm(end - begin, n_, k_, a + r * lda, lda, packed_b, y + r * ldy, ldy, part_of(epilogue, begin, 0));
  }, kRowUnit);
}

}  // namespace kinglet::ops
