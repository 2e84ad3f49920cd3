#include "ops/quantized/int8_matmul.hpp"

#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

using Output = kernels::Int8Epilogue::Output;

Shape b_shape_of(const Shape& shape, bool transposed) {
  return transposed ? Shape{shape[1], shape[0]} : shape;
}

void pack_matrix(int8_t* packed, size_t k, size_t n, kernels::Codes b, bool transposed) {
  const auto rows = static_cast<ptrdiff_t>(k), columns = static_cast<ptrdiff_t>(n);
  kernels::pack_b_i8(packed, k, n, b, transposed ? 1 : columns, transposed ? rows : 1);
}

kernels::Codes matrix(kernels::Codes codes, size_t offset) {
  return {static_cast<const std::byte*>(codes.data) + offset, codes.is_signed};
}

/// The zero points of A, one a row of all its matrices; a step of 0 when there is one.
struct RowZeros {
  const int32_t* data;
  size_t step;
};

RowZeros row_zeros(RunContext& c, const Zeros& zeros, size_t rows, size_t all_rows) {
  if (zeros.count == 1) return {zeros.data, 0};
  c.require(zeros.count == rows || zeros.count == all_rows, "{} zero points do not fit {} rows", zeros.count, rows);
  int32_t* expanded = c.scratch<int32_t>(all_rows);
  for (size_t i = 0; i < all_rows; ++i) expanded[i] = zeros.data[i % zeros.count];
  return {expanded, 1};
}

}  // namespace

void Int8Weights::prepare(PrepareContext& c, size_t i, bool transposed) {
  const Tensor* b = c.constant(i);
  if (b == nullptr || b->rank() < 2 || (type_set(b->dtype()) & kBytes) == 0) return;
  if (transposed && b->rank() != 2) return;
  shape = b_shape_of(b->shape(), transposed);
  type = b->dtype();
  const auto k = static_cast<size_t>(shape[shape.rank() - 2]), n = static_cast<size_t>(shape.back());
  const size_t matrices = shape.count(0, shape.rank() - 2), each = kernels::packed_b_i8_size(k, n);
  packed = c.allocate(matrices * each);
  for (size_t m = 0; m < matrices; ++m) {
    pack_matrix(reinterpret_cast<int8_t*>(packed.get()) + m * each, k, n, matrix(codes_of(*b), m * k * n), transposed);
  }
  c.release(i);
}

size_t product_columns(RunContext& c, const Int8Weights& weights, size_t b_input, bool b_transposed) {
  const Shape shape = weights.packed ? weights.shape : b_shape_of(c.in(b_input).shape(), b_transposed);
  return shape.rank() > 1 ? static_cast<size_t>(shape.back()) : 1;
}

const float* addend_of(RunContext& c, size_t i, size_t columns) {
  if (!c.has(i)) return nullptr;
  c.require(c.in(i).count() == columns, "expected bias of {} elements, got {}", columns, c.in(i).shape());
  return as_f32(c, c.in(i));
}

Output code_output(const Tensor& y) { return is_signed_byte(y.dtype()) ? Output::kInt8 : Output::kUint8; }

