// MatMulNBits of com.microsoft - a matrix product with weights of 2, 4 or 8 bits in blocks, each with a scale
// and a zero point.

#include "kernels/matmul_nbits.hpp"

#include <algorithm>
#include <bit>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kA, kWeights, kScales, kZeros, kGroups, kBias };

struct MatMulNBits {
  size_t n, k, bits, block;
  std::shared_ptr<std::byte[]> scales;  // as float32, where they are a constant of another type
};

MatMulNBits parse(const NodeView& node) {
  const auto positive = [&](const char* name, int64_t value) {
    if (value < 1 || value > INT32_MAX) throw_error(ErrorCode::kModel, "attribute '{}' is {}", name, value);
    return static_cast<size_t>(value);
  };
  MatMulNBits op{positive("N", node.attr_int("N")), positive("K", node.attr_int("K")),
                 positive("bits", node.attr_int("bits", 4)),
                 positive("block_size", node.attr_int("block_size")), nullptr};
  if (op.bits != 2 && op.bits != 4 && op.bits != 8)
    throw_error(ErrorCode::kModel, "attribute '{}' is {}", "bits", static_cast<int64_t>(op.bits));
  if (op.block < 16 || !std::has_single_bit(op.block))
    throw_error(ErrorCode::kModel, "attribute '{}' is {}", "block_size", static_cast<int64_t>(op.block));
  if (node.attr_int("weight_prepacked", 0) != 0)
    throw_error(ErrorCode::kModel, "attribute '{}' is not supported", "weight_prepacked");
  return op;
}

void infer(const MatMulNBits& op, InferContext& c) {
  check_type(c.dtype(kA), kFloats & ~type_set(DType::kFloat64));
  check_type(c.dtype(kWeights), type_set(DType::kUint8));
  if (c.has(kGroups)) check_type(c.dtype(kGroups), type_set(DType::kInt32));
  c.out(0, c.dtype(kA), product_shape(c.shape(kA), op.k, op.n));
}

void prepare(MatMulNBits& op, PrepareContext& c) {
  const Tensor* scales = c.constant(kScales);
  if (scales == nullptr || scales->dtype() == DType::kFloat32 || !is_float(scales->dtype())) return;
  op.scales = c.allocate_floats(scales->count());
  std::copy_n(F32Constant(*scales).data(), scales->count(), reinterpret_cast<float*>(op.scales.get()));
}

/// The weights of columns [begin, end).
kernels::NBits columns_of(kernels::NBits w, size_t begin, size_t end) {
  w.n = end - begin;
  w.weights += begin * w.blocks() * (w.block * w.bits / 8);
  w.scales += begin * w.blocks();
  if (w.packed_zeros != nullptr) w.packed_zeros += begin * ((w.blocks() * w.bits + 7) / 8);
  if (w.zeros != nullptr) w.zeros += begin * w.blocks();
  return w;
}

void multiply(RunContext& c, const kernels::NBits& w, size_t rows, const float* a, float* y, const float* bias) {
  // More than the kernel asks for; a block may be far longer than the rows.
  const uint64_t most = (uint64_t{rows} * 2 + 80) * (w.blocks() * uint64_t{w.block}) * sizeof(float);
  if (most > SIZE_MAX) throw_out_of_memory(most);
  const ThreadScratch scratch = thread_scratch(c, kernels::matmul_nbits_scratch_floats(w, rows) * sizeof(float));
  if (rows == 1) {
    return parallel(w.n, worth_a_thread(w.k), [&](size_t begin, size_t end, size_t worker) {
      kernels::matmul_nbits(columns_of(w, begin, end), 1, a, y + begin, bias == nullptr ? nullptr : bias + begin,
                            scratch.as<float>(worker));
    }, 32);
  }
  // A range makes floats of all weights again: it should have many rows.
  constexpr size_t kLeastRows = 24;
  parallel(rows, std::max(kLeastRows, worth_a_thread(w.n * w.k)), [&](size_t begin, size_t end, size_t worker) {
    kernels::matmul_nbits(w, end - begin, a + begin * w.k, y + begin * w.n, bias, scratch.as<float>(worker));
  });
}

void run(const MatMulNBits& op, RunContext& c) {
  const Tensor &a = c.in(kA), &weights = c.in(kWeights);
  kernels::NBits w{.n = op.n, .k = op.k, .bits = op.bits, .block = op.block};
  // In 64 bits: sizes that attributes make up may pass the 32 of WebAssembly.
  const auto expect = [&](size_t input, uint64_t count) {
    c.require(c.in(input).count() == count, "expected {} elements, got {}", count, c.in(input).shape());
  };
  F32Output out(c, c.out(0));
  const float* const bias = c.has(kBias) ? as_f32(c, c.in(kBias)) : nullptr;
  if (bias != nullptr) expect(kBias, op.n);
  const size_t rows = a.count() / op.k;
  if (weights.count() == 0) {
    // Weights that were left out count as zeros.
    for (size_t i = 0; i < rows * op.n; ++i) out.data()[i] = bias != nullptr ? bias[i % op.n] : 0.0f;
    return out.store();
  }
  const uint64_t n = op.n, blocks = w.blocks();
  expect(kWeights, n * (blocks * (op.block * op.bits / 8)));
  w.weights = weights.data<uint8_t>();
  expect(kScales, n * blocks);
  w.scales = op.scales ? reinterpret_cast<const float*>(op.scales.get()) : as_f32(c, c.in(kScales));
  if (c.has(kZeros) && c.in(kZeros).dtype() == DType::kUint8) {
    expect(kZeros, n * ((blocks * op.bits + 7) / 8));
    w.packed_zeros = c.in(kZeros).data<uint8_t>();
  } else if (c.has(kZeros)) {
    expect(kZeros, n * blocks);
    w.zeros = as_f32(c, c.in(kZeros));
  }
  if (c.has(kGroups)) {
    // One a row of the weights, those of the last block's padding too.
    const Tensor& groups = c.in(kGroups);
    c.require(groups.count() >= op.k, "expected {} groups, got {}", op.k, groups.shape());
    w.groups = groups.data<int32_t>();
    for (size_t i = 0; i < op.k; ++i) {
      c.require(w.groups[i] >= 0 && static_cast<size_t>(w.groups[i]) < w.blocks(),
                "group {} is outside of the {} blocks", w.groups[i], w.blocks());
    }
  }
  multiply(c, w, rows, as_f32(c, a), out.data(), bias);
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MatMulNBits,
              op<MatMulNBits, parse, infer, run>(since(1)).with_prepare<MatMulNBits, prepare>());

}  // namespace kinglet::ops
