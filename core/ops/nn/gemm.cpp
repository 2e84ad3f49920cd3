// Gemm - alpha * A' * B' + beta * C (ONNX Gemm 1, 6, 7, 9, 11, 13), with an activation that passes fuse in, and
// com.microsoft FusedGemm.

#include "kernels/transpose.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/epilogue.hpp"
#include "ops/in_f32.hpp"
#include "ops/packed_matrix.hpp"

namespace kinglet::ops {
namespace {

struct Gemm {
  bool transpose_a = false, transpose_b = false;
  float alpha = 1, beta = 1;
  kernels::Activation activation;
  bool strassen = false;
  PackedMatrix constant;  // alpha * B'
};

Gemm parse(const NodeView& node) {
  Gemm op;
  op.transpose_a = node.attr_int("transA", 0) != 0;
  op.transpose_b = node.attr_int("transB", 0) != 0;
  op.alpha = node.attr_float("alpha", 1);
  op.beta = node.attr_float("beta", 1);
  op.activation = parse_activation(node);
  op.strassen = node.attr_int("strassen", 0) != 0;
  return op;
}

void infer(const Gemm& op, InferContext& c) {
  common_type(c, 0, c.inputs(), kNumbers);
  const SymShape &a = c.shape(0), &b = c.shape(1);
  c.require(!a.has_rank() || a.rank() == 2, "expected A of rank 2, got {}", a);
  c.require(!b.has_rank() || b.rank() == 2, "expected B of rank 2, got {}", b);
  const Dim m = a.has_rank() ? a[op.transpose_a ? 1 : 0] : Dim();
  const Dim ka = a.has_rank() ? a[op.transpose_a ? 0 : 1] : Dim();
  const Dim kb = b.has_rank() ? b[op.transpose_b ? 1 : 0] : Dim();
  const Dim n = b.has_rank() ? b[op.transpose_b ? 0 : 1] : Dim();
  c.require(!ka.known() || !kb.known() || ka.value() == kb.value(), "shapes {} and {} do not multiply", a, b);
  c.out(0, c.dtype(0), SymShape({m, n}));
}

void prepare(Gemm& op, PrepareContext& c) {
  const Tensor* b = c.constant(1);
  if (b == nullptr || b->rank() != 2 || !is_float(b->dtype()) || b->dtype() == DType::kFloat64) return;
  op.constant = PackedMatrix(c, 1, op.transpose_b, op.alpha);
}

/// alpha * B' of this run.
const float* pack_matrix(const Gemm& op, RunContext& c, size_t k, size_t n) {
  float* const packed = c.scratch<float>(kernels::packed_b_size(k, n));
  const auto row = static_cast<ptrdiff_t>(op.transpose_b ? 1 : n), column = static_cast<ptrdiff_t>(op.transpose_b ? k : 1);
  kernels::pack_b(packed, k, n, as_f32(c, c.in(1)), row, column);
  if (op.alpha == 1) return packed;
  for (size_t i = 0; i < kernels::packed_b_size(k, n); ++i) packed[i] *= op.alpha;
  return packed;
}

/// Element (i, j) of C, which broadcasts to [m, n], lies at i * row + j * column.
struct Broadcast2d {
  size_t row = 0, column = 0;
};
Broadcast2d strides_of(RunContext& c, size_t m, size_t n) {
  const Shape& s = c.in(2).shape();
  const auto columns = s.rank() >= 1 ? static_cast<size_t>(s.back()) : 1;
  const auto rows = s.rank() >= 2 ? static_cast<size_t>(s[s.rank() - 2]) : 1;
  c.require(s.rank() <= 2 && (columns == 1 || columns == n) && (rows == 1 || rows == m), "C {} does not broadcast to [{},{}]", s, m, n);
  return {rows == 1 ? 0 : columns, columns == 1 ? size_t{0} : size_t{1}};
}

void run_f32(const Gemm& op, RunContext& c) {
  const Tensor& a = c.in(0);
  Tensor& y = c.out(0);
  const auto m = static_cast<size_t>(y.dim(0)), n = static_cast<size_t>(y.dim(1));
  const auto k = static_cast<size_t>(a.dim(op.transpose_a ? 0 : 1));
  const float* a_data = as_f32(c, a);
  if (op.transpose_a) {
    float* t = c.scratch<float>(m * k);
    kernels::transpose_matrices(a_data, t, sizeof(float), 1, k, m);
    a_data = t;
  }
  const float* const fresh = op.constant ? nullptr : pack_matrix(op, c, k, n);
  F32Output output(c, y);
  kernels::Epilogue epilogue;
  epilogue.activation = op.activation;
  if (c.has(2) && op.beta != 0 && y.count() != 0) {
    const Broadcast2d at = strides_of(c, m, n);
    const float* bias = as_f32(c, c.in(2));
    if (at.row == 0 && at.column == 1 && op.beta == 1) {
      epilogue.bias = bias;
    } else {
      // Any other C is spread over the output first and added as a residual.
      for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) output.data()[i * n + j] = op.beta * bias[i * at.row + j * at.column];
      }
      epilogue.residual = output.data();
      epilogue.residual_stride = static_cast<ptrdiff_t>(n);
    }
  }
  const auto lda = static_cast<ptrdiff_t>(k), ldy = static_cast<ptrdiff_t>(n);
  if (op.constant) {
    op.constant.multiply(c, m, a_data, lda, output.data(), ldy, epilogue, op.strassen);
  } else {
    Product(c, m, n, k, op.strassen, epilogue.residual != nullptr)(a_data, lda, fresh, output.data(), ldy, epilogue);
  }
  output.store();
}

