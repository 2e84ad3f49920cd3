#include "kernels/gemm_i8.hpp"

#include <algorithm>

#include "kernels/gemm_i8_block.hpp"
#include "kernels/pack_i8.hpp"

namespace kinglet::kernels {
namespace {

/// Bytes of A that a block of rows has at most, so that they stay in the second cache.
constexpr size_t kBlockBytes = 256 * 1024;

size_t dot_block_rows(size_t m, size_t k) {
  return std::min(m, std::max(kBlockBytes / std::max<size_t>(k, 1) / kDotRows, size_t{1}) * kDotRows);
}

struct Call {
  size_t m, n, k;
  const uint8_t* a;
  bool a_signed;
  ptrdiff_t lda;
  const int32_t* a_zero;
  size_t a_zero_step;
  const int8_t* packed_b;
  std::byte* c;
  ptrdiff_t ldc;
  const Int8Epilogue& epilogue;

  std::byte* row_of_c(size_t row) const {
    return c + static_cast<ptrdiff_t>(row) * ldc * static_cast<ptrdiff_t>(element_bytes(epilogue.output));
  }
};

void gemm_pairs(const Call& call, void* scratch) {
  const size_t block = pair_block_rows(call.m, call.k), depth = round_up(call.k, 2);
  auto* const panel = static_cast<int16_t*>(scratch);
  int16_t* const packed = panel + pair_scratch_bytes(block, call.k) / sizeof(int16_t);
  auto* const sums = reinterpret_cast<int32_t*>(packed + block * depth);
  const bool wants_sums = call.epilogue.b_zero != nullptr;
  for (size_t start = 0; start < call.m; start += block) {
    const size_t rows = std::min(block, call.m - start);
    if (wants_sums) std::fill_n(sums, block, 0);
    for (size_t tile = 0; tile < rows; tile += kPairRows) {
      const uint8_t* row[kPairRows];
      int32_t zeros[kPairRows];
      for (size_t r = 0; r < kPairRows; ++r) {
        // The rows that a last tile lacks are packed, but not multiplied.
        const size_t i = std::min(start + tile + r, call.m - 1);
        row[r] = call.a + static_cast<ptrdiff_t>(i) * call.lda;
        zeros[r] = call.a_zero[i * call.a_zero_step];
      }
      pack_pairs(packed + tile * depth, row, call.k, call.a_signed, zeros, wants_sums ? sums + tile : nullptr);
    }
    multiply_pairs(rows, call.n, call.k, packed, sums, call.packed_b, panel, call.row_of_c(start), call.ldc, call.epilogue);
  }
}

void gemm_dots(const Call& call, Int8Kernel kernel, void* scratch) {
  // A zero point of its own makes a row a product of its own.
  const size_t block = call.a_zero_step == 0 ? dot_block_rows(call.m, call.k) : 1;
  auto* const sums = static_cast<int32_t*>(scratch);
  auto* const flipped = reinterpret_cast<uint8_t*>(sums + round_up(dot_block_rows(call.m, call.k), 4));
  const bool flips = flip_for(kernel, call.a_signed) != 0;
  for (size_t start = 0; start < call.m; start += block) {
    const size_t rows = std::min(block, call.m - start);
    DotRows a{.start = call.a + static_cast<ptrdiff_t>(start) * call.lda, .stride = call.lda, .depth = call.k};
    if (flips) {
      for (size_t r = 0; r < rows; ++r) flip_bytes(flipped + r * call.k, a.start + static_cast<ptrdiff_t>(r) * call.lda, call.k);
      a.start = flipped;
      a.stride = static_cast<ptrdiff_t>(call.k);
    }
    const int32_t zero = moved_zero(kernel, call.a_signed, call.a_zero[start * call.a_zero_step]);
    multiply_dots(rows, call.n, kernel, a, zero, sums, call.packed_b, call.row_of_c(start), call.ldc, call.epilogue);
    activate_rows(call.epilogue, rows, call.n, call.row_of_c(start), call.ldc);
  }
}

}  // namespace

void activate_rows(const Int8Epilogue& epilogue, size_t m, size_t n, void* c, ptrdiff_t ldc) {
  if (epilogue.activation.kind == Activation::Kind::kNone) return;
  for (size_t r = 0; r < m; ++r) apply(epilogue.activation, static_cast<float*>(c) + static_cast<ptrdiff_t>(r) * ldc, n);
}

size_t packed_b_i8_size(size_t k, size_t n, Int8Kernel kernel) {
  return round_up(n, kInt8Columns) * (round_up(k, int8_step(kernel)) + sizeof(int32_t));
}

void pack_b_i8(int8_t* packed, size_t k, size_t n, Codes b, ptrdiff_t row_stride, ptrdiff_t column_stride,
               Int8Kernel kernel) {
  const auto* const codes = static_cast<const uint8_t*>(b.data);
  PanelPacker panels(packed, k, n, b.is_signed ? 0 : kUnsignedShift, kernel);
  for (size_t j = 0; j < n; j += kInt8Columns) {
    const size_t columns = std::min(n - j, kInt8Columns);
    const uint8_t* const from = codes + static_cast<ptrdiff_t>(j) * column_stride;
    if (column_stride == 1) {
      panels.add_rows(from, row_stride, columns);
    } else {
      panels.add_columns(from, column_stride, columns);
    }
  }
}

size_t gemm_i8_scratch_bytes(size_t m, size_t k, Int8Kernel kernel) {
  if (kernel == Int8Kernel::kPairs) {
    const size_t block = pair_block_rows(m, k);
    return pair_scratch_bytes(block, k) + block * (round_up(k, 2) * sizeof(int16_t) + sizeof(int32_t));
  }
  const size_t rows = dot_block_rows(m, k);
  return round_up(rows, 4) * sizeof(int32_t) + rows * k;
}

void gemm_i8(size_t m, size_t n, size_t k, Codes a, ptrdiff_t lda, const int32_t* a_zero, size_t a_zero_step,
             const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue, void* scratch,
             Int8Kernel kernel) {
  const Call call{m, n, k, static_cast<const uint8_t*>(a.data), a.is_signed, lda, a_zero, a_zero_step, packed_b,
                  static_cast<std::byte*>(c), ldc, epilogue};
  if (kernel == Int8Kernel::kPairs) return gemm_pairs(call, scratch);
  gemm_dots(call, kernel, scratch);
}

}  // namespace kinglet::kernels
