#include "kernels/gemm_i8.hpp"

#include <algorithm>

#include "kernels/gemm_i8_block.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;
using simd::i16x8;
using simd::i32x4;
using Output = Int8Epilogue::Output;

#define KINGLET_INLINE inline __attribute__((always_inline))

/// Numbers of packed A that a block of rows has at most.
constexpr size_t kBlockNumbers = 48 * 1024;
constexpr size_t kMostRows = 96;

/// The epilogue of one column panel; the arrays hold whole panels.
struct Columns {
  const Int8Epilogue* epilogue;
  int32_t b_zero[kInt8Columns], bias[kInt8Columns];
  float scale[kInt8Columns], addend[kInt8Columns];
  f32x4 low, high;
  size_t count;

  Columns(const Int8Epilogue& e, size_t column, size_t n) : epilogue(&e), count(std::min(n - column, kInt8Columns)) {
    const auto take = [&](auto* to, const auto* from) {
      for (size_t j = 0; j < kInt8Columns; ++j) to[j] = from != nullptr && j < count ? from[column + j] : 0;
    };
    take(b_zero, e.b_zero);
    take(bias, e.bias);
    take(scale, e.scale);
    take(addend, e.addend);
    const int32_t lowest = e.output == Output::kInt8 ? -128 : 0;
    low = simd::splat(static_cast<float>(lowest - e.zero));
    high = simd::splat(static_cast<float>(lowest + 255 - e.zero));
  }
};

void store_row(const Columns& columns, i32x4 first, i32x4 second, void* c, size_t index) {
  const Int8Epilogue& e = *columns.epilogue;
  i32x4 v[2] = {first, second};
  uint8_t bytes[kInt8Columns * sizeof(int32_t)];
  for (size_t j = 0; j < 2; ++j) {
    v[j] = simd::add(v[j], simd::load(columns.bias + j * 4));
    if (e.output == Output::kInt32) continue;
    const f32x4 x = simd::to_float(v[j]) * simd::load(columns.scale + j * 4) + simd::load(columns.addend + j * 4);
    if (e.output == Output::kFloat) {
      v[j] = simd::bits<i32x4>(x);
    } else {
      const f32x4 inside = simd::clamp_above(simd::clamp_below(x, columns.low), columns.high);
      v[j] = simd::add(simd::to_int(simd::nearest(inside)), simd::splat(e.zero));
    }
  }
  const size_t size = element_bytes(e.output);
  uint8_t* const to = static_cast<uint8_t*>(c) + index * size;
  uint8_t* const at = columns.count == kInt8Columns ? to : bytes;
  if (size == 1) {
    simd::store_bytes(at, v[0], v[1]);
  } else {
    std::memcpy(at, v, sizeof v);
  }
  if (at != to) std::memcpy(to, bytes, columns.count * size);
}

/// MR rows of one tile times NP panels.
template <size_t MR, size_t NP>
KINGLET_INLINE void gemm_i8_tile(size_t pairs, const int16_t* a, const int32_t* sums, const int8_t* packed_b, void* c,
                                 ptrdiff_t ldc, size_t row, size_t panel, const Columns* columns) {
  i32x4 acc[MR * NP * 2] = {};
  const int8_t* b[NP];
  for (size_t q = 0; q < NP; ++q) b[q] = packed_b + (panel + q) * pairs * 2 * kInt8Columns;
  for (size_t p = 0; p < pairs; ++p) {
    i16x8 bv[NP * 2];
    for (size_t j = 0; j < NP * 2; ++j) bv[j] = simd::load_extend(b[j / 2] + j % 2 * 8);
    for (size_t q = 0; q < NP; ++q) b[q] += 2 * kInt8Columns;
    for (size_t r = 0; r < MR; ++r) {
      const i16x8 av = simd::load_splat_pair(a + r * 2);
      for (size_t j = 0; j < NP * 2; ++j) acc[r * NP * 2 + j] = simd::add(acc[r * NP * 2 + j], simd::dot(av, bv[j]));
    }
    a += 2 * kInt8Rows;
  }
  for (size_t q = 0; q < NP; ++q) {
    const Columns& part = columns[q];
    for (size_t r = 0; r < MR; ++r) {
      i32x4* const v = acc + r * NP * 2 + q * 2;
      if (part.epilogue->b_zero != nullptr) {
        const i32x4 sum = simd::splat(sums[r]);
        for (size_t j = 0; j < 2; ++j) v[j] = simd::sub(v[j], simd::mul(sum, simd::load(part.b_zero + j * 4)));
      }
      const ptrdiff_t index = static_cast<ptrdiff_t>(row + r) * ldc + static_cast<ptrdiff_t>((panel + q) * kInt8Columns);
      store_row(part, v[0], v[1], c, static_cast<size_t>(index));
    }
  }
}

