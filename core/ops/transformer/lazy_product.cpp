#include "ops/transformer/lazy_product.hpp"

#include <algorithm>

#include "kernels/gemm.hpp"

namespace kinglet::ops {
namespace {

/// Rows of B at a time: some panels, in the second cache up to a depth of a few thousand.
constexpr size_t kRows = 2 * kernels::kPanelWidth;

}  // namespace

ThreadScratch lazy_scratch(const RunContext& c, size_t k) {
  const uint64_t bytes = uint64_t{2 * kRows} * k * sizeof(float);
  if (bytes > SIZE_MAX) throw_out_of_memory(bytes);
  return thread_scratch(c, static_cast<size_t>(bytes));
}

void multiply_lazily(const ThreadScratch& scratch, size_t m, size_t n, size_t k, const float* a, const LazyRows& b, float* y,
                     const float* bias) {
  const auto depth = static_cast<ptrdiff_t>(k);
  parallel(n, worth_a_thread((m + 2) * k), [&](size_t begin, size_t end, size_t worker) {
    float *const buffer = scratch.as<float>(worker), *const packed = buffer + kRows * k;
    for (size_t column = begin; column < end; column += kRows) {
      const size_t columns = std::min(kRows, end - column);
      kernels::pack_b(packed, k, columns, b.rows(column, columns, buffer), 1, depth);
      kernels::gemm(m, columns, k, a, depth, packed, y + column, static_cast<ptrdiff_t>(n),
                    {.bias = bias == nullptr ? nullptr : bias + column});
    }
  }, kRows);
}

}  // namespace kinglet::ops
