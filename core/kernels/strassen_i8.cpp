#include "kernels/strassen_i8.hpp"

#include <algorithm>

#include "kernels/gemm_i8_block.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;

constexpr size_t kTileSums = kPairRows * kInt8Columns;
/// From so many rows on, sums of B's halves are read often enough.
constexpr size_t kLeastRows = 48;
constexpr size_t kMostRows = 128;
/// From so long a sum on, products outweigh what is added.
constexpr size_t kLeastDepth = 384;

enum class Way : uint8_t { kSet, kAdd, kSubtract };

/// A quarter of A, B or C.
struct Quarter {
  size_t row, column;
};

constexpr Quarter k11{0, 0}, k12{0, 1}, k21{1, 0}, k22{1, 1};

/// One quarter, or its sum or difference with another.
struct Factor {
  Quarter first;
  Way way;
  Quarter second;
};

struct Target {
  Quarter of_c;
  Way way;
};

struct Product {
  Factor a, b;
  size_t targets;
  Target to[2];
};

constexpr Factor one(Quarter q) { return {q, Way::kSet, q}; }

/// Each quarter of C is set before anything is added to it.
constexpr Product kProducts[7] = {
    {{k11, Way::kAdd, k22}, {k11, Way::kAdd, k22}, 2, {{k11, Way::kSet}, {k22, Way::kSet}}},
    {{k21, Way::kAdd, k22}, one(k11), 2, {{k21, Way::kSet}, {k22, Way::kSubtract}}},
    {one(k11), {k12, Way::kSubtract, k22}, 2, {{k12, Way::kSet}, {k22, Way::kAdd}}},
    {one(k22), {k21, Way::kSubtract, k11}, 2, {{k11, Way::kAdd}, {k21, Way::kAdd}}},
    {{k11, Way::kAdd, k12}, one(k22), 2, {{k11, Way::kSubtract}, {k12, Way::kAdd}}},
    {{k21, Way::kSubtract, k11}, {k11, Way::kAdd, k12}, 1, {{k22, Way::kAdd}, {}}},
    {{k12, Way::kSubtract, k22}, {k21, Way::kAdd, k22}, 1, {{k11, Way::kAdd}, {}}},
};

/// to[i] = x[i] + y[i] or x[i] - y[i], or x[i] alone; n is a multiple of 8.
template <class Number>
void combine(const Number* x, Way way, const Number* y, int16_t* to, size_t n) {
  const auto load = [](const Number* p) {
    if constexpr (sizeof(Number) == 1) return simd::load_extend(p);
    else return simd::bits<i16x8>(simd::load_bytes(p));
  };
  switch (way) {
    case Way::kSet:
      for (size_t i = 0; i < n; i += 8) simd::store(to + i, load(x + i));
      break;
    case Way::kAdd:
      for (size_t i = 0; i < n; i += 8) simd::store(to + i, load(x + i) + load(y + i));
      break;
    case Way::kSubtract:
      for (size_t i = 0; i < n; i += 8) simd::store(to + i, load(x + i) - load(y + i));
      break;
  }
}

void put(const int32_t* sums, Way way, int32_t* to, size_t n) {
  switch (way) {
    case Way::kSet: std::copy_n(sums, n, to); break;
    case Way::kAdd:
      for (size_t i = 0; i < n; i += 4) simd::store(to + i, simd::add(simd::load(to + i), simd::load(sums + i)));
      break;
    case Way::kSubtract:
      for (size_t i = 0; i < n; i += 4) simd::store(to + i, simd::sub(simd::load(to + i), simd::load(sums + i)));
      break;
  }
}

/// The parts of scratch, in bytes: the combined factors of A, one of B, the sums of a product, those of two panels of C.
struct Parts {
  size_t a, b, product, c;

  Parts(size_t m, size_t k) {
    const size_t tiles = round_up(m, kPairRows) / kPairRows;
    a = 5 * (tiles / 2) * kPairRows * (k / 2) * sizeof(int16_t);
    b = k / 2 * kInt8Columns * sizeof(int16_t);
    product = tiles / 2 * kTileSums * sizeof(int32_t);
    c = 4 * product;
  }
  size_t bytes() const { return a + b + product + c; }
};

bool suits(size_t m, size_t k) { return m >= kLeastRows && k >= kLeastDepth && k % 4 == 0; }

}  // namespace

size_t strassen_i8_block_rows(size_t m, size_t k) {
  if (!suits(m, k)) return 0;
  const size_t blocks = (m + kMostRows - 1) / kMostRows;
  return round_up((m + blocks - 1) / blocks, 2 * kPairRows);
}

size_t strassen_i8_rows(size_t m, size_t n, size_t k) {
  if (!suits(m, k) || n % (2 * kInt8Columns) != 0) return 0;
  const size_t tiles = round_up(m, kPairRows) / kPairRows;
  return std::min(m, tiles / 2 * 2 * kPairRows);
}

size_t strassen_i8_scratch_bytes(size_t m, size_t k) { return suits(m, k) ? Parts(m, k).bytes() : 0; }

void multiply_strassen_i8(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums, const int8_t* packed_b,
                          int16_t* scratch, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue) {
  const size_t half_tiles = round_up(m, kPairRows) / kPairRows / 2, half_sums = half_tiles * kTileSums;
  const size_t of_tile = k * kPairRows, of_half = of_tile / 2, of_panel = k * kInt8Columns;
  const Parts parts(m, k);
  int16_t* const b = scratch + parts.a / sizeof(int16_t);
  auto* const product = reinterpret_cast<int32_t*>(b + parts.b / sizeof(int16_t));
  int32_t* const sums = product + half_sums;

  const auto part_of_a = [&](Quarter q, size_t tile) { return packed_a + (q.row * half_tiles + tile) * of_tile + q.column * of_half; };
  const int16_t* a[7];
  size_t a_stride[7];
  int16_t* combined = scratch;
  for (size_t i = 0; i < 7; ++i) {
    const Factor& f = kProducts[i].a;
    const bool is_one = f.way == Way::kSet;
    a[i] = is_one ? part_of_a(f.first, 0) : combined;
    a_stride[i] = is_one ? of_tile : of_half;
    for (size_t tile = 0; !is_one && tile < half_tiles; ++tile, combined += of_half) {
      combine(part_of_a(f.first, tile), f.way, part_of_a(f.second, tile), combined, of_half);
    }
  }

  // A panel of the left half of C goes with the one as far into the right half.
  const size_t half_panels = n / kInt8Columns / 2;
  for (size_t panel = 0; panel < half_panels; ++panel) {
    const auto part_of_b = [&](Quarter q) { return packed_b + (q.column * half_panels + panel) * of_panel + q.row * (of_panel / 2); };
    const auto part_of_c = [&](Quarter q) { return sums + (q.column * 2 + q.row) * half_sums; };
    for (size_t i = 0; i < 7; ++i) {
      const Product& p = kProducts[i];
      combine(part_of_b(p.b.first), p.b.way, part_of_b(p.b.second), b, of_panel / 2);
      multiply_tiles(half_tiles, k / 4, a[i], a_stride[i], b, product);
      for (size_t t = 0; t < p.targets; ++t) put(product, p.to[t].way, part_of_c(p.to[t].of_c), half_sums);
    }
    for (size_t side = 0; side < 2; ++side) {
      store_panel(epilogue, (side * half_panels + panel) * kInt8Columns, n, part_of_c({0, side}), m,
                  epilogue.b_zero != nullptr ? a_sums : nullptr, c, ldc);
    }
  }
}

}  // namespace kinglet::kernels
