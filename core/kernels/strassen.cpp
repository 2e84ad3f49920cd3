#include "kernels/strassen.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/gemm_columns.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// With halves from here on the products save more than the sums cost; without a residual, smaller ones may too.
constexpr size_t kLeastHalf = 128;
constexpr size_t kLeastPlainHalf = 32;
/// Each level doubles the rounding error.
constexpr size_t kMostLevels = 2;

size_t half_columns(size_t n) { return n / (2 * kPanelWidth) * kPanelWidth; }

/// Whether a level with halves of these sizes is quicker than eight products of them.
bool pays(size_t m, size_t n, size_t k, bool residual) {
  const size_t least = std::min({m, n, k});
  if (least >= kLeastHalf || residual) return least >= kLeastHalf;
  if (least < kLeastPlainHalf) return false;
  // Sums over the quarters of B, A and C a product, and how many a product pays for; both measured.
  return 1.0 / static_cast<double>(m) + 1.0 / static_cast<double>(n) + 2.5 / static_cast<double>(k) < 1.0 / 29;
}

size_t levels_of(size_t m, size_t n, size_t k, bool residual) {
  const DepthSplit split(k);
  if (split.blocks * split.step != k) return 0;
  size_t blocks = split.blocks, levels = 0;
  for (; levels < kMostLevels; ++levels) {
    if (blocks == 1 ? k % 2 != 0 : blocks % 2 != 0) break;
    m /= 2;
    k /= 2;
    n = half_columns(n);
    // Most products of the second level have a residual.
    if (!pays(m, n, k, residual || levels > 0)) break;
    blocks = std::max<size_t>(1, blocks / 2);
  }
  return levels;
}

size_t scratch_size(size_t levels, size_t m, size_t n, size_t k, bool residual) {
  if (levels == 0) return 0;
  m /= 2;
  k /= 2;
  n = half_columns(n);
  return (m + n) * k + (residual ? 4 * m * n : 0) + scratch_size(levels - 1, m, n, k, true);
}

struct ConstRows {
  const float* data = nullptr;
  ptrdiff_t stride = 0;
  ConstRows at(size_t row, size_t column) const {
    return {data + static_cast<ptrdiff_t>(row) * stride + column, stride};
  }
};
struct Rows {
  float* data;
  ptrdiff_t stride;
  Rows at(size_t row, size_t column) const {
    return {data + static_cast<ptrdiff_t>(row) * stride + column, stride};
  }
  operator ConstRows() const { return {data, stride}; }
};

/// Calls f(i, lanes) for the vectors of [0, n), four at a time: a loop over single ones would mostly count.
template <class F>
inline void for_vectors(size_t n, F f) {
  size_t i = 0;
  for (; i + 4 * simd::kLanes <= n; i += 4 * simd::kLanes) {
    for (size_t j = 0; j < 4; ++j) f(i + j * simd::kLanes, simd::kLanes);
  }
  simd::for_vectors(i, n, f);
}

/// out = x + sign * y over [rows, columns], less z where that is set; out may be any of them.
void sum(size_t rows, size_t columns, Rows out, ConstRows x, float sign, ConstRows y, ConstRows z = {}) {
  const f32x4 factor = simd::splat(sign);
  for (size_t r = 0; r < rows; ++r) {
    const float *const xr = x.at(r, 0).data, *const yr = y.at(r, 0).data;
    float* const to = out.at(r, 0).data;
    const auto two = [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      return simd::madd(factor, simd::load_partial(yr + i, lanes), simd::load_partial(xr + i, lanes));
    };
    if (z.data == nullptr) {
      for_vectors(columns, [&](size_t i, size_t lanes)
                               KINGLET_INLINE_LAMBDA { simd::store_partial(to + i, two(i, lanes), lanes); });
    } else {
      const float* const zr = z.at(r, 0).data;
      for_vectors(columns, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
        simd::store_partial(to + i, two(i, lanes) - simd::load_partial(zr + i, lanes), lanes);
      });
    }
  }
}

