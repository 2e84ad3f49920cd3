// MatMulBnb4 of com.microsoft - a matrix product with weights of 4 bits that name one of 16 numbers, those of
// bitsandbytes' FP4 or NF4, times a scale a block.

#include <algorithm>
#include <bit>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/transformer/lazy_product.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kA, kWeights, kScales };

constexpr float kFp4[] = {0.0f,  1 / 192.0f,  2 / 3.0f,  1.0f,  1 / 3.0f,  0.5f,  1 / 6.0f,  0.25f,
                          -0.0f, -1 / 192.0f, -2 / 3.0f, -1.0f, -1 / 3.0f, -0.5f, -1 / 6.0f, -0.25f};
/// The quantiles of a normal distribution (Dettmers et al., QLoRA, 2023, appendix E).
constexpr float kNf4[] = {-1.0f,
                          -0.6961928009986877f,
                          -0.5250730514526367f,
                          -0.39491748809814453f,
                          -0.28444138169288635f,
                          -0.18477343022823334f,
                          -0.09105003625154495f,
                          0.0f,
                          0.07958029955625534f,
                          0.16093020141124725f,
                          0.24611230194568634f,
                          0.33791524171829224f,
                          0.44070982933044434f,
                          0.5626170039176941f,
                          0.7229568362236023f,
                          1.0f};

struct MatMulBnb4 {
  size_t n, k, block;
  const float* numbers;
};

MatMulBnb4 parse(const NodeView& node) {
  const auto require = [](bool fits, const char* name, int64_t value) {
    if (!fits) throw_error(ErrorCode::kModel, "attribute '{}' is {}", name, value);
    return static_cast<size_t>(value);
  };
  const auto positive = [&](const char* name) {
    const int64_t value = node.attr_int(name);
    return require(value >= 1 && value <= INT32_MAX, name, value);
  };
  const int64_t type = node.attr_int("quant_type"), transposed = node.attr_int("transB", 1);
  require(type == 0 || type == 1, "quant_type", type);
  require(transposed == 1, "transB", transposed);
  const size_t block = positive("block_size");
  require(block >= 16 && std::has_single_bit(block), "block_size", static_cast<int64_t>(block));
  return {positive("N"), positive("K"), block, type == 0 ? kFp4 : kNf4};
}

void infer(const MatMulBnb4& op, InferContext& c) {
  const TypeSet types = kFloats & ~type_set(DType::kFloat64);
  check_type(c.dtype(kA), types);
  check_type(c.dtype(kWeights), type_set(DType::kUint8));
  check_type(c.dtype(kScales), types);
  c.out(0, c.dtype(kA), product_shape(c.shape(kA), op.k, op.n));
}

/// The matrix [n, k] as one row: two weights a byte, the first in the high bits.
class Bnb4Rows : public LazyRows {
 public:
  Bnb4Rows(const MatMulBnb4& op, const uint8_t* weights, const float* scales) : op_(op), weights_(weights), scales_(scales) {}

  const float* rows(size_t row, size_t count, float* buffer) const override {
    // In 64 bits: there may be more weights than bytes in memory.
    uint64_t first = uint64_t{row} * op_.k;
    const uint64_t last = first + count * op_.k;
    float* y = buffer;
    while (first < last) {
      const uint64_t end = std::min(last, first - first % op_.block + op_.block);
      float scaled[16];
      for (size_t i = 0; i < 16; ++i) scaled[i] = op_.numbers[i] * scales_[first / op_.block];
      const uint8_t* byte = weights_ + first / 2;
      if (first % 2 != 0) *y++ = scaled[*byte++ & 15];
      const auto pairs = static_cast<size_t>(end / 2 - (first + 1) / 2);
      for (size_t i = 0; i < pairs; ++i, y += 2) {
        y[0] = scaled[byte[i] >> 4];
        y[1] = scaled[byte[i] & 15];
      }
      if (end % 2 != 0) *y++ = scaled[byte[pairs] >> 4];
      first = end;
    }
    return buffer;
  }

 private:
  const MatMulBnb4& op_;
  const uint8_t* weights_;
  const float* scales_;
};

void run(const MatMulBnb4& op, RunContext& c) {
  const Tensor &a = c.in(kA), &weights = c.in(kWeights), &scales = c.in(kScales);
  const uint64_t count = uint64_t{op.n} * op.k;
  c.require(weights.count() == (count + 1) / 2, "expected weights of {} bytes, got {}", (count + 1) / 2, weights.shape());
  c.require(scales.count() == (count + op.block - 1) / op.block, "expected {} scales, got {}",
            (count + op.block - 1) / op.block, scales.shape());
  const Bnb4Rows rows(op, weights.data<uint8_t>(), as_f32(c, scales));
  F32Output out(c, c.out(0));
  multiply_lazily(lazy_scratch(c, op.k), a.count() / op.k, op.n, op.k, as_f32(c, a), rows, out.data());
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MatMulBnb4, op<MatMulBnb4, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
