// QLinearAveragePool, QLinearGlobalAveragePool, QLinearSoftmax, QLinearReduceMean - float operators between codes
// (com.microsoft). Inputs: X, x_scale, x_zero_point?, y_scale, y_zero_point?
//
// Each is the operator of ai.onnx computed in f32: codes become numbers before it, and its results codes after.

#include "ops/quantized/code_table.hpp"

namespace kinglet::ops {

extern const OpDef kOpDef_ai_onnx_AveragePool;
extern const OpDef kOpDef_ai_onnx_GlobalAveragePool;
extern const OpDef kOpDef_ai_onnx_Softmax;
extern const OpDef kOpDef_ai_onnx_ReduceMean;

namespace {

struct InFloat {
  const OpDef* def;
  std::shared_ptr<void> op;
};

/// The operator within, with those of the node's attributes that it knows.
template <const OpDef& def, int64_t kOpset>
InFloat parse(const NodeView& n) {
  Node inner;
  inner.op_type = def.name;
  inner.opset = n.has("opset") ? n.attr_int("opset") : kOpset;
  for (const char* name : {"axis", "keepdims", "ceil_mode", "count_include_pad", "channels_last"}) {
    if (n.has(name)) inner.set_int(name, n.attr_int(name));
  }
  for (const char* name : {"axes", "kernel_shape", "pads", "strides", "dilations"}) {
    if (n.has(name)) inner.set_ints(name, n.attr_ints(name));
  }
  if (n.has("auto_pad")) inner.set_string("auto_pad", n.attr_string("auto_pad"));
  return {&def, def.parse(NodeView(inner))};
}

void infer(const InFloat& op, InferContext& c) {
  for (const size_t i : {0, 2, 4}) check_input(c, i, kBytes);
  for (const size_t i : {1, 3}) check_input(c, i, kFloats);
  ValueInfo x, y;
  x.dtype = DType::kFloat32;
  x.shape = c.shape(0);
  const ValueInfo* inputs[] = {&x};
  InferContext inner(inputs, 1, {&y, 1}, nullptr);
  op.def->infer(op.op.get(), inner);
  c.out(0, c.dtype(0), y.shape);
}

/// What the operator within asks of its executor.
class InnerServices : public RunServices {
 public:
  explicit InnerServices(RunContext& outer) : outer_(outer) {}
  std::byte* scratch(size_t bytes) override { return outer_.scratch<std::byte>(bytes); }
  const ValueInfo& expected(size_t i) override { return outer_.expected(i); }
  Tensor& resize_output(size_t, DType, const Shape&) override { fail(); }
  void give_output(size_t, Tensor) override { fail(); }
  std::vector<Tensor> run_subgraph(size_t, std::span<const Tensor>) override { fail(); }

 private:
  [[noreturn]] static void fail() { throw_error(ErrorCode::kInternal, "an operator within another one has a fixed output"); }
  RunContext& outer_;
};

void run(const InFloat& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const CodeScale from = code_scale(c, 1, x.dtype()), to = code_scale(c, 3, y.dtype());
  Tensor numbers(DType::kFloat32, x.shape(), c.scratch<float>(x.count()));
  Tensor results(DType::kFloat32, y.shape(), c.scratch<float>(y.count()));
  dequantize(from, x.raw(), numbers.data<float>(), x.count());
  const Tensor* inputs[] = {&numbers};
  Tensor* outputs[] = {&results};
  InnerServices services(c);
  RunContext inner(inputs, 1, outputs, services);
  op.def->run(op.op.get(), inner);
  quantize(to, results.data<float>(), y.raw(), y.count());
}

template <const OpDef& def, int64_t kOpset>
constexpr OpDef in_float() {
  return op<InFloat, parse<def, kOpset>, infer, run>(since(1));
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearAveragePool, in_float<kOpDef_ai_onnx_AveragePool, 11>().with_traits(kChannelsLast));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearGlobalAveragePool, in_float<kOpDef_ai_onnx_GlobalAveragePool, 1>().with_traits(kChannelsLast));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearSoftmax, in_float<kOpDef_ai_onnx_Softmax, 13>());
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearReduceMean, in_float<kOpDef_ai_onnx_ReduceMean, 11>());

}  // namespace kinglet::ops
