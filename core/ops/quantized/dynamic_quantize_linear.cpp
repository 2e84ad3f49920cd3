// DynamicQuantizeLinear - uint8 codes of a tensor with the scale and zero point that its range asks for (ONNX
// DynamicQuantizeLinear 11).

#include "ops/quantized/dynamic_quantization.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {
namespace {

struct DynamicQuantize {};

DynamicQuantize parse(const NodeView&) { return {}; }

void infer(const DynamicQuantize&, InferContext& c) {
  check_type(c.dtype(0), type_set(DType::kFloat32));
  c.out(0, DType::kUint8, c.shape(0));
  c.out(1, DType::kFloat32, Shape());
  c.out(2, DType::kUint8, Shape());
}

void run(const DynamicQuantize&, RunContext& c) {
  const Tensor& x = c.in(0);
  const DynamicRange range = dynamic_range(x.data<float>(), x.count());
  if (c.wants(0)) quantize(range, x.data<float>(), x.count(), c.out(0).data<uint8_t>());
  if (c.wants(1)) *c.out(1).data<float>() = range.scale;
  if (c.wants(2)) *c.out(2).data<uint8_t>() = range.zero;
}

}  // namespace

KINGLET_OP(DynamicQuantizeLinear, op<DynamicQuantize, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
