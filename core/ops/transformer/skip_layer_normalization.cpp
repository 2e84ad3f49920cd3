// SkipLayerNormalization and SkipSimplifiedLayerNormalization of com.microsoft - the sum of an input, a skip
// connection and a bias, normalised over the last axis; the sum is an output too.

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/normalize.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

enum Output : size_t { kY, kMean, kInverse, kSum };

struct SkipNormalization {
  float epsilon;
  bool simplified;
  size_t beta() const { return 3; }
  size_t bias() const { return simplified ? 3 : 4; }
};

SkipNormalization parse(const NodeView& n) {
  return {n.attr_float("epsilon", 1e-12f), n.op_type() == "SkipSimplifiedLayerNormalization"};
}

void infer(const SkipNormalization&, InferContext& c) {
  const DType type = common_type(c, 0, c.inputs(), kFloats);
  SymShape shape = c.shape(0);
  c.require(!shape.has_rank() || shape.rank() > 0, "needs rank >= 1, got {}", shape);
  c.out(kY, type, shape);
  c.out(kSum, type, shape);
  if (shape.has_rank()) shape[shape.rank() - 1] = 1;
  c.out(kMean, DType::kFloat32, shape);
  c.out(kInverse, DType::kFloat32, shape);
}

void run(const SkipNormalization& op, RunContext& c) {
  const Tensor &x = c.in(0), &skip = c.in(1);
  const auto columns = static_cast<size_t>(x.shape().back());
  const auto parameter = [&](size_t i) {
    c.require(c.in(i).count() == columns, "expected {} parameters, got {}", columns, c.in(i).shape());
    return as_f32(c, c.in(i));
  };
  // A skip connection of fewer rows repeats over the batch.
  const bool fits = skip.rank() > 0 && skip.shape().back() == x.shape().back() &&
                    (skip.count() == x.count() || (skip.count() != 0 && x.count() % skip.count() == 0));
  c.require(fits, "a skip connection {} does not go with {}", skip.shape(), x.shape());
  const float* const from = as_f32(c, x);
  const float* const other = as_f32(c, skip);
  const float* const gamma = parameter(2);
  const float* const beta = !op.simplified && c.has(op.beta()) ? parameter(op.beta()) : nullptr;
  const float* const bias = c.has(op.bias()) ? parameter(op.bias()) : nullptr;
  F32Output y(c, c.out(kY));
  std::optional<F32Output> sums;
  if (c.wants(kSum)) sums.emplace(c, c.out(kSum));
  float* const mean = c.wants(kMean) ? c.out(kMean).data<float>() : nullptr;
  float* const inverse = c.wants(kInverse) ? c.out(kInverse).data<float>() : nullptr;
  const size_t rows = columns == 0 ? 0 : x.count() / columns;
  parallel(rows, worth_a_thread(24 * columns), [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin, start = begin * columns; row < end; start += columns, ++row) {
      float* const sum = (sums ? sums->data() : y.data()) + start;
      kernels::binary(kernels::Binary::kAdd, from + start, other + start % skip.count(), sum, columns);
      if (bias != nullptr) kernels::binary(kernels::Binary::kAdd, sum, bias, sum, columns);
      float* const to = y.data() + start;
      float row_mean, row_inverse;
      if (op.simplified) {
        kernels::rms_norm(sum, to, 1, columns, gamma, op.epsilon);
      } else {
        kernels::layer_norm(sum, to, 1, columns, gamma, beta, op.epsilon, &row_mean, &row_inverse);
        if (mean != nullptr) mean[row] = row_mean;
        if (inverse != nullptr) inverse[row] = row_inverse;
      }
    }
  });
  y.store();
  if (sums) sums->store();
}

SkipNormalization parse_checked(const NodeView& n) {
  const SkipNormalization op = parse(n);
  if (op.simplified && (n.has_output(kMean) || n.has_output(kInverse))) {
    throw_error(ErrorCode::kModel, "outputs mean and inv_std_var are not supported");
  }
  return op;
}

constexpr OpDef kSkip = op<SkipNormalization, parse_checked, infer, run>(since(1));

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", SkipLayerNormalization, kSkip);
KINGLET_OP_IN(com_microsoft, "com.microsoft", SkipSimplifiedLayerNormalization, kSkip);

}  // namespace kinglet::ops
