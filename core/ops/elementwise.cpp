#include "ops/elementwise.hpp"

#include <algorithm>

#include "ops/broadcast.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

BinaryLoop loop_for(const BinaryLoops& loops, DType wide) {
  switch (wide) {
    case DType::kFloat32: return loops.f32;
    case DType::kFloat64: return loops.f64;
    case DType::kInt64: return loops.i64;
    default: return loops.u64;
  }
}

void kernel_run(kernels::Binary op, const float* a, const float* b, float* y, size_t n, size_t step_a, size_t step_b) {
  if (step_a == 0 && step_b == 0) {
    kernels::binary(op, a, b, y, 1);
    std::fill_n(y + 1, n - 1, *y);
    return;
  }
  if (step_a == step_b) return kernels::binary(op, a, b, y, n);
  if (step_b == 0) return kernels::binary_scalar(op, a, *b, y, n);
  kernels::scalar_binary(op, *a, b, y, n);
}

using MatrixKernel = void (*)(kernels::Binary, const float*, const float*, float*, size_t, size_t);

/// The kernel for two innermost dims where one operand is whole and the other repeats by rows or by columns.
MatrixKernel matrix_kernel(const Broadcast& walk) {
  if (walk.rank() < 2) return nullptr;
  const auto is = [&](size_t operand, size_t row_stride, size_t step) {
    return walk.stride(1)[operand] == row_stride && walk.stride(0)[operand] == step;
  };
  const size_t columns = walk.dim(0);
  if (is(0, columns, 1)) return is(1, 0, 1) ? kernels::binary_row : is(1, 1, 0) ? kernels::binary_column : nullptr;
  if (is(1, columns, 1)) return is(0, 0, 1) ? kernels::row_binary : is(0, 1, 0) ? kernels::column_binary : nullptr;
  return nullptr;
}

/// What the walk is when it is one run, or one matrix, on all threads.
bool apply_split(kernels::Binary op, const Broadcast& walk, const float* p, const float* q, float* out) {
  if (!walk.more() || walk.rank() > 2) return false;
  if (walk.rank() < 2) {
    parallel(walk.run, worth_a_thread(12), [&](size_t begin, size_t end, size_t) {
      kernel_run(op, p + begin * walk.step[0], q + begin * walk.step[1], out + begin, end - begin, walk.step[0], walk.step[1]);
    });
    return true;
  }
  const MatrixKernel kernel = matrix_kernel(walk);
  if (kernel == nullptr) return false;
  const size_t columns = walk.dim(0);
  parallel(walk.dim(1), worth_a_thread(12 * columns), [&](size_t begin, size_t end, size_t) {
    kernel(op, p + begin * walk.stride(1)[0], q + begin * walk.stride(1)[1], out + begin * columns, end - begin, columns);
  });
  return true;
}

void apply_f32_kernel(kernels::Binary op, const Tensor& a, const Tensor& b, Tensor& y) {
  const float* p = a.data<float>();
  const float* q = b.data<float>();
  float* out = y.data<float>();
  Broadcast walk(y.shape(), {&a.shape(), &b.shape()});
  if (threads() > 1 && apply_split(op, walk, p, q, out)) return;
  if (const MatrixKernel kernel = matrix_kernel(walk)) {
    for (walk.walk_matrices(); walk.more(); walk.next()) {
      kernel(op, p + walk.offset[0], q + walk.offset[1], out + walk.out_offset, walk.dim(1), walk.dim(0));
    }
    return;
  }
  for (; walk.more(); walk.next()) {
    kernel_run(op, p + walk.offset[0], q + walk.offset[1], out + walk.out_offset, walk.run, walk.step[0], walk.step[1]);
  }
}

struct Operand {
  const std::byte* data;
  size_t size;  // bytes of an element
  size_t step;
  alignas(kAlignment) std::byte buffer[kBlock * sizeof(uint64_t)];

