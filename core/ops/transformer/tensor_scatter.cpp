// TensorScatter - a cache with new rows written along an axis, from an index of each batch on (ONNX
// TensorScatter 24).

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct TensorScatter {
  int64_t axis = -2;
  bool circular = false;
};

TensorScatter parse(const NodeView& n) {
  const std::string mode = n.attr_string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "mode", mode);
  return {n.attr_int("axis", -2), mode == "circular"};
}

void infer(const TensorScatter& op, InferContext& c) {
  require_same_types(c, 0, 1);
  check_axis(c.shape(0), op.axis);
  c.out(0, c.dtype(0), c.shape(0));
}

void run(const TensorScatter& op, RunContext& c) {
  const Tensor &cache = c.in(0), &update = c.in(1);
  const size_t axis = normalize_axis(op.axis, cache.rank());
  bool fits = axis > 0 && update.rank() == cache.rank();
  for (size_t i = 0; fits && i < cache.rank(); ++i)
    fits = i == axis ? update.dim(i) <= cache.dim(i) : update.dim(i) == cache.dim(i);
  c.require(fits, "an update {} does not go into {} along axis {}", update.shape(), cache.shape(), op.axis);
  Tensor& y = c.out(0);
  y.copy_from(cache);
  if (update.count() == 0) return;

  const AxisView to(cache.shape(), axis), from(update.shape(), axis);
  std::vector<int64_t> first(static_cast<size_t>(cache.dim(0)), 0);
  if (c.has(2)) {
    first = to_int64s(c.in(2));
    c.require(c.in(2).shape() == Shape{cache.dim(0)}, "expected {} indices, got {}", cache.dim(0),
              c.in(2).shape());
  }
  const size_t per_batch = to.outer / first.size();
  for (size_t outer = 0; outer < to.outer; ++outer) {
    const int64_t start = first[outer / per_batch], rows = static_cast<int64_t>(from.n),
                  room = static_cast<int64_t>(to.n);
    c.require(start >= 0 && (op.circular || start <= room - rows), "{} rows do not fit at {} of {}", rows,
              start, room);
    // What passes the end goes on at the beginning.
    const auto at = static_cast<size_t>(start % room);
    const size_t before = std::min(from.n, to.n - at);
    const auto copy = [&](size_t to_row, size_t from_row, size_t count) {
      copy_elements(y.dtype(), element(y, (outer * to.n + to_row) * to.inner),
                    element(update, (outer * from.n + from_row) * to.inner), count * to.inner);
    };
    copy(at, 0, before);
    copy(0, before, from.n - before);
  }
}

}  // namespace

KINGLET_OP(TensorScatter, op<TensorScatter, parse, infer, run>(since(24)));

}  // namespace kinglet::ops
