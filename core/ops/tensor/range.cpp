// Range: start, start + delta, ... up to but without limit (ONNX 11); com.microsoft's delta may be left out.

#include <array>
#include <cmath>

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

using RangeTypes = TypeList<float, double, int16_t, int32_t, int64_t, Float16, BFloat16>;

struct Range {
  bool delta_is_1;
};

Range parse(const NodeView&) { return {false}; }
Range parse_contrib(const NodeView& n) { return {!n.has_input(2)}; }

/// A 1 of a type.
class One {
 public:
  explicit One(DType type) : bytes_(element_of(type, 1)), tensor_(type, Shape{}, bytes_.data()) {}
  const Tensor& tensor() const { return tensor_; }

 private:
  std::array<std::byte, 16> bytes_;
  Tensor tensor_;
};

constexpr int64_t kMaxCount = int64_t{1} << 48;

/// How many numbers there are: max(ceil((limit - start) / delta), 0).
int64_t count_of(const Tensor& start, const Tensor& limit, const Tensor& delta) {
  if (start.count() != 1 || limit.count() != 1 || delta.count() != 1) {
    throw_error(ErrorCode::kShape, "start, limit and delta must be scalars");
  }
  if (start.dtype() != limit.dtype() || start.dtype() != delta.dtype()) {
    throw_error(ErrorCode::kModel, "start, limit and delta must have one type");
  }
  double count = 0;
  dispatch(start.dtype(), RangeTypes{}, [&]<class T>() {
    const T from = *start.data<T>(), to = *limit.data<T>(), by = *delta.data<T>();
    if (by == T(0)) throw_error(ErrorCode::kShape, "delta is 0");
    if constexpr (std::is_integral_v<T>) {
      // Differences of int64 fit uint64, not int64.
      const auto low = static_cast<uint64_t>(std::min(from, to)),
                 high = static_cast<uint64_t>(std::max(from, to));
      const uint64_t step = by > 0 ? static_cast<uint64_t>(by) : 0 - static_cast<uint64_t>(by);
      const bool any = by > 0 ? from < to : from > to;
      count = any ? static_cast<double>((high - low - 1) / step) + 1 : 0;
    } else {
      count = std::ceil((static_cast<double>(to) - static_cast<double>(from)) / static_cast<double>(by));
    }
  });
  if (!(count <= static_cast<double>(kMaxCount))) {
    throw_error(ErrorCode::kShape, "{} numbers are too many", count);
  }
  return count > 0 ? static_cast<int64_t>(count) : 0;
}

void infer(const Range& op, InferContext& c) {
  for (size_t i = 0; i < (op.delta_is_1 ? 2 : 3); ++i) c.in(i);
  const Tensor *start = c.constant(0), *limit = c.constant(1), *delta = c.constant(2);
  if (op.delta_is_1 && start != nullptr && limit != nullptr) {
    return c.out(0, c.dtype(0), Shape{count_of(*start, *limit, One(start->dtype()).tensor())});
  }
  if (start != nullptr && limit != nullptr && delta != nullptr) {
    return c.out(0, c.dtype(0), Shape{count_of(*start, *limit, *delta)});
  }
  // Range(0, n, 1) has n numbers, whatever n is.
  const auto is = [&](size_t i, int64_t value) {
    const std::optional<std::vector<Dim>> dims = c.dims(i);
    return dims && dims->size() == 1 && dims->front().same(value);
  };
  const std::optional<std::vector<Dim>> to = c.dims(1);
  const bool counts = to && to->size() == 1 && is(0, 0) && (op.delta_is_1 || is(2, 1));
  c.out(0, c.dtype(0), SymShape({counts ? to->front() : Dim()}));
}

void run(const Range& op, RunContext& c) {
  Tensor& out = c.out(0);
  const auto count = static_cast<int64_t>(out.count());
  dispatch(out.dtype(), RangeTypes{}, [&]<class T>() {
    const T from = *c.in(0).data<T>(), by = op.delta_is_1 ? T(1) : *c.in(2).data<T>();
    T* to = out.data<T>();
    if constexpr (std::is_integral_v<T>) {
      for (int64_t i = 0; i < count; ++i) {
        to[i] = static_cast<T>(static_cast<uint64_t>(from) +
                               static_cast<uint64_t>(i) * static_cast<uint64_t>(by));
      }
    } else {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      for (int64_t i = 0; i < count; ++i) {
        to[i] = static_cast<T>(static_cast<Wide>(from) + static_cast<Wide>(i) * static_cast<Wide>(by));
      }
    }
  });
}

}  // namespace

KINGLET_OP(Range, op<Range, parse, infer, run>(since(11)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Range, op<Range, parse_contrib, infer, run>(since(1)));

}  // namespace kinglet::ops
