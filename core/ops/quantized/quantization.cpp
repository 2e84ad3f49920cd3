#include "ops/quantized/quantization.hpp"

#include "ops/axis.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {

CodeRange code_range(DType type) {
  switch (type) {
    case DType::kInt8: return {-128, 127};
    case DType::kUint8: return {0, 255};
    case DType::kInt16: return {-32768, 32767};
    case DType::kUint16: return {0, 65535};
    case DType::kInt4: return {-8, 7};
    case DType::kUint4: return {0, 15};
    case DType::kInt2: return {-2, 1};
    case DType::kUint2: return {0, 3};
    default: throw_error(ErrorCode::kModel, "element type {} is not supported here", type);
  }
}

void check_input(const InferContext& c, size_t i, TypeSet allowed) {
  if (c.has(i)) check_type(c.dtype(i), allowed);
}

Zeros zeros_of(RunContext& c, size_t i) {
  static constexpr int32_t kNone = 0;
  if (!c.has(i)) return {&kNone, 1};
  const Tensor& t = c.in(i);
  c.require(t.count() != 0, "input {} is empty", i);
  if (t.dtype() == DType::kInt32) return {t.data<int32_t>(), t.count()};
  int32_t* copy = c.scratch<int32_t>(t.count());
  convert(t.dtype(), t.raw(), DType::kInt32, copy, t.count());
  return {copy, t.count()};
}

Scales scales_of(RunContext& c, size_t i) {
  c.require(c.in(i).count() != 0, "input {} is empty", i);
  return {as_f32(c, c.in(i)), c.in(i).count()};
}

float scale_of(RunContext& c, size_t i) {
  const Scales scales = scales_of(c, i);
  c.require(scales.count == 1, "expected one number as input {}, got shape {}", i, c.in(i).shape());
  return scales[0];
}

int32_t zero_of(RunContext& c, size_t i) {
  const Zeros zeros = zeros_of(c, i);
  c.require(zeros.count == 1, "expected one number as input {}, got shape {}", i, c.has(i) ? c.in(i).shape() : Shape());
  return zeros[0];
}

Granularity::Granularity(const Shape& x, const Shape& scale, int64_t axis, int64_t block) {
  if (scale.count() == 1 && (block == 0 || x.rank() == 0)) {
    n_ = block_ = x.count();
    return;
  }
  if (x.rank() == 1 && block == 0) axis = 0;
  const size_t at = normalize_axis(axis, x.rank());
  const AxisView view(x, at);
  outer_ = view.outer;
  n_ = view.n;
  inner_ = view.inner;
  bool fits = false;
  if (block == 0) {
    fits = scale.rank() == 1 && scale[0] == x[at];
  } else if (scale.rank() == x.rank()) {
    block_ = static_cast<size_t>(block);
    scale_inner_ = 1;
    blocks_ = static_cast<size_t>(scale[at]);
    fits = blocks_ == (n_ + block_ - 1) / block_;
    for (size_t i = 0; i < x.rank(); ++i) fits = fits && (i == at || scale[i] == x[i]);
  }
  if (!fits) {
    throw_error(ErrorCode::kShape, "a scale of shape {} does not fit {} with axis {} and block_size {}", scale, x, axis, block);
  }
}

}  // namespace kinglet::ops
