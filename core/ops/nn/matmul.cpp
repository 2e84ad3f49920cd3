// MatMul - matrix product with NumPy's rules for 1-D operands and batches (ONNX MatMul 1, 9, 13), with an optional bias
// (input 2, one value a column) and activation that passes fuse in.

#include "ops/elementwise.hpp"
#include "ops/epilogue.hpp"
#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/packed_matrix.hpp"

namespace kinglet::ops {
namespace {

struct MatMul {
  kernels::Activation activation;
  Shape b_shape;                        // of the packed constant B
  PackedMatrix constant;                // its matrix, if there is one
  std::shared_ptr<std::byte[]> packed;  // its matrices, one after the other, if there are several
  bool strassen = false;
};

MatMul parse(const NodeView& n) { return {parse_activation(n), {}, {}, nullptr, n.attr_int("strassen", 0) != 0}; }

void infer(const MatMul&, InferContext& c) {
  common_type(c, 0, c.inputs(), kNumbers);
  c.out(0, c.dtype(0), product_shape(c.shape(0), c.shape(1)));
}

void pack_matrix(float* packed, size_t k, size_t n, const float* b) {
  kernels::pack_b(packed, k, n, b, static_cast<ptrdiff_t>(n), 1);
}

void prepare(MatMul& op, PrepareContext& c) {
  const Tensor* b = c.constant(1);
  if (b == nullptr || b->rank() < 2 || !is_float(b->dtype()) || b->dtype() == DType::kFloat64) return;
  op.b_shape = b->shape();
  if (b->rank() == 2) {
    op.constant = PackedMatrix(c, 1);
    return;
  }
  const auto k = static_cast<size_t>(b->dim(b->rank() - 2)), n = static_cast<size_t>(b->dim(b->rank() - 1));
  const size_t matrices = b->shape().count(0, b->rank() - 2), each = kernels::packed_b_size(k, n);
  Packing packing(c, 1, matrices * each);
  for (size_t i = 0; i < matrices; ++i) pack_rows(packing, i * each, i * k * n, k, n);
  op.packed = packing.finish();
}

void run_f32(const MatMul& op, RunContext& c) {
  const Tensor& a = c.in(0);
  Tensor& y = c.out(0);
  const bool is_constant = op.packed || op.constant;
  const MatrixProduct p = take_apart(a.shape(), is_constant ? op.b_shape : c.in(1).shape());
  const size_t each = kernels::packed_b_size(p.k, p.n);
  const float* a_data = as_f32(c, a);
  const float* b_data = is_constant ? nullptr : as_f32(c, c.in(1));
  c.require(!c.has(2) || c.in(2).count() == p.n, "expected bias of {} elements, got {}", p.n, c.has(2) ? c.in(2).shape() : Shape());
  const kernels::Epilogue epilogue{c.has(2) ? as_f32(c, c.in(2)) : nullptr, nullptr, 0, op.activation};
  F32Output output(c, y);
  if (op.constant) {
    op.constant.multiply(c, p.m, a_data, static_cast<ptrdiff_t>(p.k), output.data(), static_cast<ptrdiff_t>(p.n), epilogue, op.strassen);
    return output.store();
  }
  const size_t matrices = p.a_matrix.size();
  if (matrices >= 2 * threads() && threads() > 1) {
    // Many products: each is one thread's.
    const ThreadScratch fresh = thread_scratch(c, op.packed ? 0 : each * sizeof(float));
    parallel(matrices, worth_a_thread(p.m * p.n * p.k), [&](size_t begin, size_t end, size_t worker) {
      for (size_t i = begin; i < end; ++i) {
        const float* b = fresh.as<float>(worker);
        if (op.packed) {
          b = reinterpret_cast<const float*>(op.packed.get()) + p.b_matrix[i] * each;
        } else if (i == begin || p.b_matrix[i] != p.b_matrix[i - 1]) {
          pack_matrix(fresh.as<float>(worker), p.k, p.n, b_data + p.b_matrix[i] * p.k * p.n);
        }
        kernels::gemm(p.m, p.n, p.k, a_data + p.a_matrix[i] * p.m * p.k, static_cast<ptrdiff_t>(p.k), b,
                      output.data() + i * p.m * p.n, static_cast<ptrdiff_t>(p.n), epilogue);
      }
    });
    return output.store();
  }
  const Product product(c, p.m, p.n, p.k, op.strassen);
  float* fresh = op.packed ? nullptr : c.scratch<float>(each);
  size_t packed_matrix = SIZE_MAX;
  for (size_t i = 0; i < matrices; ++i) {
    const float* b = fresh;
    if (op.packed) {
      b = reinterpret_cast<const float*>(op.packed.get()) + p.b_matrix[i] * each;
    } else if (p.b_matrix[i] != packed_matrix) {
      packed_matrix = p.b_matrix[i];
      pack_matrix(fresh, p.k, p.n, b_data + packed_matrix * p.k * p.n);
    }
    product(a_data + p.a_matrix[i] * p.m * p.k, static_cast<ptrdiff_t>(p.k), b, output.data() + i * p.m * p.n,
            static_cast<ptrdiff_t>(p.n), epilogue);
  }
  output.store();
}

template <class T>
void run_plain(RunContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  const MatrixProduct p = take_apart(a.shape(), b.shape());
  // Unsigned arithmetic wraps without undefined behaviour.
  using Sum = std::conditional_t<std::is_integral_v<T>, std::make_unsigned_t<std::conditional_t<std::is_integral_v<T>, T, int>>, T>;
  T* y = c.out(0).data<T>();
  for (size_t i = 0; i < p.a_matrix.size(); ++i) {
    const T* am = a.data<T>() + p.a_matrix[i] * p.m * p.k;
    const T* bm = b.data<T>() + p.b_matrix[i] * p.k * p.n;
    for (size_t r = 0; r < p.m; ++r) {
      for (size_t col = 0; col < p.n; ++col) {
        Sum sum = 0;
        for (size_t k = 0; k < p.k; ++k) sum += static_cast<Sum>(am[r * p.k + k]) * static_cast<Sum>(bm[k * p.n + col]);
        *y++ = static_cast<T>(sum);
      }
    }
  }
}

void run(const MatMul& op, RunContext& c) {
  const DType type = c.in(0).dtype();
  if (is_float(type) && type != DType::kFloat64) return run_f32(op, c);
  dispatch(type, TypeList<double, int32_t, int64_t, uint32_t, uint64_t>{}, [&]<class T>() { run_plain<T>(c); });
}

}  // namespace

KINGLET_OP(MatMul, op<MatMul, parse, infer, run>(since(1)).with_prepare<MatMul, prepare>());

}  // namespace kinglet::ops