/// The same over the first n columns of packed B.
void sum(size_t n, const PackedB& out, float* out_data, const PackedB& x, float sign, const PackedB& y,
         const PackedB* z = nullptr) {
  const auto rows_of = [](const PackedB& b, size_t block) {
    return ConstRows{b.data + block * b.block_stride, static_cast<ptrdiff_t>(b.panel_stride)};
  };
  for (size_t i = 0; i < out.split.blocks; ++i) {
    sum(n / kPanelWidth, out.split.step * kPanelWidth,
        {out_data + i * out.block_stride, static_cast<ptrdiff_t>(out.panel_stride)}, rows_of(x, i), sign,
        rows_of(y, i), z != nullptr ? rows_of(*z, i) : ConstRows{});
  }
}

/// Panels from column `column` on, which begins one.
PackedB from_column(PackedB b, size_t column) {
  b.data += column / kPanelWidth * b.panel_stride;
  return b;
}

/// The upper (0) or lower (1) half of the depth.
PackedB half_depth(PackedB b, size_t half) {
  if (b.split.blocks > 1) {
    b.split.blocks /= 2;
    b.data += half * b.split.blocks * b.block_stride;
  } else {
    b.split.step /= 2;
    b.data += half * b.split.step * kPanelWidth;
  }
  return b;
}

Epilogue with_residual(Epilogue e, ConstRows residual) {
  e.residual = residual.data;
  e.residual_stride = residual.stride;
  return e;
}

/// C12 = u + w and C21 = v, which products are still to be added to; C22 = v + w with its epilogue. Quarters
/// are [m, n], n a multiple of kPanelWidth. With a residual R, R11 is in u and v already, so each gets its own in exchange.
void join(size_t m, size_t n, Rows c, ConstRows u, ConstRows v, ConstRows w, const Epilogue& e) {
  const Epilogue e22 = part_of(e, m, n);
  const Finish end = make_finish(e.activation);
  const ConstRows residual{e.residual, e.residual_stride};
  for (size_t r = 0; r < m; ++r) {
    const float *const ur = u.at(r, 0).data, *const vr = v.at(r, 0).data, *const wr = w.at(r, 0).data;
    float *const c12 = c.at(r, n).data, *const c21 = c.at(m + r, 0).data, *const c22 = c.at(m + r, n).data;
    for (size_t i = 0; i < n; i += simd::kLanes) {
      const f32x4 wi = simd::load(wr + i);
      f32x4 x12 = simd::load(ur + i) + wi, x21 = simd::load(vr + i);
      f32x4 x22[] = {x21 + wi};
      if (e.residual != nullptr) {
        const f32x4 r11 = simd::load(residual.at(r, i).data);
        x12 += simd::load(residual.at(r, n + i).data) - r11;
        x21 += simd::load(residual.at(m + r, i).data) - r11;
        x22[0] += simd::load(residual.at(m + r, n + i).data) - r11;
      }
      if (e22.bias != nullptr) x22[0] += simd::load(e22.bias + i);
      finish(end, x22);
      simd::store(c12 + i, x12);
      simd::store(c21 + i, x21);
      simd::store(c22 + i, x22[0]);
    }
    if (!finishes_in_registers(e.activation.kind)) apply(e.activation, c22, n);
  }
}

