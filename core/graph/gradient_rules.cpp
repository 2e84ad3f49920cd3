#include "graph/gradient_rules.hpp"

#include <algorithm>

namespace kinglet::gradient {
namespace {

constexpr const char* kReshaped = "d a Shape Reshape2";
constexpr const char* kWherePicked = "x y Equal2 d 0 Where3";

constexpr Rule kRules[] = {
    {"Identity", {"d"}},
    {"Cast", {"d"}},
    {"CastLike", {"d"}},
    {"Reshape", {kReshaped}},
    {"Flatten", {kReshaped}},
    {"Squeeze", {kReshaped}},
    {"Unsqueeze", {kReshaped}},
    {"Transpose", {"d"}, Kind::kTranspose},
    {"Expand", {"d"}},
    {"kinglet.SumTo", {"d a Shape Expand2"}},
    {"Add", {"d", "d"}},
    {"Sub", {"d", "d Neg"}},
    {"Mul", {"d b *", "d a *"}},
    {"Div", {"d b /", "d y * b / Neg"}},
    {"Pow", {"d b a CastLike2 * a b 1 b CastLike2 - Pow2 *", "d y * a Log *"}},
    {"Sum", {"d"}, Kind::kEvery},
    {"Max", {kWherePicked}, Kind::kEvery},
    {"Min", {kWherePicked}, Kind::kEvery},
    {"Clip", {kWherePicked}},
    {"Where", {nullptr, "a d 0 Where3", "a 0 d Where3"}},
    {"Neg", {"d Neg"}},
    {"Abs", {"d a Sign *"}},
    {"Exp", {"d y *"}},
    {"Log", {"d a /"}},
    {"Sqrt", {"d y y + /"}},
    {"Reciprocal", {"d y y * * Neg"}},
    {"Sin", {"d a Cos *"}},
    {"Cos", {"d a Sin * Neg"}},
    {"Erf", {"d a a * Neg Exp * 4 1 Neg Acos / Sqrt *"}},
    {"Tanh", {"d 1 y y * - *"}},
    {"Sigmoid", {"d y * 1 y - *"}},
    {"Softplus", {"d a Sigmoid *"}},
    {"Relu", {"y 0 Greater2 d 0 Where3"}},
    {"Softmax", {"d d y * Total - y *"}, Kind::kSoftmax},
    {"LogSoftmax", {"d y Exp d Total * -"}, Kind::kSoftmax},
    {"ReduceSum", {"d a Shape Expand2"}, Kind::kReduction},
    {"ReduceMean", {"d y Size a CastLike2 a Size a CastLike2 / * a Shape Expand2"}, Kind::kReduction},
    {"ReduceSumSquare", {"d a a + *"}, Kind::kReduction},
    {"ReduceL2", {"d a * y /"}, Kind::kReduction},
    {"ReduceMax", {kWherePicked}, Kind::kReduction},
    {"ReduceMin", {kWherePicked}, Kind::kReduction},
    {"ReduceLogSumExp", {"a y - Exp d *"}, Kind::kReduction},
    {"MatMul", {}, Kind::kProduct},
    {"Gemm", {}, Kind::kProduct},
    {"com.microsoft.FusedMatMul", {}, Kind::kProduct},
    {"Shape"}, {"Size"}, {"Sign"}, {"Floor"}, {"Ceil"}, {"Round"}, {"Equal"}, {"Less"}, {"Greater"}, {"Not"}, {"ArgMax"}, {"ArgMin"},
};

}  // namespace

std::string full_name(const Node& node) { return node.domain.empty() ? node.op_type : text("{}.{}", node.domain, node.op_type); }

int64_t int_or(const Node& node, std::string_view attribute, int64_t otherwise) {
  const Attribute* a = node.find(attribute);
  return a == nullptr ? otherwise : a->i;
}

const Rule* rule_for(const Node& node) {
  const std::string name = full_name(node);
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.op == name; });
  // Opsets 1 to 6 align operands by an axis; Softmax before 13 flattens.
  if (rule == std::end(kRules) || (node.domain.empty() && node.opset < (rule->kind == Kind::kSoftmax ? 13 : 7))) return nullptr;
  if (int_or(node, "transBatchA", 0) != 0 || int_or(node, "transBatchB", 0) != 0) return nullptr;
  return rule;
}

}  // namespace kinglet::gradient
