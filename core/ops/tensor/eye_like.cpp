// EyeLike: a matrix of the input's shape with ones on diagonal k and zeros elsewhere.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct EyeLike {
  DType dtype;  // kUndefined: the input's
  int64_t k;
};

EyeLike parse(const NodeView& n) {
  EyeLike op{DType::kUndefined, n.attr_int("k", 0)};
  if (n.has("dtype")) {
    const std::optional<DType> type = dtype_from_onnx(n.attr_int("dtype"));
    if (!type) throw_error(ErrorCode::kModel, "element type {} is not supported here", n.attr_int("dtype"));
    op.dtype = *type;
  }
  return op;
}

void infer(const EyeLike& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.require(!in.has_rank() || in.rank() == 2, "needs rank 2, got {}", in.rank());
  c.out(0, op.dtype != DType::kUndefined ? op.dtype : c.dtype(0), in.has_rank() ? in : SymShape::of_rank(2));
}

void run(const EyeLike& op, RunContext& c) {
  Tensor& out = c.out(0);
  fill_elements(out.dtype(), out.raw(), nullptr, out.count());
  const auto one = element_of(out.dtype(), 1);
  const int64_t rows = out.dim(0), columns = out.dim(1);
  const int64_t k = std::clamp(op.k, -rows, columns);
  for (int64_t row = std::max<int64_t>(0, -k); row < rows && row + k < columns; ++row) {
    copy_elements(out.dtype(), element(out, static_cast<size_t>(row * columns + row + k)), one.data(), 1);
  }
}

}  // namespace

KINGLET_OP(EyeLike, op<EyeLike, parse, infer, run>(since(9)).with_traits(kShapeOnly));

}  // namespace kinglet::ops
