// RandomUniform, RandomNormal, RandomUniformLike, RandomNormalLike (ONNX 1, 22), Bernoulli (15, 22) and
// Multinomial (7, 22). Which numbers a seed gives: generator.hpp.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/random/generator.hpp"

namespace kinglet::ops {
namespace {

/// The element type that the attribute `dtype` names, kUndefined without it.
DType parse_type(const NodeView& n, TypeSet allowed) {
  if (!n.has("dtype") || n.attr_int("dtype") == 0) return DType::kUndefined;
  const auto type = dtype_from_onnx(n.attr_int("dtype"));
  if (!type) throw_error(ErrorCode::kModel, "type number {} is not known", n.attr_int("dtype"));
  check_type(*type, allowed);
  return *type;
}

/// y[i] = draw() for all elements, made in float64.
template <class Draw>
void fill(Tensor& y, Draw&& draw) {
  double values[kBlock];
  for (size_t start = 0, count = y.count(); start < count; start += kBlock) {
    const size_t n = std::min(kBlock, count - start);
    for (size_t i = 0; i < n; ++i) values[i] = draw();
    convert(DType::kFloat64, values, y.dtype(), y.raw() + start * dtype_size(y.dtype()), n);
  }
}

struct Random {
  bool normal;
  double offset, factor;  ///< low and high - low, or mean and scale
  DType type;
  std::optional<Shape> shape;  ///< else input 0's
  std::shared_ptr<Generator> generator;
};

Random parse_random(const NodeView& n) {
  Random op{.normal = n.op_type().starts_with("RandomNormal"),
            .offset = 0,
            .factor = 1,
            .type = parse_type(n, kFloats),
            .shape = {},
            .generator = parse_generator(n)};
  if (op.normal) {
    op.offset = static_cast<double>(n.attr_float("mean", 0));
    op.factor = static_cast<double>(n.attr_float("scale", 1));
  } else {
    op.offset = static_cast<double>(n.attr_float("low", 0));
    op.factor = static_cast<double>(n.attr_float("high", 1)) - op.offset;
  }
  if (n.op_type().ends_with("Like")) return op;
  const std::vector<int64_t> dims = n.attr_ints("shape");
  op.shape = Shape(dims);
  op.shape->count();  // refuses negative dims
  if (op.type == DType::kUndefined) op.type = DType::kFloat32;
  return op;
}

void infer_random(const Random& op, InferContext& c) {
  const DType type = op.type != DType::kUndefined ? op.type : c.dtype(0);
  check_type(type, kFloats);
  c.out(0, type, op.shape ? SymShape(*op.shape) : c.shape(0));
}

void run_random(const Random& op, RunContext& c) {
  Generator& g = *op.generator;
  fill(c.out(0), [&] { return op.offset + op.factor * (op.normal ? g.normal() : g.uniform()); });
}

struct Bernoulli {
  DType type;
  std::shared_ptr<Generator> generator;
};

Bernoulli parse_bernoulli(const NodeView& n) {
  return {parse_type(n, kNumbers | kBools), parse_generator(n)};
}

void infer_bernoulli(const Bernoulli& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  c.out(0, op.type != DType::kUndefined ? op.type : c.dtype(0), c.shape(0));
}

void run_bernoulli(const Bernoulli& op, RunContext& c) {
  const Tensor& p = c.in(0);
  size_t at = 0;
  fill(c.out(0), [&] {
    double probability;
    convert(p.dtype(), p.raw() + at++ * dtype_size(p.dtype()), DType::kFloat64, &probability, 1);
    return op.generator->uniform() < probability ? 1.0 : 0.0;
  });
}

struct Multinomial {
  int64_t samples;
  DType type;
  std::shared_ptr<Generator> generator;
};

Multinomial parse_multinomial(const NodeView& n) {
  constexpr TypeSet kIndices = type_set(DType::kInt32) | type_set(DType::kInt64);
  Multinomial op{n.attr_int("sample_size", 1), parse_type(n, kIndices), parse_generator(n)};
  if (op.samples < 0) throw_error(ErrorCode::kModel, "attribute 'sample_size' is {}", op.samples);
  if (op.type == DType::kUndefined) op.type = DType::kInt32;
  return op;
}

void infer_multinomial(const Multinomial& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  const SymShape& x = c.shape(0);
  c.require(!x.has_rank() || x.rank() == 2, "expected [batch, classes], got {}", x);
  c.out(0, op.type, SymShape({x.has_rank() ? x[0] : Dim(), op.samples}));
}

void run_multinomial(const Multinomial& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const auto classes = static_cast<size_t>(x.dim(1)), samples = static_cast<size_t>(op.samples);
  c.require(classes != 0 || c.out(0).count() == 0, "there are no classes to draw from");
  // Running sums of exp(x - greatest): a class is drawn with its own share of the last one.
  double* sums = c.scratch<double>(classes);
  size_t drawn = 0;
  fill(c.out(0), [&] {
    if (drawn % samples == 0) {
      const size_t row = drawn / samples * classes;
      convert(x.dtype(), x.raw() + row * dtype_size(x.dtype()), DType::kFloat64, sums, classes);
      const double greatest = *std::max_element(sums, sums + classes);
      double sum = 0;
      for (size_t i = 0; i < classes; ++i) sums[i] = sum += std::exp(sums[i] - greatest);
    }
    ++drawn;
    const double* found = std::upper_bound(sums, sums + classes, op.generator->uniform() * sums[classes - 1]);
    return static_cast<double>(std::min<ptrdiff_t>(found - sums, static_cast<ptrdiff_t>(classes) - 1));
  });
}

constexpr OpDef kRandomOp = op<Random, parse_random, infer_random, run_random>(since(1)).with_traits(kRandom);

}  // namespace

KINGLET_OP(RandomUniform, kRandomOp);
KINGLET_OP(RandomNormal, kRandomOp);
KINGLET_OP(RandomUniformLike, kRandomOp);
KINGLET_OP(RandomNormalLike, kRandomOp);
KINGLET_OP(Bernoulli,
           op<Bernoulli, parse_bernoulli, infer_bernoulli, run_bernoulli>(since(15)).with_traits(kRandom));
KINGLET_OP(Multinomial, op<Multinomial, parse_multinomial, infer_multinomial, run_multinomial>(since(7))
                            .with_traits(kRandom));

}  // namespace kinglet::ops
