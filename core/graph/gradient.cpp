#include "graph/gradient.hpp"

#include <algorithm>
#include <unordered_map>

#include "graph/inference.hpp"

namespace kinglet {
namespace {

constexpr std::string_view kDomain = "ai.onnx.preview.training";
constexpr size_t kMaxNodes = size_t{1} << 16;

bool is_gradient(const Node& node) { return node.domain == kDomain && node.op_type == "Gradient"; }

/// Builds the nodes of one Gradient.
class Differentiation {
 public:
  Differentiation(Graph& graph, const Node& gradient) : graph_(graph), gradient_(gradient) {}

  /// False when nodes in between are Gradients themselves, which go first.
  bool run(std::vector<Node>& out) {
    const Attribute *xs = gradient_.find("xs"), *zs = gradient_.find("zs"), *y = gradient_.find("y");
    if (xs == nullptr || y == nullptr) throw_error(ErrorCode::kModel, "attribute 'xs' or 'y' is missing");
    const size_t others = zs != nullptr ? zs->strings.size() : 0;
    if (gradient_.inputs.size() != xs->strings.size() + others || gradient_.outputs.size() > xs->strings.size()) {
      throw_error(ErrorCode::kModel, "{} inputs and {} outputs for {} names", gradient_.inputs.size(),
                  gradient_.outputs.size(), xs->strings.size() + others);
    }
    for (size_t i = 0; i < gradient_.inputs.size(); ++i) {
      const ValueId id = find(i < xs->strings.size() ? xs->strings[i] : zs->strings[i - xs->strings.size()]);
      const ValueId given = gradient_.inputs[i];
      if (given == kNoValue) throw_error(ErrorCode::kModel, "input {} is missing", i);
      // A name of its own: two names may be given one value.
      value_of_[id] = given == id ? id : add("Identity", {given});
      if (i < xs->strings.size()) wanted_.push_back(value_of_[id]);
    }
    const ValueId target = find(y->s);
    if (!collect(target)) return false;
    clone_forward();
    derivative_[value_of(target)] = like(value_of(target), 1);
    for (size_t i = forward_.size(); i-- > 0;) {
      const Node& node = forward_[i];
      for (size_t o = 0; o < node.outputs.size(); ++o) {
        const auto found = derivative_.find(node.outputs[o]);
        if (found == derivative_.end()) continue;
        if (o != 0) fail(node);
        differentiate(node, found->second);
      }
    }
    for (size_t i = 0; i < gradient_.outputs.size(); ++i) {
      if (gradient_.outputs[i] == kNoValue) continue;
      const ValueId x = wanted_[i];
      const auto found = derivative_.find(x);
      add("Identity", {found != derivative_.end() ? found->second : like(x, 0)}, gradient_.outputs[i]);
    }
    out.insert(out.end(), std::make_move_iterator(made_.begin()), std::make_move_iterator(made_.end()));
    return true;
  }

