// QLinearMatMul - product of matrices of 8 bit codes, requantized (ONNX QLinearMatMul 10, 21). Codes of float8 are
// multiplied as the numbers they stand for. Passes fuse in an int32 bias (input 8), one a column, as QLinearConv has it.
// QGemm - the same with transposed operands, alpha and an int32 C; float where it has no output scale (com.microsoft).

#include <cmath>

#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/quantized/int8_matmul.hpp"

namespace kinglet::ops {
namespace {

using Output = kernels::Int8Epilogue::Output;

struct QMatMul {
  bool trans_a = false, trans_b = false;
  float alpha = 1;
  Int8Weights b;
};

// ---- a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point ----

QMatMul parse(const NodeView&) { return {}; }

void prepare(QMatMul& op, PrepareContext& c) { op.b.prepare(c, 3, op.trans_b); }

void infer(const QMatMul&, InferContext& c) {
  for (const size_t i : {0, 2, 3, 5, 7}) check_input(c, i, kBytes | kFloat8s);
  for (const size_t i : {1, 4, 6}) check_input(c, i, kFloats);
  check_input(c, 8, type_set(DType::kInt32));
  c.out(0, c.dtype(7), product_shape(c.shape(0), c.shape(3)));
}

Int8Product operands(RunContext& c, const Tensor& a) {
  Int8Product product{.a = codes_of(a), .a_shape = a.shape(), .a_zeros = zeros_of(c, 2), .b_input = 3, .b_zeros = zeros_of(c, 5)};
  product.a_scales = scales_of(c, 1);
  product.b_scales = scales_of(c, 4);
  return product;
}

/// The number of each element: less its zero point, times its scale. Both are one for all, one an element of the last
/// dim (`by_column`) or of the one before it, or those of each matrix.
const float* numbers_of(RunContext& c, size_t input, bool by_column) {
  const Tensor& t = c.in(input);
  const Scales scales = scales_of(c, input + 1), zeros = scales_of(c, input + 2);
  const size_t columns = t.rank() == 0 ? 1 : static_cast<size_t>(t.shape().back());
  const size_t rows = t.rank() < 2 ? 1 : static_cast<size_t>(t.dim(t.rank() - 2));
  const size_t lane = by_column ? columns : rows, lanes = columns == 0 || rows == 0 ? 0 : t.count() / (by_column ? rows : columns);
  const auto fits = [&](size_t count) { return count == 1 || count == lane || count == lanes; };
  c.require(fits(scales.count) && fits(zeros.count), "{} scales or zero points do not fit {}", scales.count, t.shape());
  float* out = c.scratch<float>(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat32, out, t.count());
  for (size_t i = 0; i < t.count(); ++i) {
    const size_t at = by_column ? i / (rows * columns) * columns + i % columns : i / columns;
    out[i] = (out[i] - zeros.data[at % zeros.count]) * scales.data[at % scales.count];
  }
  return out;
}

void run_float8(RunContext& c) {
  Tensor& y = c.out(0);
  const float *a = numbers_of(c, 0, false), *b = numbers_of(c, 3, true);
  const float y_scale = scale_of(c, 6), y_zero = scale_of(c, 7);
  const MatrixProduct p = take_apart(c.in(0).shape(), c.in(3).shape());
  float* out = c.scratch<float>(y.count());
  float* next = out;
  for (size_t i = 0; i < p.a_matrix.size(); ++i) {
    for (size_t r = 0; r < p.m; ++r) {
      for (size_t j = 0; j < p.n; ++j) {
        float sum = 0;
        for (size_t k = 0; k < p.k; ++k) sum += a[(p.a_matrix[i] * p.m + r) * p.k + k] * b[(p.b_matrix[i] * p.k + k) * p.n + j];
        *next++ = sum / y_scale + y_zero;
      }
    }
  }
  if (!is_small_float(y.dtype())) {
    const CodeRange range = code_range(y.dtype());
    for (size_t i = 0; i < y.count(); ++i) {
      const float whole = std::isnan(out[i]) ? 0 : std::nearbyint(out[i]);
      out[i] = std::clamp(whole, static_cast<float>(range.low), static_cast<float>(range.high));
    }
  }
  convert(DType::kFloat32, out, y.dtype(), y.raw(), y.count());
}

void run(const QMatMul& op, RunContext& c) {
  Tensor& y = c.out(0);
  const DType b = op.b.packed ? op.b.type : c.in(3).dtype();
  if (is_small_float(c.in(0).dtype()) || is_small_float(b) || is_small_float(y.dtype())) {
    c.require(!op.b.packed, "expected operands of one kind, got {} and {}", c.in(0).dtype(), b);
    c.require(!c.has(8), "takes no bias for {}", c.in(0).dtype());
    return run_float8(c);
  }
  Int8Product product = operands(c, c.in(0));
  product.y_scale = scale_of(c, 6);
  product.y_zero = zero_of(c, 7);
  product.output = code_output(y);
  if (c.has(8)) {
    const size_t columns = product_columns(c, op.b, 3);
    c.require(c.in(8).count() == columns, "expected bias of {} elements, got {}", columns, c.in(8).shape());
    product.bias = c.in(8).data<int32_t>();
  }
  multiply_codes(c, op.b, product, y.raw());
}

// ---- A, a_scale, a_zero_point, B, b_scale, b_zero_point, C?, y_scale?, y_zero_point? ----

QMatMul parse_gemm(const NodeView& n) {
  return {n.attr_int("transA", 0) != 0, n.attr_int("transB", 0) != 0, n.attr_float("alpha", 1), {}};
}

SymShape transposed(const SymShape& shape, bool swap) {
  if (!shape.has_rank()) return SymShape::of_rank(2);
  if (shape.rank() != 2) throw_error(ErrorCode::kShape, "expected a matrix, got {}", shape);
  return swap ? SymShape(std::vector<Dim>{shape[1], shape[0]}) : shape;
}

void infer_gemm(const QMatMul& op, InferContext& c) {
  for (const size_t i : {0, 2, 3, 5, 8}) check_input(c, i, kBytes);
  for (const size_t i : {1, 4, 7}) check_input(c, i, kFloats);
  check_input(c, 6, type_set(DType::kInt32));
  DType type = DType::kFloat32;
  if (c.has(7)) type = c.has(8) ? c.dtype(8) : DType::kUint8;
  c.out(0, type, product_shape(transposed(c.shape(0), op.trans_a), transposed(c.shape(3), op.trans_b)));
}

/// The codes of A as rows, copied when they are columns.
const uint8_t* rows_of(RunContext& c, const Tensor& a, bool transposed) {
  const auto* codes = reinterpret_cast<const uint8_t*>(a.raw());
  if (!transposed) return codes;
  const auto k = static_cast<size_t>(a.dim(0)), m = static_cast<size_t>(a.dim(1));
  uint8_t* copy = c.scratch<uint8_t>(a.count());
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < k; ++j) copy[i * k + j] = codes[j * m + i];
  }
  return copy;
}