/// The rows of one tile that are left over, over all panels; fewer rows need more panels for as many sums.
template <size_t MR, size_t NP>
void gemm_i8_rows(size_t n, size_t pairs, const int16_t* a, const int32_t* sums, const int8_t* packed_b, void* c,
                  ptrdiff_t ldc, size_t row, const Int8Epilogue& epilogue) {
  const size_t panels = (n + kInt8Columns - 1) / kInt8Columns;
  size_t panel = 0;
  for (; panel + NP <= panels; panel += NP) {
    if constexpr (NP == 1) {
      const Columns columns(epilogue, panel * kInt8Columns, n);
      gemm_i8_tile<MR, NP>(pairs, a, sums, packed_b, c, ldc, row, panel, &columns);
    } else {
      const Columns columns[] = {Columns(epilogue, panel * kInt8Columns, n), Columns(epilogue, (panel + 1) * kInt8Columns, n)};
      gemm_i8_tile<MR, NP>(pairs, a, sums, packed_b, c, ldc, row, panel, columns);
    }
  }
  for (; panel < panels; ++panel) {
    const Columns columns(epilogue, panel * kInt8Columns, n);
    gemm_i8_tile<MR, 1>(pairs, a, sums, packed_b, c, ldc, row, panel, &columns);
  }
}

/// All of them in 32 bits that wrap.
int32_t add_lanes(i32x4 v, int32_t start) {
  const auto u = simd::bits<simd::u32x4>(v);
  return static_cast<int32_t>(u[0] + u[1] + u[2] + u[3] + static_cast<uint32_t>(start));
}

template <class Code>
void pack_rows(int16_t* packed, const uint8_t* const (&rows)[kInt8Rows], size_t count,
               const int32_t (&zeros)[kInt8Rows], int32_t* sums) {
  const Code* row[kInt8Rows];
  i16x8 zero[kInt8Rows];
  i32x4 sum[kInt8Rows] = {};
  for (size_t r = 0; r < kInt8Rows; ++r) {
    row[r] = reinterpret_cast<const Code*>(rows[r]);
    zero[r] = simd::splat16(static_cast<int16_t>(zeros[r]));
  }
  const i16x8 ones = simd::splat16(1);
  size_t i = 0;
  for (; i + 8 <= count; i += 8, packed += 8 * kInt8Rows) {
    i32x4 v[kInt8Rows];
    for (size_t r = 0; r < kInt8Rows; ++r) {
      const i16x8 x = simd::load_extend(row[r] + i) - zero[r];
      if (sums != nullptr) sum[r] = simd::add(sum[r], simd::dot(x, ones));
      v[r] = simd::bits<i32x4>(x);
    }
    simd::transpose(v[0], v[1], v[2], v[3]);
    std::memcpy(packed, v, sizeof v);
  }
  for (; i < count; i += 2, packed += 2 * kInt8Rows) {
    for (size_t r = 0; r < kInt8Rows; ++r) {
      const auto first = static_cast<int16_t>(row[r][i] - zeros[r]);
      const auto second = static_cast<int16_t>(i + 1 < count ? row[r][i + 1] - zeros[r] : 0);
      packed[r * 2] = first;
      packed[r * 2 + 1] = second;
      sum[r][0] += first + second;
    }
  }
  if (sums == nullptr) return;
  for (size_t r = 0; r < kInt8Rows; ++r) sums[r] = add_lanes(sum[r], sums[r]);
}

}  // namespace

size_t int8_block_rows(size_t m, size_t k) {
  const size_t rows = std::clamp(kBlockNumbers / std::max<size_t>(even(k), 1), kInt8Rows, kMostRows);
  return (std::min(rows, m) + kInt8Rows - 1) / kInt8Rows * kInt8Rows;
}

