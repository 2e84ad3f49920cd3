// Imputer (ai.onnx.ml): elements equal to one value (NaN equals NaN) are replaced by another, one for all or
// one a feature (the last dim of X).

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct Imputer {
  std::vector<float> floats;
  std::vector<int64_t> ints;
  float replaced_float;
  int64_t replaced_int;
};

Imputer parse(const NodeView& n) {
  Imputer op{n.attr_floats("imputed_value_floats", {}), n.attr_ints("imputed_value_int64s", {}),
             n.attr_float("replaced_value_float", 0), n.attr_int("replaced_value_int64", 0)};
  ml::check_attributes(op.floats.empty() != op.ints.empty(), "imputed values are either floats or integers");
  return op;
}

void infer(const Imputer&, InferContext& c) { infer_unary(c, kNumbers); }

/// In the wide type T; `values` and `replaced` are of the attributes' type.
template <class T, class V>
void impute(const Tensor& x, Tensor& y, const std::vector<V>& values, V replaced) {
  const size_t features = x.rank() == 0 ? 1 : static_cast<size_t>(x.shape().back());
  Requires::require(values.size() == 1 || values.size() == features, "{} values for {} features",
                    values.size(), features);
  const size_t size = dtype_size(x.dtype());
  const T wanted = static_cast<T>(replaced);
  T block[kBlock];
  for (size_t i = 0; i < x.count(); i += kBlock) {
    const size_t n = std::min(kBlock, x.count() - i);
    convert(x.dtype(), x.raw() + i * size, dtype_of<T>, block, n);
    for (size_t k = 0; k < n; ++k) {
      const bool is_nan = block[k] != block[k];
      if (block[k] != wanted && !(is_nan && wanted != wanted)) continue;
      block[k] = static_cast<T>(values[values.size() == 1 ? 0 : (i + k) % features]);
    }
    convert(dtype_of<T>, block, y.dtype(), y.raw() + i * size, n);
  }
}

void run(const Imputer& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const bool wants_floats = is_float(x.dtype());
  ml::check_attributes(op.floats.empty() != wants_floats,
                       "the imputed values have not the type of the input");
  if (wants_floats) return impute<double>(x, c.out(0), op.floats, op.replaced_float);
  impute<int64_t>(x, c.out(0), op.ints, op.replaced_int);
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", Imputer, op<Imputer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
