#pragma once
// Products of matrices of 8 bit codes: what MatMulInteger, QLinearMatMul and their com.microsoft relatives share.

#include "kernels/activation.hpp"
#include "kernels/gemm_i8.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {

/// Operand B, packed once when it is a constant.
struct Int8Weights {
  Shape shape;  ///< of the packed constant
  DType type = DType::kUndefined;
  std::shared_ptr<std::byte[]> packed;

  /// Packs input `i` and releases it, if it is a constant of int8 or uint8 codes with rank >= 2. `transposed` is for
  /// rank 2 alone.
  void prepare(PrepareContext& c, size_t i, bool transposed = false);
};

struct Int8Product {
  // Operand A: zero points and scales one for all or one a row.
  kernels::Codes a;
  Shape a_shape;
  Zeros a_zeros;
  Scales a_scales = {&kOne, 1};
  // Operand B: one for all, one a column, or one a column of each matrix.
  size_t b_input;
  Zeros b_zeros;
  Scales b_scales = {&kOne, 1};
  bool b_transposed = false;  ///< for a B of rank 2

  float y_scale = 1;  ///< the sums are multiplied by a_scale * b_scale / y_scale, unless the output is int32
  int32_t y_zero = 0;
  const int32_t* bias = nullptr;   ///< one a column, or null
  size_t bias_rows = 0;            ///< where it has a row of biases for each row of C, their number
  const float* addend = nullptr;   ///< one a column, or null
  kernels::Activation activation = {};  ///< of floats
  kernels::Int8Epilogue::Output output = kernels::Int8Epilogue::Output::kInt32;

  static constexpr float kOne = 1;
};

/// The codes of a tensor of type int8 or uint8.
inline kernels::Codes codes_of(const Tensor& t) { return {t.raw(), is_signed_byte(t.dtype())}; }

/// y = A * B with batches that broadcast, as `product` says. `y` has the type of product.output.
void multiply_codes(RunContext& c, const Int8Weights& weights, const Int8Product& product, void* y);

/// The number of columns of C.
size_t product_columns(RunContext& c, const Int8Weights& weights, size_t b_input, bool b_transposed = false);

/// An optional bias input: one float a column.
const float* addend_of(RunContext& c, size_t i, size_t columns);

/// kUint8 or kInt8 by the type of the output.
kernels::Int8Epilogue::Output code_output(const Tensor& y);

}  // namespace kinglet::ops
