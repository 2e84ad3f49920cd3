#include "graph/gradient.hpp"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <map>

#include "base/flags.hpp"
#include "base/inlining.hpp"
#include "graph/gradient_rules.hpp"
#include "graph/inference.hpp"

namespace kinglet {
namespace {

using gradient::full_name;
using gradient::int_or;
using gradient::Kind;
using gradient::Rule;
using gradient::rule_for;

constexpr std::string_view kDomain = "ai.onnx.preview.training";
constexpr size_t kMaxNodes = size_t{1} << 16;
constexpr size_t kMaxVisits = size_t{1} << 20;  ///< of nodes, over all Gradients

bool is_discrete(DType type) {
  return (type >= DType::kUint8 && type <= DType::kBool) || type == DType::kUint32 || type == DType::kUint64;
}

/// Are both shapes certainly the same?
bool same(const SymShape& a, const SymShape& b) {
  return a.has_rank() && b.has_rank() &&
         std::equal(a.dims().begin(), a.dims().end(), b.dims().begin(), b.dims().end(), [](Dim p, Dim q) { return p.same(q); });
}

/// Builds the nodes of one Gradient.
class Differentiation {
 public:
  Differentiation(Graph& graph, const Node& gradient) : graph_(graph), gradient_(gradient) {}

  /// False when nodes in between await another Gradient.
  bool run(std::span<const Node> gradients) {
    const Attribute *xs = gradient_.find("xs"), *zs = gradient_.find("zs"), *y = gradient_.find("y");
    if (xs == nullptr || y == nullptr) throw_error(ErrorCode::kModel, "attribute 'xs' or 'y' is missing");
    std::vector<std::string> names = xs->strings;
    if (zs != nullptr) names.insert(names.end(), zs->strings.begin(), zs->strings.end());
    if (gradient_.inputs.size() != names.size() || gradient_.outputs.size() > xs->strings.size()) {
      throw_error(ErrorCode::kModel, "{} inputs and {} outputs for {} names", gradient_.inputs.size(), gradient_.outputs.size(), names.size());
    }
    std::map<std::string_view, ValueId> values;
    for (size_t i = 0; i < graph_.values.size(); ++i) values.try_emplace(graph_.values[i].name, static_cast<ValueId>(i));
    const auto find = [&](std::string_view name) {
      const auto found = values.find(name);
      if (found == values.end()) throw_error(ErrorCode::kModel, "there is no value '{}'", name);
      return found->second;
    };
    std::vector<ValueId> named;
    for (const std::string& name : names) named.push_back(find(name));
    const ValueId target = find(y->s);
    values.clear();  // its names move when values are added
    stand_in_.assign(graph_.values.size(), kNoValue);
    for (size_t i = 0; i < named.size(); ++i) {
      const ValueId given = gradient_.inputs[i];
      if (given == kNoValue) throw_error(ErrorCode::kModel, "input {} is missing", i);
      ValueId& place = stand_in_[static_cast<size_t>(named[i])];
      if (place != kNoValue) throw_error(ErrorCode::kModel, "'{}' is named twice", names[i]);
      // A value of its own: two names may be given one value.
      place = given == named[i] ? given : add("Identity", {given});
    }
    if (!collect(target, gradients)) return false;
    clone_forward();
    std::vector<ValueId> wanted;
    for (size_t i = 0; i < gradient_.outputs.size(); ++i) {
      wanted.push_back(gradient_.outputs[i] == kNoValue ? kNoValue : value_of(named[i]));
    }
    find_dependent(wanted);
    derivative_.assign(graph_.values.size(), kNoValue);
    derivative_[static_cast<size_t>(value_of(target))] = like(value_of(target), 1);
    for (size_t i = forward_.size(); i-- > 0;) differentiate(forward_[i]);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] == kNoValue) continue;
      const ValueId d = derivative_[static_cast<size_t>(wanted[i])];
      add("Identity", {d != kNoValue ? d : like(wanted[i], 0)});
      made.back().outputs[0] = gradient_.outputs[i];
    }
    return true;
  }

  std::vector<Node> made;
  bool complete = true;  ///< false when `made` holds what resolve_operators() will report

 private:
  ValueId value_of(ValueId id) const {
    const auto i = static_cast<size_t>(id);
    return id == kNoValue || i >= stand_in_.size() || stand_in_[i] == kNoValue ? id : stand_in_[i];
  }

  /// The nodes that `target` is made by, down to the named values, in topological order.
  bool collect(ValueId target, std::span<const Node> gradients) {
    const std::vector<int32_t> producer = graph_.producers();
    Flags awaited(graph_.values.size(), false), needed(graph_.nodes.size(), false);
    for (const Node& g : gradients) {
      for (const ValueId id : g.outputs) {
        if (id != kNoValue) awaited[static_cast<size_t>(id)] = true;
      }
    }
    std::vector<ValueId> open = {target};
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      if (id == kNoValue || stand_in_[static_cast<size_t>(id)] != kNoValue) continue;
      if (awaited[static_cast<size_t>(id)]) return false;
      const int32_t n = producer[static_cast<size_t>(id)];
      if (n < 0 || needed[static_cast<size_t>(n)]) continue;
      needed[static_cast<size_t>(n)] = true;
      const Node& node = graph_.nodes[static_cast<size_t>(n)];
      open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    }
    for (size_t n = 0; n < needed.size(); ++n) {
      if (needed[n]) forward_.push_back(graph_.nodes[n]);
    }
    return true;
  }

  /// Where the Gradient's inputs are not the named values themselves, what lies in between is computed for them.
  void clone_forward() {
    for (Node& node : forward_) {
      bool changed = false;
      for (ValueId& id : node.inputs) {
        changed = changed || value_of(id) != id;
        id = value_of(id);
      }
      if (!changed) continue;
      if (!node.subgraphs.empty()) lack(node);  // a body belongs to one node
      for (ValueId& id : node.outputs) {
        if (id == kNoValue) continue;
        const Value& value = graph_.value(id);
        const SymShape shape = value.shape.has_rank() ? SymShape::of_rank(value.shape.rank()) : SymShape();
        const ValueId copy = graph_.add_value(value.name + " (for a gradient)", value.dtype, shape);
        stand_in_[static_cast<size_t>(id)] = copy;
        id = copy;
      }
      made.push_back(node);
    }
  }

  /// Which values a change of the wanted ones can change, as far as there are derivatives.
  void find_dependent(std::span<const ValueId> wanted) {
    dependent_.assign(graph_.values.size(), false);
    for (const ValueId id : wanted) {
      if (id != kNoValue) dependent_[static_cast<size_t>(id)] = true;
    }
    for (const Node& node : forward_) {
      const Rule* rule = rule_for(node);
      const bool steps = rule != nullptr && rule->kind != Kind::kProduct && rule->by[0] == nullptr && rule->by[1] == nullptr;
      if (steps || std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return depends(id); })) continue;
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        dependent_[static_cast<size_t>(id)] = !is_discrete(graph_.value(id).dtype);
      }
    }
  }
  bool depends(ValueId id) const { return id != kNoValue && dependent_[static_cast<size_t>(id)]; }

  /// Has resolve_operators() report that there is no derivative of `node`, with all else that is missing.
  void lack(const Node& node) {
    complete = false;
    Node missing;
    missing.name = node.name;
    missing.op_type = text("Gradient of {}", full_name(node));
    missing.domain = kDomain;
    missing.opset = gradient_.opset;
    made.push_back(std::move(missing));
  }

  ValueId add(std::string_view op_type, std::initializer_list<ValueId> inputs) { return add(op_type, std::span(inputs.begin(), inputs.size())); }
  ValueId add(std::string_view op_type, std::span<const ValueId> inputs) {
    Node node;
    node.name = text("{}/{}{}", gradient_.name, op_type, made.size());
    node.op_type = op_type;
    node.opset = 21;
    if (op_type == "SumTo") node.domain = "kinglet";
    if (op_type == "FusedMatMul") node.domain = "com.microsoft";
    if (op_type == "Reshape") node.set_int("allowzero", 1);
    node.own_inputs = inputs.size();
    node.inputs.assign(inputs.begin(), inputs.end());
    node.outputs.push_back(graph_.add_value(node.name));
    made.push_back(std::move(node));
    return made.back().outputs[0];
  }

  ValueId constant(Tensor t) { return graph_.add_constant(text("{}/constant{}", gradient_.name, made.size()), std::move(t)); }
  ValueId axis(int64_t value) { return constant(Tensor::from(Shape{1}, std::span<const int64_t>(&value, 1))); }
  /// A number of the type of `x`.
  ValueId number(float value, ValueId x) {
    const ValueId id = constant(Tensor::scalar(value));
    return graph_.value(x).dtype == DType::kFloat32 ? id : add("CastLike", {id, x});
  }
  /// `value` everywhere in the shape of `x`.
  ValueId like(ValueId x, float value) { return add("Expand", {number(value, x), add("Shape", {x})}); }

  static ValueId input(const Node& node, size_t i) {
    if (i >= node.inputs.size() || node.inputs[i] == kNoValue) throw_error(ErrorCode::kModel, "'{}' lacks input {}", node.name, i);
    return node.inputs[i];
  }
  bool is_vector(ValueId id) const { return graph_.value(id).shape.has_rank() && graph_.value(id).shape.rank() == 1; }

  void differentiate(const Node& node) {
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const ValueId id = node.outputs[o];
      if (!depends(id) || derivative_[static_cast<size_t>(id)] == kNoValue) continue;
      const Rule* rule = o == 0 ? rule_for(node) : nullptr;
      if (rule == nullptr) return lack(node);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId x = node.inputs[i];
        if (!depends(x)) continue;
        ValueId part = contribution(*rule, node, i, derivative_[static_cast<size_t>(id)]);
        if (part == kNoValue) continue;
        const Value &from = graph_.value(x), &to = graph_.value(id);
        const bool cast = from.dtype != to.dtype || to.dtype == DType::kUndefined;
        const bool sum = rule->kind == Kind::kProduct || !same(from.shape, to.shape);
        if (cast) part = add("CastLike", {part, x});
        if (sum) part = add("SumTo", {part, x});
        ValueId& total = derivative_[static_cast<size_t>(x)];
        total = total == kNoValue ? part : add("Add", {total, part});
      }
    }
  }

  ValueId contribution(const Rule& rule, const Node& node, size_t i, ValueId d) {
    ValueId y = node.outputs[0];
    if (rule.kind == Kind::kProduct) return product(node, i, d);
    if (rule.kind == Kind::kReduction) {
      if (i != 0) return kNoValue;
      if (int_or(node, "keepdims", 1) == 0) {
        ValueId axes = node.inputs.size() > 1 ? node.inputs[1] : kNoValue;
        if (const Attribute* a = node.find("axes")) axes = constant(Tensor::from(Shape{static_cast<int64_t>(a->ints.size())}, std::span<const int64_t>(a->ints)));
        if (axes != kNoValue) d = add("Unsqueeze", {d, axes}), y = add("Unsqueeze", {y, axes});
      }
    }
    if (rule.kind == Kind::kTranspose) {
      d = add("Transpose", {d});
      if (const Attribute* perm = node.find("perm")) {
        std::vector<int64_t> inverse(perm->ints.size(), 0);
        for (size_t k = 0; k < inverse.size(); ++k) {
          if (const auto to = static_cast<uint64_t>(perm->ints[k]); to < inverse.size()) inverse[to] = static_cast<int64_t>(k);
        }
        made.back().set_ints("perm", std::move(inverse));
      }
    }
    const size_t formula = rule.kind == Kind::kEvery ? 0 : i;
    return formula < std::size(rule.by) && rule.by[formula] != nullptr ? evaluate(rule.by[formula], node, i, d, y) : kNoValue;
  }

  ValueId evaluate(std::string_view formula, const Node& node, size_t i, ValueId d, ValueId y) {
    std::vector<ValueId> stack;
    const auto apply = [&](std::string_view op_type, size_t operands) {
      const ValueId result = add(op_type, std::span<const ValueId>(stack).last(operands));
      stack.resize(stack.size() - operands);
      stack.push_back(result);
    };
    while (!formula.empty()) {
      const size_t end = std::min(formula.find(' '), formula.size());
      std::string_view word = formula.substr(0, end);
      formula.remove_prefix(std::min(end + 1, formula.size()));
      switch (const char c = word[0]; word.size() > 1 ? ' ' : c) {
        case ' ':
          if (word == "Total") {
            apply("ReduceSum", 1);
            made.back().inputs.push_back(axis(int_or(node, "axis", -1)));
            made.back().own_inputs = 2;
          } else if (const char last = word.back(); last >= '2' && last <= '3') {
            apply(word.substr(0, word.size() - 1), static_cast<size_t>(last - '0'));
          } else {
            apply(word, 1);
          }
          break;
        case '+': apply("Add", 2); break;
        case '-': apply("Sub", 2); break;
        case '*': apply("Mul", 2); break;
        case '/': apply("Div", 2); break;
        case 'd': stack.push_back(d); break;
        case 'y': stack.push_back(y); break;
        case 'x': stack.push_back(node.inputs[i]); break;
        case 'a':
        case 'b': stack.push_back(input(node, static_cast<size_t>(c - 'a'))); break;
        default: stack.push_back(number(static_cast<float>(c - '0'), y));
      }
    }
    return stack.back();
  }

  /// alpha * A' * B' of matrices under any batch dims, of vectors too where their rank is known, and Gemm's + beta * C.
  ValueId product(const Node& node, size_t i, ValueId d) {
    const auto scaled = [&](ValueId v, std::string_view by) {
      const Attribute* factor = node.find(by);
      return factor == nullptr || factor->f == 1 ? v : add("Mul", {v, number(factor->f, v)});
    };
    if (i > 1) return node.op_type == "Gemm" ? scaled(d, "beta") : kNoValue;
    const int64_t trans[2] = {int_or(node, "transA", 0), int_or(node, "transB", 0)};
    const ValueId other = input(node, 1 - i);
    const bool vectors[2] = {is_vector(node.inputs[0]), is_vector(node.inputs[1])};
    ValueId matrix = other;
    if (vectors[0]) d = add("Unsqueeze", {d, axis(vectors[1] ? -1 : -2)});
    if (vectors[1]) d = add("Unsqueeze", {d, axis(-1)});
    if (vectors[1 - i]) matrix = add("Unsqueeze", {other, axis(i == 0 ? -1 : 0)});
    // The matrices of the answer: left, right, and which of them are transposed.
    const bool turned = trans[i] != 0 && !vectors[i];
    const bool other_turned = trans[1 - i] != 0 && !vectors[1 - i];
    const bool d_left = (i == 0) != turned;
    ValueId result = d_left ? add("FusedMatMul", {d, matrix}) : add("FusedMatMul", {matrix, d});
    made.back().set_int(d_left ? "transA" : "transB", turned);
    made.back().set_int(d_left ? "transB" : "transA", turned ? other_turned : !other_turned);
    if (vectors[i] && i == 1) result = add("Squeeze", {result, axis(-1)});
    return scaled(result, "alpha");
  }

  Graph& graph_;
  const Node gradient_;
  std::vector<Node> forward_;
  std::vector<ValueId> stand_in_;    ///< of a named value and what depends on one: what takes its place here
  Flags dependent_;                  ///< on what derivatives are wanted by
  std::vector<ValueId> derivative_;  ///< of y by a value
};

