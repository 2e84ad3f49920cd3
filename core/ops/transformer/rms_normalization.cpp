// RMSNormalization - x / sqrt(mean(x^2) + epsilon) * scale over all axes from `axis` on (ONNX
// RMSNormalization 23), and the SimplifiedLayerNormalization that onnxruntime writes into the ONNX domain.

#include <cmath>
#include <limits>

#include "kernels/normalize.hpp"
#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/transformer/in_type.hpp"

namespace kinglet::ops {
namespace {

struct RmsNormalization {
  int64_t axis = -1;
  float epsilon = 1e-5f;
};

RmsNormalization parse(const NodeView& n) { return {n.attr_int("axis", -1), n.attr_float("epsilon", 1e-5f)}; }

void infer(const RmsNormalization& op, InferContext& c) {
  for (size_t i = 0; i < 2; ++i) check_type(c.dtype(i), kFloats);
  SymShape statistics = c.shape(0);
  c.out(0, c.dtype(1) != DType::kUndefined ? c.dtype(1) : c.dtype(0), statistics);
  if (statistics.has_rank()) {
    for (size_t i = normalize_axis(op.axis, statistics.rank()); i < statistics.rank(); ++i) statistics[i] = 1;
  }
  c.out(1, DType::kFloat32, statistics);
}

void run(const RmsNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const size_t axis = normalize_axis(op.axis, x.rank());
  const size_t rows = x.shape().count(0, axis), columns = x.shape().count(axis, x.rank());
  const DType type = computing_type(x.dtype());
  const void* const from = as_type(c, x, type);
  const void* const scale = spread(c, c.in(1), Shape(x.shape().dims().subspan(axis)), type);
  TypedOutput out(c, c.out(0), type);
  const auto epsilon = static_cast<double>(op.epsilon);
  if (type == DType::kFloat32) {
    kernels::rms_norm(static_cast<const float*>(from), static_cast<float*>(out.data()), rows, columns,
                      static_cast<const float*>(scale), op.epsilon);
  }
  float* const inverses = c.wants(1) ? c.out(1).data<float>() : nullptr;
  for (size_t r = 0; r < rows && (type == DType::kFloat64 || inverses != nullptr); ++r) {
    double squares = 0;
    if (type == DType::kFloat32) {
      const float* const row = static_cast<const float*>(from) + r * columns;
      squares = static_cast<double>(kernels::dot(row, row, columns));
    } else {
      const double* const row = static_cast<const double*>(from) + r * columns;
      for (size_t i = 0; i < columns; ++i) squares += row[i] * row[i];
    }
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(columns) + epsilon);
    if (inverses != nullptr) inverses[r] = static_cast<float>(inverse);
    if (type == DType::kFloat32) continue;
    for (size_t i = r * columns; i < (r + 1) * columns; ++i) {
      static_cast<double*>(out.data())[i] =
          static_cast<const double*>(from)[i] * inverse * static_cast<const double*>(scale)[i - r * columns];
    }
  }
  out.store();
}

constexpr OpDef rms_normalization(int64_t opset) {
  return op<RmsNormalization, parse, infer, run>(since(opset));
}

}  // namespace

KINGLET_OP(RMSNormalization, rms_normalization(23));
KINGLET_OP(SimplifiedLayerNormalization, rms_normalization(1));

}  // namespace kinglet::ops