/// v * factor; an integer goes towards zero, as Cast has it.
template <class T>
T scale(T v, float factor) {
  if (factor == 1) return v;
  const double product = static_cast<double>(v) * static_cast<double>(factor);
  T out;
  convert(DType::kFloat64, &product, dtype_of<T>, &out, 1);
  return out;
}

template <class T>
void run_plain(const Gemm& op, RunContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  Tensor& y = c.out(0);
  const auto m = static_cast<size_t>(y.dim(0)), n = static_cast<size_t>(y.dim(1));
  const auto k = static_cast<size_t>(a.dim(op.transpose_a ? 0 : 1));
  const bool has_c = c.has(2) && y.count() != 0;
  const Broadcast2d at = has_c ? strides_of(c, m, n) : Broadcast2d{};
  using Sum = std::conditional_t<std::is_integral_v<T>, std::make_unsigned_t<std::conditional_t<std::is_integral_v<T>, T, int>>, T>;
  const T *ad = a.data<T>(), *bd = b.data<T>();
  T* out = y.data<T>();
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      Sum sum = 0;
      for (size_t l = 0; l < k; ++l) {
        sum += static_cast<Sum>(ad[op.transpose_a ? l * m + i : i * k + l]) * static_cast<Sum>(bd[op.transpose_b ? j * k + l : l * n + j]);
      }
      Sum scaled = static_cast<Sum>(scale(static_cast<T>(sum), op.alpha));
      if (has_c) scaled += static_cast<Sum>(scale(c.in(2).data<T>()[i * at.row + j * at.column], op.beta));
      *out++ = static_cast<T>(scaled);
    }
  }
}

void run(const Gemm& op, RunContext& c) {
  const DType type = c.in(0).dtype();
  if (is_float(type) && type != DType::kFloat64) return run_f32(op, c);
  dispatch(type, TypeList<double, int32_t, int64_t, uint32_t, uint64_t>{}, [&]<class T>() { run_plain<T>(op, c); });
}

constexpr OpDef kGemm = op<Gemm, parse, infer, run>(since(1)).with_prepare<Gemm, prepare>();

}  // namespace

KINGLET_OP(Gemm, kGemm);
KINGLET_OP_IN(com_microsoft, "com.microsoft", FusedGemm, kGemm);

}  // namespace kinglet::ops
