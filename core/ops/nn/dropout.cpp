// Dropout (ONNX 1, 6, 7, 10, 12, 13, 22): the input itself, unless the model asks for training.

#include "ops/elementwise.hpp"
#include "ops/random/generator.hpp"

namespace kinglet::ops {
namespace {

struct Dropout {
  bool typed_mask;                       ///< before opset 10 the mask has the input's type
  bool by_inputs;                        ///< ratio and training_mode are inputs
  double ratio;                          ///< where they are not: 0 outside of training
  std::shared_ptr<Generator> generator;  ///< null where nothing is ever dropped
};

/// Before opset 7 the attribute is_test says whether anything is dropped. Its default, training, is meant by
/// no model that is run to get results, and ONNX's own converter takes such a model for one that tests; so an
/// is_test of 0 counts only when it is written. From opset 7 to 11 nothing is dropped.
Dropout parse(const NodeView& n) {
  const bool trains = n.opset() < 7 && n.attr_int("is_test", 1) == 0;
  return {.typed_mask = n.opset() < 10,
          .by_inputs = n.opset() >= 12,
          .ratio = trains ? static_cast<double>(n.attr_float("ratio", 0.5f)) : 0,
          .generator = trains || n.has_input(2) ? parse_generator(n) : nullptr};
}

void infer(const Dropout& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  c.out(0, c.dtype(0), c.shape(0));
  c.out(1, op.typed_mask ? c.dtype(0) : DType::kBool, c.shape(0));
}

double scalar(const Tensor& t) {
  RunContext::require(t.count() == 1, "the ratio must be a scalar, got {}", t.shape());
  double value;
  convert(t.dtype(), t.raw(), DType::kFloat64, &value, 1);
  return value;
}

void run(const Dropout& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const bool training = op.by_inputs && c.has(2) && scalar(c.in(2)) != 0;
  const double ratio = !op.by_inputs ? op.ratio : !training ? 0 : c.has(1) ? scalar(c.in(1)) : 0.5;
  c.require(ratio >= 0 && ratio < 1, "the ratio must lie in [0, 1), got {}", ratio);
  const size_t size = dtype_size(x.dtype());
  if (ratio == 0 && x.raw() != c.out(0).raw()) c.out(0).copy_from(x);
  for (size_t i = 0; i < x.count() && (ratio != 0 || c.wants(1)); ++i) {
    const bool kept = ratio == 0 || op.generator->uniform() >= ratio;
    if (ratio != 0) {
      double value;
      convert(x.dtype(), x.raw() + i * size, DType::kFloat64, &value, 1);
      value = kept ? value / (1 - ratio) : 0;
      convert(DType::kFloat64, &value, x.dtype(), c.out(0).raw() + i * size, 1);
    }
    if (c.wants(1)) {
      const DType type = c.out(1).dtype();
      const double mask = kept ? 1 : 0;
      convert(DType::kFloat64, &mask, type, c.out(1).raw() + i * dtype_size(type), 1);
    }
  }
}

}  // namespace

KINGLET_OP(Dropout, op<Dropout, parse, infer, run>(since(1)).with_traits(kInPlace | kPermutable | kRandom));

}  // namespace kinglet::ops