void multiply_codes(RunContext& c, const Int8Weights& weights, const Int8Product& product, void* y) {
  const bool packed = weights.packed != nullptr;
  const Shape b_shape = packed ? weights.shape : b_shape_of(c.in(product.b_input).shape(), product.b_transposed);
  const bool b_signed = is_signed_byte(packed ? weights.type : c.in(product.b_input).dtype());
  const MatrixProduct p = take_apart(product.a_shape, b_shape);
  const Shape& a_shape = product.a_shape;
  const size_t rows = a_shape.rank() > 1 ? static_cast<size_t>(a_shape[a_shape.rank() - 2]) : 1;
  const size_t all_rows = p.k == 0 ? p.m * p.a_matrix.size() : a_shape.count() / p.k;
  const RowZeros a_zeros = row_zeros(c, product.a_zeros, rows, all_rows);
  const Scales& a_scales = product.a_scales;
  c.require(a_scales.count == 1 || a_scales.count == rows || a_scales.count == all_rows,
            "{} scales do not fit {} rows", a_scales.count, rows);
  const size_t columns = p.b_matrices * p.n;
  for (const size_t count : {product.b_zeros.count, product.b_scales.count}) {
    c.require(count == 1 || count == p.n || count == columns, "{} scales or zero points do not fit {} columns", count, p.n);
  }

  const size_t each = kernels::packed_b_i8_size(p.k, p.n);
  int8_t* fresh = packed ? nullptr : c.scratch<int8_t>(each);
  int32_t* b_zero = c.scratch<int32_t>(p.n);
  float* scale = c.scratch<float>(p.n);
  const ThreadScratch scratch = thread_scratch(c, kernels::gemm_i8_scratch_bytes(p.m, p.k));
  kernels::Int8Epilogue epilogue{.output = product.output, .b_zero = nullptr, .bias = product.bias, .scale = scale,
                                 .addend = product.addend, .zero = product.y_zero, .activation = product.activation};
  const size_t size = kernels::element_bytes(product.output);
  // What differs by row outside the kernel's reach is computed row by row.
  const bool by_row = a_scales.count != 1 || product.bias_rows != 0;
  const size_t rows_at_once = by_row ? 1 : std::max<size_t>(p.m, 1);
  size_t filled_matrix = SIZE_MAX;
  for (size_t i = 0; i < p.a_matrix.size(); ++i) {
    const size_t b_matrix = p.b_matrix[i];
    if (b_matrix != filled_matrix) {
      filled_matrix = b_matrix;
      if (!packed) {
        pack_matrix(fresh, p.k, p.n, matrix(codes_of(c.in(product.b_input)), b_matrix * p.k * p.n), product.b_transposed);
      }
      const Zeros& zeros = product.b_zeros;
      for (size_t j = 0; j < p.n; ++j) {
        b_zero[j] = zeros[zeros.count == p.n ? j : b_matrix * p.n + j] - (b_signed ? 0 : kernels::kUnsignedShift);
        if (b_zero[j] != 0) epilogue.b_zero = b_zero;
      }
    }
    const int8_t* b = packed ? reinterpret_cast<const int8_t*>(weights.packed.get()) + b_matrix * each : fresh;
    for (size_t row = 0; row < p.m; row += rows_at_once) {
      const size_t a_row = p.a_matrix[i] * p.m + row;
      const float a_scale = a_scales[a_scales.count == all_rows ? a_row : a_row % a_scales.count];
      for (size_t j = 0; j < p.n; ++j) {
        const Scales& scales = product.b_scales;
        scale[j] = a_scale * scales[scales.count == p.n ? j : b_matrix * p.n + j] / product.y_scale;
      }
      if (product.bias_rows != 0) epilogue.bias = product.bias + row % product.bias_rows * p.n;
      // A row of weights is a quarter of the bytes of f32: few rows wait less for it than they do there.
      constexpr size_t kUnit = 4;
      const auto rows_of = [&](size_t begin, size_t end, size_t worker) {
        const size_t first = a_row + begin;
        std::byte* const to = static_cast<std::byte*>(y) + (i * p.m + row + begin) * p.n * size;
        kernels::gemm_i8(end - begin, p.n, p.k, matrix(product.a, first * p.k), static_cast<ptrdiff_t>(p.k),
                         a_zeros.data + first * a_zeros.step, a_zeros.step, b, to, static_cast<ptrdiff_t>(p.n), epilogue,
                         scratch[worker]);
      };
      parallel(rows_at_once, std::max(worth_a_thread(p.n * p.k / 2), 4 * kUnit), rows_of, kUnit);
    }
  }
}

}  // namespace kinglet::ops
