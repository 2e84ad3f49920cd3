// Normalisation along axes: LpNormalization (ONNX 1, 22) divides by the sum of magnitudes or the Euclidean
// norm along one axis, MeanVarianceNormalization (9, 13) takes the mean off and divides by the standard
// deviation.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/fold.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct LpNormalization {
  int64_t axis, p;
};

struct MeanVariance {
  std::vector<int64_t> axes;
  bool divides;  ///< by the deviation
};

LpNormalization parse_lp(const NodeView& n) {
  const LpNormalization op{n.attr_int("axis", -1), n.attr_int("p", 2)};
  if (op.p != 1 && op.p != 2) throw_error(ErrorCode::kModel, "p = {} is neither 1 nor 2", op.p);
  return op;
}

MeanVariance parse_mean_variance(const NodeView& n) {
  // As it was while it was experimental.
  if (n.opset() < 9) {
    const bool across = n.attr_int("across_channels", 0) != 0;
    return {across ? std::vector<int64_t>{0, 1, 2, 3} : std::vector<int64_t>{0, 2, 3},
            n.attr_int("normalize_variance", 1) != 0};
  }
  return {n.attr_ints("axes", {0, 2, 3}), true};
}

void infer_lp(const LpNormalization& op, InferContext& c) {
  if (c.shape(0).has_rank()) normalize_axis(op.axis, c.shape(0).rank());
  infer_unary(c, kFloats);
}

void infer_mean_variance(const MeanVariance& op, InferContext& c) {
  if (c.shape(0).has_rank()) axis_mask(op.axes, c.shape(0).rank());
  infer_unary(c, kFloats);
}

struct SubFunction {
  static double of(double a, double b) { return a - b; }
};
struct DivFunction {
  static double of(double a, double b) { return a / b; }
};
constexpr BinaryLoops kSubtract = {nullptr, binary_loop<SubFunction, double>, nullptr, nullptr};
constexpr BinaryLoops kDivide = {nullptr, binary_loop<DivFunction, double>, nullptr, nullptr};

/// Float64 memory until run() returns.
Tensor scratch(RunContext& c, const Shape& shape) {
  return Tensor(DType::kFloat64, shape, c.scratch<double>(shape.count()));
}

/// The input in float64, and one number for each set of elements that are normalised together.
struct Lanes {
  AxisSet axes{};
  Tensor values, of_lane;

  Lanes(RunContext& c, std::span<const int64_t> reduced) {
    const Tensor& x = c.in(0);
    const Flags mask = axis_mask(reduced, x.rank());
    Shape shape;
    for (size_t i = 0; i < x.rank(); ++i) {
      axes[i] = mask[i];
      shape.push_back(mask[i] ? 1 : x.dim(i));
    }
    values = scratch(c, x.shape());
    of_lane = scratch(c, shape);
    convert(x.dtype(), x.raw(), DType::kFloat64, values.raw(), x.count());
  }

  void store(Tensor& y) const { convert(DType::kFloat64, values.raw(), y.dtype(), y.raw(), y.count()); }
};

void run_lp(const LpNormalization& op, RunContext& c) {
  Lanes lanes(c, std::span(&op.axis, 1));
  const bool squares = op.p == 2;
  fold_tensor(squares ? Fold::kSumSquares : Fold::kSumAbs, squares ? Finish::kSqrt : Finish::kNone,
              lanes.values, lanes.axes, lanes.of_lane);
  // A lane of zeros stays zeros.
  for (double& norm : std::span(lanes.of_lane.data<double>(), lanes.of_lane.count()))
    norm = norm == 0 ? 1 : norm;
  apply_binary(kDivide, lanes.values, lanes.of_lane, lanes.values);
  lanes.store(c.out(0));
}

void run_mean_variance(const MeanVariance& op, RunContext& c) {
  Lanes lanes(c, op.axes);
  fold_tensor(Fold::kSum, Finish::kMean, lanes.values, lanes.axes, lanes.of_lane);
  apply_binary(kSubtract, lanes.values, lanes.of_lane, lanes.values);
  if (!op.divides) return lanes.store(c.out(0));
  fold_tensor(Fold::kSumSquares, Finish::kMean, lanes.values, lanes.axes, lanes.of_lane);
  // The epsilon of the operator's function body.
  for (double& v : std::span(lanes.of_lane.data<double>(), lanes.of_lane.count())) v = std::sqrt(v) + 1e-9;
  apply_binary(kDivide, lanes.values, lanes.of_lane, lanes.values);
  lanes.store(c.out(0));
}

}  // namespace

KINGLET_OP(LpNormalization, op<LpNormalization, parse_lp, infer_lp, run_lp>(since(1)).with_traits(kInPlace));
KINGLET_OP(MeanVarianceNormalization,
           op<MeanVariance, parse_mean_variance, infer_mean_variance, run_mean_variance>(since(1))
               .with_traits(kInPlace));

}  // namespace kinglet::ops
