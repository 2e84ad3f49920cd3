// ReduceSum, ReduceMean, ReduceMax and their kin. Axes are an attribute or, since opset 13 or 18, an input.

#include "ops/elementwise.hpp"
#include "ops/fold.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Reduce {
  Fold fold;
  Finish finish;
  bool keep_dims;
  bool empty_means_none;  ///< no axes: reduce over none of them instead of over all
  bool axes_given;        ///< as attribute; else input 1 or none
  std::vector<int64_t> axes;
};

template <Fold fold, Finish finish>
Reduce parse(const NodeView& n) {
  return {.fold = fold,
          .finish = finish,
          .keep_dims = n.attr_int("keepdims", 1) != 0,
          .empty_means_none = n.attr_int("noop_with_empty_axes", 0) != 0,
          .axes_given = n.has("axes"),
          .axes = n.attr_ints("axes", {})};
}

AxisSet axis_set(const Reduce& op, std::span<const int64_t> axes, size_t rank) {
  AxisSet set{};
  if (axes.empty()) {
    std::fill_n(set.begin(), rank, !op.empty_means_none);
  } else {
    const Flags mask = axis_mask(axes, rank);
    std::copy(mask.begin(), mask.end(), set.begin());
  }
  return set;
}

void infer(const Reduce& op, InferContext& c) {
  const bool extreme = op.fold == Fold::kMax || op.fold == Fold::kMin;
  check_type(c.dtype(0), extreme ? kNumbers | kBools : kNumbers);
  const SymShape& shape = c.shape(0);
  std::optional<std::vector<int64_t>> axes = op.axes;
  if (!op.axes_given && c.has(1)) axes = known_ints(c, 1);
  SymShape out;
  if (axes && shape.has_rank()) {
    const AxisSet set = axis_set(op, *axes, shape.rank());
    out = SymShape::of_rank(0);
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (!set[i]) {
        out.push_back(shape[i]);
      } else if (op.keep_dims) {
        out.push_back(1);
      }
    }
  } else if (shape.has_rank() && op.keep_dims) {
    out = SymShape::of_rank(shape.rank());
  }
  c.out(0, c.dtype(0), std::move(out));
}

void run(const Reduce& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const bool by_input = !op.axes_given && c.has(1);
  const AxisSet set = axis_set(op, by_input ? to_int64s(c.in(1)) : op.axes, x.rank());
  fold_tensor(op.fold, op.finish, x, set, c.out(0));
}

bool permute(Node& node, std::span<const int64_t> perm) {
  const Attribute* keep_dims = node.find("keepdims");
  if (keep_dims != nullptr && keep_dims->i == 0) return false;
  if (node.own_inputs > 1 && node.inputs[1] != kNoValue) return false;
  const Attribute* axes = node.find("axes");
  if (axes == nullptr) return true;
  std::vector<int64_t> moved;
  for (const int64_t axis : axes->ints) {
    const auto at = permuted_axis(axis, perm);
    if (!at) return false;
    moved.push_back(*at);
  }
  node.set_ints("axes", std::move(moved));
  return true;
}

template <Fold fold, Finish finish = Finish::kNone>
constexpr OpDef reduction() {
  return op<Reduce, parse<fold, finish>, infer, run>(since(1)).with_permute(permute);
}

}  // namespace

KINGLET_OP(ReduceSum, reduction<Fold::kSum>());
KINGLET_OP(ReduceMean, reduction<Fold::kSum, Finish::kMean>());
KINGLET_OP(ReduceMax, reduction<Fold::kMax>());
KINGLET_OP(ReduceMin, reduction<Fold::kMin>());
KINGLET_OP(ReduceProd, reduction<Fold::kProduct>());
KINGLET_OP(ReduceL1, reduction<Fold::kSumAbs>());
KINGLET_OP(ReduceL2, reduction<Fold::kSumSquares, Finish::kSqrt>());
KINGLET_OP(ReduceSumSquare, reduction<Fold::kSumSquares>());
KINGLET_OP(ReduceLogSum, reduction<Fold::kSum, Finish::kLog>());
KINGLET_OP(ReduceLogSumExp, reduction<Fold::kLogSumExp, Finish::kLog>());

}  // namespace kinglet::ops
