// QuantizeLinear - y = saturate(round(x / scale) + zero_point), by tensor, by axis or by block (ONNX QuantizeLinear 10
// to 25, com.microsoft QuantizeLinear).

#include <cmath>

#include "kernels/quantize.hpp"
#include "ops/axis.hpp"
#include "ops/in_f32.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {
namespace {

struct Quantize {
  int64_t axis, block;
  bool saturate;
  DType output = DType::kUndefined;     ///< kUndefined: the zero point's, else uint8
  DType precision = DType::kUndefined;  ///< of the division; kUndefined: f32
  bool scale_precision;                 ///< ... or the scale's
};

DType type_attribute(const NodeView& n, const char* name) {
  const auto type = dtype_from_onnx(n.attr_int(name, 0));
  return type ? *type : DType::kUndefined;
}

Quantize parse(const NodeView& n) {
  Quantize op{n.attr_int("axis", 1), n.attr_int("block_size", 0), n.attr_int("saturate", 1) != 0,
              type_attribute(n, "output_dtype"), type_attribute(n, "precision"), n.opset() >= 23};
  if (op.block < 0) throw_error(ErrorCode::kModel, "attribute 'block_size' is {}", op.block);
  check_type(op.output, kQuantized);
  check_type(op.precision, kFloats);
  return op;
}

void infer(const Quantize& op, InferContext& c) {
  check_type(c.dtype(0), kFloats | type_set(DType::kInt32));
  check_type(c.dtype(1), kScales | type_set(DType::kFloat64));
  check_input(c, 2, kQuantized);
  const DType zero = c.has(2) ? c.dtype(2) : DType::kUndefined;
  const bool agree = op.output == DType::kUndefined || zero == DType::kUndefined || op.output == zero;
  c.require(agree, "output_dtype is {}, the zero point {}", op.output, zero);
  DType output = op.output != DType::kUndefined ? op.output : zero;
  if (output == DType::kUndefined && !c.has(2)) output = DType::kUint8;
  c.out(0, output, c.shape(0));
}

/// quotient[i] = x[i] / scale[i * step], rounded to the precision that was asked for.
void divide(const float* x, const float* scale, size_t step, float* quotient, size_t n, DType precision) {
  for (size_t i = 0; i < n; ++i) {
    float q = x[i] / scale[i * step];
    if (precision == DType::kFloat16) q = Float16(q);
    if (precision == DType::kBFloat16) q = BFloat16(q);
    quotient[i] = q;
  }
}

void run(const Quantize& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const DType type = y.dtype();
  const float* numbers = as_f32(c, x);
  const Scales scales = scales_of(c, 1);
  const Granularity granularity(x.shape(), c.in(1).shape(), op.axis, op.block);
  const float* zeros = c.has(2) ? as_f32(c, c.in(2)) : nullptr;
  c.require(zeros == nullptr || c.in(2).count() == scales.count, "expected {} zero points, got shape {}", scales.count,
            zeros != nullptr ? c.in(2).shape() : Shape());
  const DType precision = op.precision != DType::kUndefined ? op.precision
                          : op.scale_precision              ? c.in(1).dtype()
                                                            : DType::kFloat32;
  const bool in_f32 = precision != DType::kFloat16 && precision != DType::kBFloat16;
  const bool small_floats = is_small_float(type);
  const CodeRange range = small_floats ? CodeRange{} : code_range(type);
  const size_t size = dtype_size(type);
  granularity.for_each_run([&](size_t first, size_t count, size_t scale, size_t step) {
    if (!small_floats && size == 1 && step == 0 && in_f32) {
      const int32_t zero = zeros != nullptr ? static_cast<int32_t>(zeros[scale]) : 0;
      return kernels::quantize(numbers + first, reinterpret_cast<uint8_t*>(y.raw()) + first, count, scales.data[scale],
                               zero, range.low, range.high);
    }
    float block[kBlock];
    for (size_t done = 0; done < count; done += kBlock) {
      const size_t n = std::min(kBlock, count - done);
      divide(numbers + first + done, scales.data + scale + done * step, step, block, n, precision);
      for (size_t i = 0; i < n; ++i) {
        if (!small_floats) block[i] = std::isnan(block[i]) ? 0 : std::nearbyint(block[i]);
        if (zeros != nullptr) block[i] += zeros[scale + (done + i) * step];
        if (!small_floats) {
          block[i] = std::clamp(block[i], static_cast<float>(range.low), static_cast<float>(range.high));
        }
      }
      SmallFloatRounding rounding;
      rounding.saturate = op.saturate;
      convert(DType::kFloat32, block, type, y.raw() + (first + done) * size, n, rounding);
    }
  });
}

bool permute(Node& node, std::span<const int64_t> perm) { return permute_axis(node, perm, 1); }

}  // namespace

KINGLET_OP(QuantizeLinear, op<Quantize, parse, infer, run>(since(10)).with_permute(permute));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QuantizeLinear, op<Quantize, parse, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