  const void* block(DType type, size_t start, size_t n) {
    return widen(type, data + start * step * size, buffer, step == 0 ? 1 : n);
  }
};

}  // namespace

void check_type(DType type, TypeSet allowed) {
  if (type == DType::kUndefined || (type_set(type) & allowed) != 0) return;
  throw_error(ErrorCode::kModel, "element type {} is not supported by this operator", type);
}

DType common_type(const InferContext& c, size_t first, size_t last, TypeSet allowed) {
  DType common = DType::kUndefined;
  for (size_t i = first; i < last; ++i) {
    if (!c.has(i) || c.dtype(i) == DType::kUndefined) continue;
    check_type(c.dtype(i), allowed);
    if (common != DType::kUndefined && common != c.dtype(i)) {
      throw_error(ErrorCode::kModel, "inputs have different types: {} and {}", common, c.dtype(i));
    }
    common = c.dtype(i);
  }
  return common;
}

SymShape broadcast_inputs(const InferContext& c) {
  SymShape shape = c.shape(0);
  for (size_t i = 1; i < c.inputs(); ++i) shape = broadcast(shape, c.shape(i));
  return shape;
}

void infer_unary(InferContext& c, TypeSet allowed) {
  check_type(c.dtype(0), allowed);
  c.out(0, c.dtype(0), c.shape(0));
}

void infer_broadcast(InferContext& c, TypeSet allowed) {
  c.out(0, common_type(c, 0, c.inputs(), allowed), broadcast_inputs(c));
}

void apply_binary(const BinaryLoops& loops, const Tensor& a, const Tensor& b, Tensor& y) {
  const DType type = a.dtype();
  if (type == DType::kFloat32 && loops.kernel) return apply_f32_kernel(*loops.kernel, a, b, y);
  const DType wide = wide_type(type);
  const BinaryLoop loop = loop_for(loops, wide);
  const bool via_kernel = wide == DType::kFloat32 && loops.kernel.has_value();
  const bool narrows = type != wide && !loops.to_bool;
  const size_t out_size = dtype_size(y.dtype());
  Operand p{a.raw(), dtype_size(type), 0, {}};
  Operand q{b.raw(), dtype_size(type), 0, {}};
  alignas(kAlignment) std::byte results[kBlock * sizeof(uint64_t)];
  for (Broadcast walk(y.shape(), {&a.shape(), &b.shape()}); walk.more(); walk.next()) {
    p.data = a.raw() + walk.offset[0] * p.size;
    q.data = b.raw() + walk.offset[1] * q.size;
    p.step = walk.step[0];
    q.step = walk.step[1];
    for (size_t start = 0; start < walk.run; start += kBlock) {
      const size_t n = std::min(kBlock, walk.run - start);
      const void* x0 = p.block(type, start, n);
      const void* x1 = q.block(type, start, n);
      std::byte* out = y.raw() + (walk.out_offset + start) * out_size;
      std::byte* wide_out = narrows ? results : out;
      if (via_kernel) {
        kernel_run(*loops.kernel, static_cast<const float*>(x0), static_cast<const float*>(x1),
                   reinterpret_cast<float*>(wide_out), n, p.step, q.step);
      } else {
        loop(x0, x1, wide_out, n, p.step, q.step);
      }
      if (narrows) narrow(type, results, out, n);
    }
  }
}

void apply_unary(UnaryLoop loop, const void* params, const Tensor& x, Tensor& y) {
  const DType type = x.dtype();
  const size_t size = dtype_size(type);
  const bool narrows = type != wide_type(type);
  alignas(kAlignment) std::byte buffer[kBlock * sizeof(uint64_t)];
  const size_t count = x.count();
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t n = std::min(kBlock, count - start);
    const void* in = widen(type, x.raw() + start * size, buffer, n);
    std::byte* out = y.raw() + start * size;
    loop(params, in, narrows ? buffer : out, n);
    if (narrows) narrow(type, buffer, out, n);
  }
}

}  // namespace kinglet::ops