/// C may be the residual: a quarter of C is written when that of the residual is no longer needed.
void multiply(size_t levels, const PackedB& b, size_t m, size_t n, size_t k, ConstRows a, Rows c,
              const Epilogue& e, float* scratch) {
  if (levels == 0) return gemm_by(b, m, n, k, a.data, a.stride, c.data, c.stride, e);
  const size_t m2 = m / 2, k2 = k / 2, n2 = half_columns(n);
  const ConstRows a12 = a.at(0, k2), a21 = a.at(m2, 0), a22 = a.at(m2, k2);
  const PackedB b11 = half_depth(b, 0), b21 = half_depth(b, 1), b12 = from_column(b11, n2),
                b22 = from_column(b21, n2);
  const Rows c12 = c.at(0, n2), c21 = c.at(m2, 0);

  const auto take = [&](size_t rows, size_t columns) {
    const Rows taken{scratch, static_cast<ptrdiff_t>(columns)};
    scratch += rows * columns;
    return taken;
  };
  const Rows s = take(m2, k2);
  float* const t_data = take(k2, n2).data;
  const size_t step = b11.split.step;
  const PackedB t{t_data, b11.split, step * n2, step * kPanelWidth};
  // Without a residual, the quarters of C hold the sums until they are results.
  const bool in_place = e.residual == nullptr;
  const Rows u = in_place ? c12 : take(m2, n2), u2 = in_place ? c12 : take(m2, n2),
             v = in_place ? c21 : take(m2, n2), w = in_place ? c.at(m2, n2) : take(m2, n2);
  const auto product = [&](ConstRows left, const PackedB& right, Rows out, const Epilogue& end) {
    multiply(levels - 1, right, m2, n2, k2, left, out, end, scratch);
  };

  // The names are Winograd's, but T4 has the other sign. U = A11 B11 + R11
  product(a, b11, u, with_residual({}, {e.residual, e.residual_stride}));
  const auto finish_c11 = [&] { product(a12, b21, c, with_residual(e, u)); };
  if (in_place) finish_c11();
  // S1 = A21 + A22, T1 = B12 - B11, W = S1 T1
  sum(m2, k2, s, a21, 1, a22);
  sum(n2, t, t_data, b12, -1, b11);
  product(s, t, w, {});
  // S2 = S1 - A11, T2 = B22 - T1, U2 = U + S2 T2
  sum(m2, k2, s, s, -1, a);
  sum(n2, t, t_data, b22, -1, t);
  product(s, t, u2, with_residual({}, u));
  // T4 = B21 - T2 and S4 = A12 - S2 again from S3 and T3, so that one S and one T are enough.
  // S3 = A11 - A21, T3 = B22 - B12, V = U2 + S3 T3
  sum(m2, k2, s, a, -1, a21);
  sum(n2, t, t_data, b22, -1, b12);
  product(s, t, v, with_residual({}, u2));

  join(m2, n2, c, u2, v, w, e);
  // S4 = A12 + S3 - A22, C12 += S4 B22
  sum(m2, k2, s, a12, 1, s, a22);
  product(s, b22, c12, with_residual(part_of(e, 0, n2), c12));
  // T4 = B21 - T3 - B11, C21 += A22 T4
  sum(n2, t, t_data, b21, -1, t, &b11);
  product(a22, t, c21, with_residual(e, c21));
  if (!in_place) finish_c11();

  if (2 * m2 < m) {
    gemm_by(b, 1, 2 * n2, k, a.at(2 * m2, 0).data, a.stride, c.at(2 * m2, 0).data, c.stride,
            part_of(e, 2 * m2, 0));
  }
  if (2 * n2 < n) {
    gemm_by(from_column(b, 2 * n2), m, n - 2 * n2, k, a.data, a.stride, c.at(0, 2 * n2).data, c.stride,
            part_of(e, 0, 2 * n2));
  }
}

}  // namespace

size_t strassen_scratch_size(size_t m, size_t n, size_t k, bool residual) {
  return scratch_size(levels_of(m, n, k, residual), m, n, k, residual);
}

void strassen(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
              ptrdiff_t ldc, const Epilogue& epilogue, float* scratch) {
  strassen_columns(m, n, k, a, lda, packed_b, c, ldc, epilogue, scratch, 0, n);
}

void strassen_columns(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
                      ptrdiff_t ldc, const Epilogue& epilogue, float* scratch, size_t begin, size_t end) {
  const size_t columns = end - begin, levels = levels_of(m, columns, k, epilogue.residual != nullptr);
  if (levels == 0) return gemm_columns(m, n, k, a, lda, packed_b, c, ldc, epilogue, begin, end);
  const DepthSplit split(k);
  const PackedB b{packed_b, split, split.step * packed_columns(n), split.step * kPanelWidth};
  multiply(levels, from_column(b, begin), m, columns, k, {a, lda}, {c + begin, ldc}, part_of(epilogue, 0, begin),
           scratch);
}

}  // namespace kinglet::kernels