bool is_gradient(const Node& node) { return node.domain == kDomain && node.op_type == "Gradient"; }

/// Apart: V8 compiles a function at its first call, and hardly a model has a Gradient.
KINGLET_APART void expand(Graph& graph) {
  std::vector<Node> gradients, others;
  for (Node& node : graph.nodes) (is_gradient(node) ? gradients : others).push_back(std::move(node));
  graph.nodes = std::move(others);
  bool complete = true;
  size_t visits = 0;
  while (!gradients.empty()) {
    if (complete) {
      resolve_operators(graph);
      infer_shapes(graph);
    }
    const size_t before = gradients.size();
    for (size_t n = 0; n < gradients.size() && gradients.size() == before; ++n) {
      visits += graph.nodes.size();
      if (visits > kMaxVisits) throw_error(ErrorCode::kModel, "there are too many Gradient nodes");
      Differentiation differentiation(graph, gradients[n]);
      bool done = false;
      with_node(gradients[n], [&] { done = differentiation.run(gradients); });
      if (!done) continue;
      // Each Gradient may take all of the graph with it.
      if (graph.nodes.size() + differentiation.made.size() > kMaxNodes) {
        throw_error(ErrorCode::kModel, "derivatives make the graph larger than {} nodes", kMaxNodes);
      }
      complete = complete && differentiation.complete;
      for (Node& node : differentiation.made) graph.nodes.push_back(std::move(node));
      gradients.erase(gradients.begin() + static_cast<ptrdiff_t>(n));
    }
    if (gradients.size() == before) throw_error(ErrorCode::kModel, "Gradient nodes wait for each other");
    graph.sort_topologically();
  }
}

}  // namespace

void expand_gradients(Graph& graph) {
  if (std::any_of(graph.nodes.begin(), graph.nodes.end(), is_gradient)) expand(graph);
}

}  // namespace kinglet
