// DequantizeLinear - y = (x - zero_point) * scale, by tensor, by axis or by block (ONNX DequantizeLinear 10 to 25,
// com.microsoft DequantizeLinear).

#include "kernels/quantize.hpp"
#include "ops/axis.hpp"
#include "ops/in_f32.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {
namespace {

struct Dequantize {
  int64_t axis, block;
  DType output;  ///< kUndefined: the scale's
};

constexpr TypeSet kCodes = kQuantized | type_set(DType::kInt32);

Dequantize parse(const NodeView& n) {
  const auto output = dtype_from_onnx(n.attr_int("output_dtype", 0));
  Dequantize op{n.attr_int("axis", 1), n.attr_int("block_size", 0), output ? *output : DType::kUndefined};
  if (op.block < 0) throw_error(ErrorCode::kModel, "attribute 'block_size' is {}", op.block);
  check_type(op.output, kFloats);
  return op;
}

void infer(const Dequantize& op, InferContext& c) {
  check_type(c.dtype(0), kCodes);
  check_type(c.dtype(1), kScales);
  check_input(c, 2, kCodes);
  const DType scale = c.dtype(1) == DType::kFloat8E8M0 ? DType::kFloat32 : c.dtype(1);
  c.out(0, op.output != DType::kUndefined ? op.output : scale, c.shape(0));
}

void run(const Dequantize& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const DType type = x.dtype();
  const Scales scales = scales_of(c, 1);
  const Granularity granularity(x.shape(), c.in(1).shape(), op.axis, op.block);
  const bool bytes = dtype_size(type) == 1 && !is_small_float(type);
  const bool is_signed = wide_type(type) == DType::kInt64;
  const float* codes = bytes ? nullptr : as_f32(c, x);
  const float* zeros = c.has(2) ? as_f32(c, c.in(2)) : nullptr;
  c.require(zeros == nullptr || c.in(2).count() == scales.count, "expected {} zero points, got shape {}", scales.count,
            zeros != nullptr ? c.in(2).shape() : Shape());
  F32Output output(c, c.out(0));
  granularity.for_each_run([&](size_t first, size_t count, size_t scale, size_t step) {
    float* y = output.data() + first;
    if (bytes && step == 0) {
      const int32_t zero = zeros != nullptr ? static_cast<int32_t>(zeros[scale]) : 0;
      return kernels::dequantize(x.raw() + first, is_signed, y, count, scales.data[scale], zero);
    }
    if (bytes) kernels::dequantize(x.raw() + first, is_signed, y, count, 1, 0);
    const float* from = bytes ? y : codes + first;
    for (size_t i = 0; i < count; ++i) {
      const size_t s = scale + i * step;
      y[i] = (from[i] - (zeros != nullptr ? zeros[s] : 0)) * scales.data[s];
    }
  });
  output.store();
}

bool permute(Node& node, std::span<const int64_t> perm) { return permute_axis(node, perm, 1); }

}  // namespace

KINGLET_OP(DequantizeLinear, op<Dequantize, parse, infer, run>(since(10)).with_permute(permute));
KINGLET_OP_IN(com_microsoft, "com.microsoft", DequantizeLinear, op<Dequantize, parse, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
