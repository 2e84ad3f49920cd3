// IsNaN and IsInf: bool results.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

/// Which values give true.
struct Special {
  bool nan = false, negative_infinity = false, positive_infinity = false;
};

Special parse_nan(const NodeView&) { return {.nan = true}; }
Special parse_inf(const NodeView& n) {
  return {.negative_infinity = n.attr_int("detect_negative", 1) != 0,
          .positive_infinity = n.attr_int("detect_positive", 1) != 0};
}

constexpr TypeSet kFloats8 = type_set(DType::kFloat8E4M3FN) | type_set(DType::kFloat8E4M3FNUZ) |
                             type_set(DType::kFloat8E5M2) | type_set(DType::kFloat8E5M2FNUZ);

void infer(const Special&, InferContext& c) {
  check_type(c.dtype(0), kFloats | kFloats8);
  c.out(0, DType::kBool, c.shape(0));
}

void run(const Special& op, RunContext& c) {
  const Tensor& x = c.in(0);
  bool* y = c.out(0).data<bool>();
  double block[kBlock];
  for (size_t start = 0; start < x.count(); start += kBlock) {
    const size_t n = std::min(kBlock, x.count() - start);
    convert(x.dtype(), x.raw() + start * dtype_size(x.dtype()), DType::kFloat64, block, n);
    for (size_t i = 0; i < n; ++i) {
      const double v = block[i];
      y[start + i] = std::isnan(v) ? op.nan : std::isinf(v) && (v < 0 ? op.negative_infinity : op.positive_infinity);
    }
  }
}

}  // namespace

KINGLET_OP(IsNaN, op<Special, parse_nan, infer, run>(since(9)).with_traits(kPermutable));
KINGLET_OP(IsInf, op<Special, parse_inf, infer, run>(since(10)).with_traits(kPermutable));

}  // namespace kinglet::ops
