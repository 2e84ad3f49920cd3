// Dropout: the input itself, unless the model asks for training (opset >= 12).

#include <cmath>
#include <cstring>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Dropout {
  bool typed_mask;  ///< before opset 10 the mask has the input's type
  bool by_inputs;   ///< ratio and training_mode are inputs
  std::shared_ptr<uint64_t> random_state;
};

Dropout parse(const NodeView& n) {
  const auto seed = static_cast<uint64_t>(n.attr_int("seed", 0x5eed));
  return {.typed_mask = n.opset() < 10, .by_inputs = n.opset() >= 12, .random_state = std::make_shared<uint64_t>(seed)};
}

void infer(const Dropout& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  c.out(0, c.dtype(0), c.shape(0));
  c.out(1, op.typed_mask ? c.dtype(0) : DType::kBool, c.shape(0));
}

/// SplitMix64 (Steele, Lea, Flood 2014), in [0, 1).
double random_unit(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
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
  const double ratio = !training ? 0 : c.has(1) ? scalar(c.in(1)) : 0.5;
  c.require(ratio >= 0 && ratio < 1, "the ratio must lie in [0, 1), got {}", ratio);
  const size_t size = dtype_size(x.dtype());
  if (ratio == 0 && x.raw() != c.out(0).raw()) c.out(0).copy_from(x);
  for (size_t i = 0; i < x.count() && (ratio != 0 || c.wants(1)); ++i) {
    const bool kept = ratio == 0 || random_unit(*op.random_state) >= ratio;
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