/// C as rows of N biases: one for all rows where it allows that, else as many as there are.
void set_bias(RunContext& c, Int8Product& product, const Shape& y) {
  const Tensor& bias = c.in(6);
  const auto m = static_cast<size_t>(y[0]), n = static_cast<size_t>(y[1]);
  const size_t rank = bias.rank();
  const size_t columns = rank == 0 ? 1 : static_cast<size_t>(bias.shape().back());
  const size_t rows = rank < 2 ? 1 : static_cast<size_t>(bias.dim(rank - 2));
  c.require(rank <= 2 && (columns == n || columns == 1) && (rows == m || rows == 1), "C {} does not broadcast to {}", bias.shape(), y);
  const int32_t* values = bias.data<int32_t>();
  if (columns != n) {
    int32_t* expanded = c.scratch<int32_t>(rows * n);
    for (size_t i = 0; i < rows; ++i) std::fill_n(expanded + i * n, n, values[i]);
    values = expanded;
  }
  product.bias = values;
  product.bias_rows = rows == 1 ? 0 : rows;
}

void run_gemm(const QMatMul& op, RunContext& c) {
  const Tensor& a = c.in(0);
  Tensor& y = c.out(0);
  if (y.count() == 0) return;
  Int8Product product = operands(c, a);
  product.a = {rows_of(c, a, op.trans_a), is_signed_byte(a.dtype())};
  if (op.trans_a) product.a_shape = Shape{a.dim(1), a.dim(0)};
  product.b_transposed = op.trans_b;
  product.y_scale = (c.has(7) ? scale_of(c, 7) : 1) / op.alpha;
  product.y_zero = zero_of(c, 8);
  product.output = y.dtype() == DType::kFloat32 ? Output::kFloat : code_output(y);
  if (c.has(6)) set_bias(c, product, y.shape());
  multiply_codes(c, op.b, product, y.raw());
}

}  // namespace

KINGLET_OP(QLinearMatMul, op<QMatMul, parse, infer, run>(since(10)).with_prepare<QMatMul, prepare>());
KINGLET_OP_IN(com_microsoft, "com.microsoft", QGemm,
              op<QMatMul, parse_gemm, infer_gemm, run_gemm>(since(1)).with_prepare<QMatMul, prepare>());

}  // namespace kinglet::ops