void pack_piece_i8(int16_t* packed, const uint8_t* const (&rows)[kInt8Rows], size_t count, bool is_signed,
                   const int32_t (&zeros)[kInt8Rows], int32_t* sums) {
  (is_signed ? pack_rows<int8_t> : pack_rows<uint8_t>)(packed, rows, count, zeros, sums);
}

void gemm_i8_block(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums,
                   const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue) {
  const size_t pairs = even(k) / 2;
  const size_t whole = m / kInt8Rows * kInt8Rows;
  // Panel by panel, so that a panel of B stays in the first cache.
  for (size_t panel = 0; whole != 0 && panel * kInt8Columns < n; ++panel) {
    const Columns columns(epilogue, panel * kInt8Columns, n);
    for (size_t row = 0; row < whole; row += kInt8Rows) {
      gemm_i8_tile<kInt8Rows, 1>(pairs, packed_a + row * pairs * 2, a_sums + row, packed_b, c, ldc, row, panel, &columns);
    }
  }
  const auto rest = [&](auto f) { f(n, pairs, packed_a + whole * pairs * 2, a_sums + whole, packed_b, c, ldc, whole, epilogue); };
  switch (m % kInt8Rows) {
    case 1: rest(gemm_i8_rows<1, 2>); break;
    case 2: rest(gemm_i8_rows<2, 2>); break;
    case 3: rest(gemm_i8_rows<3, 1>); break;
    default: break;
  }
}

size_t packed_b_i8_size(size_t k, size_t n) { return (n + kInt8Columns - 1) / kInt8Columns * kInt8Columns * even(k); }

void pack_b_i8(int8_t* packed, size_t k, size_t n, Codes b, ptrdiff_t row_stride, ptrdiff_t column_stride) {
  const auto* codes = static_cast<const uint8_t*>(b.data);
  const int flip = b.is_signed ? 0 : kUnsignedShift;
  for (size_t column = 0; column < n; column += kInt8Columns) {
    for (size_t i = 0; i < k; i += 2) {
      for (size_t j = column; j < column + kInt8Columns; ++j, packed += 2) {
        for (size_t p = 0; p < 2; ++p) {
          const bool inside = j < n && i + p < k;
          const ptrdiff_t at = static_cast<ptrdiff_t>(i + p) * row_stride + static_cast<ptrdiff_t>(j) * column_stride;
          packed[p] = inside ? static_cast<int8_t>(codes[at] ^ flip) : int8_t{0};
        }
      }
    }
  }
}

size_t gemm_i8_scratch_bytes(size_t m, size_t k) {
  const size_t rows = int8_block_rows(m, k);
  return rows * (even(k) * sizeof(int16_t) + sizeof(int32_t));
}

void gemm_i8(size_t m, size_t n, size_t k, Codes a, ptrdiff_t lda, const int32_t* a_zero, size_t a_zero_step,
             const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue, void* scratch) {
  const size_t block = int8_block_rows(m, k);
  auto* const packed = static_cast<int16_t*>(scratch);
  auto* const sums = reinterpret_cast<int32_t*>(packed + block * even(k));
  const bool wants_sums = epilogue.b_zero != nullptr;
  for (size_t start = 0; start < m; start += block) {
    const size_t rows = std::min(block, m - start);
    if (wants_sums) std::fill_n(sums, block, 0);
    for (size_t tile = 0; tile < rows; tile += kInt8Rows) {
      const uint8_t* row[kInt8Rows];
      int32_t zeros[kInt8Rows];
      for (size_t r = 0; r < kInt8Rows; ++r) {
        // The rows that a last tile lacks are packed, but not multiplied.
        const size_t i = std::min(start + tile + r, m - 1);
        row[r] = static_cast<const uint8_t*>(a.data) + static_cast<ptrdiff_t>(i) * lda;
        zeros[r] = a_zero[i * a_zero_step];
      }
      pack_piece_i8(packed + tile * even(k), row, k, a.is_signed, zeros, wants_sums ? sums + tile : nullptr);
    }
    auto* const out = static_cast<std::byte*>(c) + static_cast<ptrdiff_t>(start) * ldc * static_cast<ptrdiff_t>(element_bytes(epilogue.output));
    gemm_i8_block(rows, n, k, packed, sums, packed_b, out, ldc, epilogue);
  }
}

}  // namespace kinglet::kernels
