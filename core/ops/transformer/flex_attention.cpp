// FlexAttention - attention whose scores and probabilities pass through subgraphs (ai.onnx.preview
// FlexAttention 1).

#include <algorithm>
#include <cmath>

#include "kernels/normalize.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/transformer/attention_core.hpp"

namespace kinglet::ops {
namespace {

struct FlexAttention {
  std::optional<size_t> score_mod, prob_mod;
  std::optional<float> scale;
  DType precision = DType::kUndefined;
};

FlexAttention parse(const NodeView& n) {
  FlexAttention op;
  if (n.has("score_mod")) op.score_mod = n.attr_graph("score_mod");
  if (n.has("prob_mod")) op.prob_mod = n.attr_graph("prob_mod");
  if (n.has("scale")) op.scale = n.attr_float("scale");
  switch (n.attr_int("softmax_precision", 0)) {
    case 0: break;
    case 1: op.precision = DType::kFloat32; break;
    case 10: op.precision = DType::kFloat16; break;
    case 11: op.precision = DType::kFloat64; break;
    case 16: op.precision = DType::kBFloat16; break;
    default:
      throw_error(ErrorCode::kModel, "attribute '{}' is {}", "softmax_precision",
                  n.attr_int("softmax_precision"));
  }
  return op;
}

/// The type of what the subgraphs see.
DType precision_of(const FlexAttention& op, DType input) {
  return op.precision != DType::kUndefined || input == DType::kUndefined ? op.precision
                                                                         : computing_type(input);
}

void infer(const FlexAttention& op, InferContext& c) {
  const DType type = common_type(c, 0, 3, kFloats);
  const auto shape_of = [&](size_t i) {
    const SymShape& s = c.shape(i);
    c.require(!s.has_rank() || s.rank() == 4, "expected rank 4, got {}", s);
    return s.has_rank() ? s : SymShape::of_rank(4);
  };
  const SymShape q = shape_of(0), k = shape_of(1), v = shape_of(2);
  const ValueInfo scores{precision_of(op, type), SymShape({q[0], q[1], q[2], k[2]}), {}, {}};
  for (const auto& mod : {op.score_mod, op.prob_mod}) {
    if (!mod) continue;
    const size_t results = c.infer_subgraph(*mod, std::span(&scores, 1)).size();
    c.require(results == 1, "a subgraph has {} outputs, expected 1", results);
  }
  c.out(0, type, SymShape({q[0], q[1], q[2], v[3]}));
}

/// Softmax of rows of float32 or float64, in place.
void softmax(void* scores, DType type, size_t rows, size_t columns) {
  if (type == DType::kFloat32)
    return kernels::softmax(static_cast<float*>(scores), static_cast<float*>(scores), rows, columns);
  double* s = static_cast<double*>(scores);
  for (size_t r = 0; r < rows && columns > 0; ++r, s += columns) {
    const double most = *std::max_element(s, s + columns);
    double total = 0;
    for (size_t i = 0; i < columns; ++i) total += s[i] = std::exp(s[i] - most);
    for (size_t i = 0; i < columns; ++i) s[i] /= total;
  }
}

void run(const FlexAttention& op, RunContext& c) {
  const Tensor &q = c.in(0), &k = c.in(1), &v = c.in(2);
  const bool fits = q.rank() == 4 && k.rank() == 4 && v.rank() == 4 && q.dim(0) == k.dim(0) &&
                    k.dim(0) == v.dim(0) && k.dim(1) == v.dim(1) && k.dim(2) == v.dim(2) &&
                    q.dim(3) == k.dim(3) && k.dim(1) > 0 && q.dim(1) % k.dim(1) == 0;
  c.require(fits, "query {}, key {} and value {} do not go together", q.shape(), k.shape(), v.shape());
  const DType precision = precision_of(op, q.dtype()), type = computing_type(precision);
  AttentionCall call;
  call.type = type;
  call.batch = static_cast<size_t>(q.dim(0));
  call.heads = static_cast<size_t>(q.dim(1));
  call.kv_heads = static_cast<size_t>(k.dim(1));
  call.queries = static_cast<size_t>(q.dim(2));
  call.keys = static_cast<size_t>(k.dim(2));
  call.head_size = static_cast<size_t>(q.dim(3));
  call.value_size = static_cast<size_t>(v.dim(3));
  call.q = as_type(c, q, type);
  call.k = as_type(c, k, type);
  call.v = as_type(c, v, type);
  call.q_at = heads_first(call.heads, call.queries, call.head_size);
  call.k_at = heads_first(call.kv_heads, call.keys, call.head_size);
  call.v_at = heads_first(call.kv_heads, call.keys, call.value_size);
  call.y_at = heads_first(call.heads, call.queries, call.value_size);
  call.scale = op.scale ? static_cast<double>(*op.scale)
                        : 1 / std::sqrt(static_cast<double>(std::max<size_t>(1, call.head_size)));
  TypedOutput out(c, c.out(0), type);
  call.y = out.data();
  if (!op.score_mod && !op.prob_mod) {
    attend(c, call);
    return out.store();
  }

  const Shape shape{q.dim(0), q.dim(1), q.dim(2), k.dim(2)};
  Tensor scores(type, shape);
  AttentionCall products = call;
  products.value_size = 0;
  products.scores = scores.raw();
  attend(c, products);
  const auto modify = [&](size_t subgraph) {
    Tensor formal = scores;
    if (precision != type) {
      formal = Tensor(precision, shape);
      convert(type, scores.raw(), precision, formal.raw(), scores.count());
    }
    const std::vector<Tensor> results = c.run_subgraph(subgraph, std::span(&formal, 1));
    c.require(results.at(0).shape() == shape, "a subgraph made {} of {}", results[0].shape(), shape);
    convert(results[0].dtype(), results[0].raw(), type, scores.raw(), scores.count());
  };
  if (op.score_mod) modify(*op.score_mod);
  softmax(scores.raw(), type, call.batch * call.heads * call.queries, call.keys);
  if (op.prob_mod) modify(*op.prob_mod);
  weigh_values(c, call, scores.raw());
  out.store();
}

}  // namespace

KINGLET_OP_IN(ai_onnx_preview, "ai.onnx.preview", FlexAttention,
              op<FlexAttention, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
