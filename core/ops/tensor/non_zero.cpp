// NonZero: the indices of the elements that are not zero, [rank, count], in row-major order.

#include <cstring>

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct NonZero {};

NonZero parse(const NodeView&) { return {}; }

void infer(const NonZero&, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.out(0, DType::kInt64, SymShape({in.has_rank() ? Dim(static_cast<int64_t>(in.rank())) : Dim(), Dim()}));
}

template <class T>
bool is_nonzero(T bits, bool sign_is_value) {
  // A float's -0 is zero although its sign bit is set.
  if (!sign_is_value) bits = static_cast<T>(bits << 1);
  return bits != 0;
}

void run(const NonZero&, RunContext& c) {
  const Tensor& in = c.in(0);
  const size_t total = in.count();
  const auto rank = static_cast<int64_t>(in.rank());
  const bool sign_is_value = !is_float(in.dtype());
  dispatch(in.dtype(), NumericAndBoolTypes{}, []<class>() {});
  dispatch_width(in.dtype(), [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      auto* values = reinterpret_cast<const T*>(in.raw());
      int64_t count = 0;
      for (size_t i = 0; i < total; ++i) count += is_nonzero(values[i], sign_is_value) ? 1 : 0;
      int64_t* out = c.out(0, DType::kInt64, {rank, count}).template data<int64_t>();
      const auto strides = strides_of(in.shape());
      Odometer walk(in.shape().dims(), strides);
      for (size_t i = 0; i < total; ++i, walk.next()) {
        if (!is_nonzero(values[i], sign_is_value)) continue;
        for (int64_t d = 0; d < rank; ++d) out[d * count] = walk.index()[static_cast<size_t>(d)];
        ++out;
      }
    }
  });
}

}  // namespace

KINGLET_OP(NonZero, op<NonZero, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