 private:
  ValueId find(std::string_view name) const {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].name == name) return static_cast<ValueId>(i);
    }
    throw_error(ErrorCode::kModel, "there is no value '{}'", name);
  }

  ValueId value_of(ValueId id) const {
    const auto found = value_of_.find(id);
    return found != value_of_.end() ? found->second : id;
  }

  /// The nodes that `target` is made by, down to the named values, in topological order.
  bool collect(ValueId target) {
    const std::vector<int32_t> producer = graph_.producers();
    std::vector<bool> needed(graph_.nodes.size(), false);
    std::vector<ValueId> open = {target};
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      if (id == kNoValue || value_of_.contains(id) || producer[static_cast<size_t>(id)] < 0) continue;
      const auto n = static_cast<size_t>(producer[static_cast<size_t>(id)]);
      if (needed[n]) continue;
      needed[n] = true;
      open.insert(open.end(), graph_.nodes[n].inputs.begin(), graph_.nodes[n].inputs.end());
    }
    for (size_t n = 0; n < needed.size(); ++n) {
      if (!needed[n]) continue;
      if (is_gradient(graph_.nodes[n])) return false;
      forward_.push_back(graph_.nodes[n]);
    }
    return true;
  }

  /// Where the Gradient's inputs are not the named values themselves, what lies in between is computed for them.
  void clone_forward() {
    for (Node& node : forward_) {
      bool changed = false;
      for (ValueId& id : node.inputs) {
        const ValueId other = id == kNoValue ? id : value_of(id);
        changed = changed || other != id;
        id = other;
      }
      if (!changed) continue;
      for (ValueId& id : node.outputs) {
        if (id == kNoValue) continue;
        const ValueId copy = graph_.add_value(graph_.value(id).name + " (for a gradient)");
        value_of_[id] = copy;
        id = copy;
      }
      made_.push_back(node);
    }
  }

  ValueId add(std::string_view op_type, std::vector<ValueId> inputs, ValueId output = kNoValue,
              const std::vector<std::pair<std::string_view, int64_t>>& attributes = {}) {
    Node node;
    node.name = text("{}/{}{}", gradient_.name, op_type, made_.size());
    node.op_type = op_type;
    node.opset = 21;
    if (output == kNoValue) output = graph_.add_value(node.name);
    node.own_inputs = inputs.size();
    node.inputs = std::move(inputs);
    node.outputs = {output};
    for (const auto& [name, value] : attributes) node.set_int(name, value);
    if (op_type == "SumTo") node.domain = "kinglet";
    made_.push_back(std::move(node));
    return output;
  }

  ValueId constant(float value) { return graph_.add_constant(text("{}/constant{}", gradient_.name, made_.size()), Tensor::scalar(value)); }
  /// A number of the type of `x`.
  ValueId number(float value, ValueId x) { return add("CastLike", {constant(value), x}); }
  /// `value` everywhere in the shape of `x`.
  ValueId like(ValueId x, float value) { return add("Expand", {number(value, x), add("Shape", {x})}); }

  /// Adds `d` to the derivative by `x`, summed over what broadcasting repeated.
  void contribute(ValueId x, ValueId d) {
    const ValueId own = add("SumTo", {d, x});
    const auto [place, is_new] = derivative_.try_emplace(x, own);
    if (!is_new) place->second = add("Add", {place->second, own});
  }

  void differentiate(const Node& node, ValueId d) {
    const auto is = [&](std::string_view name) { return node.domain.empty() && node.op_type == name; };
    const auto in = [&](size_t i) {
      if (i >= node.inputs.size() || node.inputs[i] == kNoValue) throw_error(ErrorCode::kModel, "'{}' lacks input {}", node.name, i);
      return node.inputs[i];
    };
    const ValueId y = node.outputs[0];
    const auto times = [&](ValueId a, ValueId b) { return add("Mul", {a, b}); };
    if (is("Add") || is("Sum")) {
      for (const ValueId x : node.inputs) contribute(x, d);
    } else if (is("Identity") || is("Reshape") || is("Flatten") || is("Squeeze") || is("Unsqueeze")) {
      contribute(in(0), add("Reshape", {d, add("Shape", {in(0)})}, kNoValue, {{"allowzero", 1}}));
    } else if (is("CastLike")) {
      contribute(in(0), add("CastLike", {d, in(0)}));
    } else if (is("Sub")) {
      contribute(in(0), d);
      contribute(in(1), add("Neg", {d}));
    } else if (is("Neg")) {
      contribute(in(0), add("Neg", {d}));
    } else if (is("Mul")) {
      contribute(in(0), times(d, in(1)));
      contribute(in(1), times(d, in(0)));
    } else if (is("Div")) {
      contribute(in(0), add("Div", {d, in(1)}));
      contribute(in(1), add("Neg", {add("Div", {times(d, y), in(1)})}));
    } else if (is("Pow")) {
      const ValueId less = add("Sub", {in(1), number(1, in(1))});
      contribute(in(0), times(d, times(add("CastLike", {in(1), in(0)}), add("Pow", {in(0), less}))));
      if (!graph_.is_constant(in(1))) contribute(in(1), times(d, times(y, add("Log", {in(0)}))));
    } else if (is("Exp")) {
      contribute(in(0), times(d, y));
    } else if (is("Log")) {
      contribute(in(0), add("Div", {d, in(0)}));
    } else if (is("Sqrt")) {
      contribute(in(0), add("Div", {d, add("Add", {y, y})}));
    } else if (is("Reciprocal")) {
      contribute(in(0), add("Neg", {times(d, times(y, y))}));
    } else if (is("Sin")) {
      contribute(in(0), times(d, add("Cos", {in(0)})));
    } else if (is("Cos")) {
      contribute(in(0), add("Neg", {times(d, add("Sin", {in(0)}))}));
    } else if (is("Tanh")) {
      contribute(in(0), times(d, add("Sub", {number(1, y), times(y, y)})));
    } else if (is("Sigmoid")) {
      contribute(in(0), times(d, times(y, add("Sub", {number(1, y), y}))));
    } else if (is("Abs") || is("Relu")) {
      contribute(in(0), times(d, add("Sign", {is("Abs") ? in(0) : y})));
    } else if (is("MatMul")) {
      contribute(in(0), add("Gemm", {d, in(1)}, kNoValue, {{"transB", 1}}));
      contribute(in(1), add("Gemm", {in(0), d}, kNoValue, {{"transA", 1}}));
    } else if (is("ReduceSum") || is("ReduceMean")) {
      differentiate_reduction(node, in(0), d);
    } else if (is("Expand") || (node.domain == "kinglet" && node.op_type == "SumTo")) {
      contribute(in(0), is("Expand") ? d : add("Expand", {d, add("Shape", {in(0)})}));
    } else if (!is("Shape") && !is("Size") && !is("Sign") && !is("Constant")) {
      fail(node);
    }
  }

  /// Sums and means spread their derivative over what they took in.
  void differentiate_reduction(const Node& node, ValueId x, ValueId d) {
    const Attribute* keep = node.find("keepdims");
    const bool all = node.find("axes") == nullptr && node.inputs.size() == 1;
    if (!all && keep != nullptr && keep->i == 0) fail(node);
    ValueId spread = add("Expand", {d, add("Shape", {x})});
    if (node.op_type == "ReduceMean") {
      const ValueId y = node.outputs[0];
      const ValueId ratio = add("Div", {add("CastLike", {add("Size", {y}), x}), add("CastLike", {add("Size", {x}), x})});
      spread = add("Mul", {spread, ratio});
    }
    contribute(x, spread);
  }

  [[noreturn]] void fail(const Node& node) const {
    Error error(ErrorCode::kUnsupportedOperator, text("the derivative of '{}' ({}) is not supported", node.name, node.op_type));
    error.missing = {{text("Gradient of {}", node.op_type), std::string(kDomain), gradient_.opset, {gradient_.name}}};
    throw error;
  }

  Graph& graph_;
  const Node gradient_;
  std::vector<Node> forward_, made_;
  std::vector<ValueId> wanted_;                      ///< what the outputs are derivatives by
  std::unordered_map<ValueId, ValueId> value_of_;    ///< a named value, or what depends on one: the value that stands for it
  std::unordered_map<ValueId, ValueId> derivative_;  ///< of y by a value
};

}  // namespace

void expand_gradients(Graph& graph) {
  while (true) {
    bool any = false, expanded = false;
    for (size_t n = 0; n < graph.nodes.size() && !expanded; ++n) {
      if (!is_gradient(graph.nodes[n])) continue;
      any = true;
      std::vector<Node> nodes;
      bool done = false;
      with_node(graph.nodes[n], [&] { done = Differentiation(graph, graph.nodes[n]).run(nodes); });
      if (!done) continue;
      // Each Gradient may take all of the graph with it.
      if (graph.nodes.size() + nodes.size() > kMaxNodes) {
        throw_error(ErrorCode::kModel, "derivatives make the graph larger than {} nodes", kMaxNodes);
      }
      graph.nodes.erase(graph.nodes.begin() + static_cast<ptrdiff_t>(n));
      graph.nodes.insert(graph.nodes.end(), std::make_move_iterator(nodes.begin()), std::make_move_iterator(nodes.end()));
      graph.sort_topologically();
      expanded = true;
    }
    if (!any) return;
    if (!expanded) throw_error(ErrorCode::kModel, "Gradient nodes wait for each other");
  }
}

}  // namespace kinglet
