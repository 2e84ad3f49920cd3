// Scaled dot-product attention, written out, -> Attention:
//
//   MatMul(Softmax(MatMul(q, Transpose(k)) * scale + mask), v)
//
// with the scale before or after the first product and by Mul or Div, the mask by Add or Where, and
// Where(IsNaN(p), 0, p) after the softmax. Transposes from and to [batch, rows, heads * size] go too. A query
// whose keys are all hidden by -inf gives 0, where the softmax alone gives NaN.

#include <algorithm>

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/named_shapes.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

/// A score that is replaced by this or less counts for nothing.
constexpr float kHiddenScore = -1e9f;

struct Matched {
  ValueId q = kNoValue, k = kNoValue, v = kNoValue;
  int64_t heads = 0;
  float scale = 1;
  std::vector<ValueId> added;  ///< masks
  struct Replaced {
    ValueId condition, hidden;
    bool hides;  ///< where the condition is true
  };
  std::vector<Replaced> replaced;
};

class AttentionFusion {
 public:
  explicit AttentionFusion(Graph& graph) : graph_(graph), near_(graph) {}

  bool run() {
    const auto is_softmax = [](const Node& node) { return node.op_type == "Softmax"; };
    if (std::none_of(graph_.nodes.begin(), graph_.nodes.end(), is_softmax)) return false;
    shapes_ = named_shapes(graph_);
    bool changed = false;
    for (Node& node : graph_.nodes) {
      if (node.op_type == "MatMul") changed = fuse(node) || changed;
    }
    for (Node& node : fresh_) graph_.nodes.push_back(std::move(node));
    if (!fresh_.empty()) graph_.sort_topologically();
    return changed;
  }

 private:
  const SymShape& shape(ValueId id) const { return shapes_[static_cast<size_t>(id)]; }
  bool is_rank4(ValueId id) const { return shape(id).has_rank() && shape(id).rank() == 4; }

  /// Takes constant factors off: `id` becomes what they multiply.
  void strip_scale(ValueId& id, float& scale) const {
    for (;;) {
      const Node *mul = near_.made_by(id, "Mul"), *div = near_.made_by(id, "Div");
      const Node* node = mul != nullptr ? mul : div;
      if (node == nullptr || node->inputs.size() != 2) return;
      size_t factor = 1;
      if (mul != nullptr && !near_.scalar(node->inputs[1])) factor = 0;
      const std::optional<float> by = near_.scalar(node->inputs[factor]);
      const ValueId other = node->inputs[1 - factor];
      if (!by || *by == 0 || !same_rank(graph_, other, id)) return;
      scale = mul != nullptr ? scale * *by : scale / *by;
      id = other;
    }
  }

  /// The softmax behind `id` or behind the p of Where(IsNaN(p), 0, p). Null when someone else reads p.
  const Node* softmax_of(ValueId id) const {
    if (!near_.one_use(id)) return nullptr;
    uint32_t uses = 1;
    if (const Node* where = near_.made_by(id, "Where"); where != nullptr && where->inputs.size() == 3) {
      const Node* is_nan = near_.made_by(where->inputs[0], "IsNaN");
      if (is_nan == nullptr || is_nan->inputs[0] != where->inputs[2]) return nullptr;
      if (!near_.is_scalar(where->inputs[1], 0)) return nullptr;
      id = where->inputs[2];
      uses = 2;
    }
    const Node* softmax = near_.made_by(id, "Softmax");
    if (softmax == nullptr || near_.uses(id) != uses || graph_.is_output(id) || !is_rank4(id)) return nullptr;
    const Attribute* axis = softmax->find("axis");
    const bool last = axis != nullptr ? axis->i == -1 || axis->i == 3 : softmax->opset >= 13;
    return last ? softmax : nullptr;
  }

  /// Does the mask broadcast to the scores, not the scores to the mask?
  bool fits(ValueId mask, ValueId scores) const {
    const SymShape &m = shape(mask), &s = shape(scores);
    if (!m.has_rank() || m.rank() == 0 || m.rank() > 4) return false;
    for (size_t i = 0; i < m.rank(); ++i) {
      const size_t at = i + 4 - m.rank();
      const bool one = m[i].known() && m[i].value() == 1;
      // Rows and keys are often computed: then their number shows at the run.
      if (!one && !m[i].same(s[at]) && (at < 2 || (m[i].known() && s[at].known()))) return false;
    }
    return true;
  }

  bool match_scores(ValueId id, Matched& m) const {
    for (;;) {
      if (!near_.one_use(id) || !is_rank4(id)) return false;
      if (const Node* add = near_.made_by(id, "Add"); add != nullptr && add->inputs.size() == 2) {
        // The scores are what a product stands behind.
        const size_t scores = leads_to_product(add->inputs[0]) ? 0 : 1;
        m.added.push_back(add->inputs[1 - scores]);
        id = add->inputs[scores];
        continue;
      }
      if (const Node* where = near_.made_by(id, "Where"); where != nullptr && where->inputs.size() == 3) {
        const bool hides = near_.scalar(where->inputs[1]).has_value();
        const ValueId hidden = where->inputs[hides ? 1 : 2];
        const std::optional<float> value = near_.scalar(hidden);
        if (!value || !(*value <= kHiddenScore)) return false;
        m.replaced.push_back({where->inputs[0], hidden, hides});
        id = where->inputs[hides ? 2 : 1];
        continue;
      }
      break;
    }
    strip_scale(id, m.scale);
    const Node* product = near_.made_by(id, "MatMul");
    if (product == nullptr || product->inputs.size() != 2 || !near_.one_use(id)) return false;
    m.q = product->inputs[0];
    m.k = product->inputs[1];
    const auto fits_scores = [&](ValueId mask) { return fits(mask, id); };
    return is_rank4(id) && is_rank4(m.q) && is_rank4(m.k) &&
           std::all_of(m.added.begin(), m.added.end(), fits_scores) &&
           std::all_of(m.replaced.begin(), m.replaced.end(),
                       [&](const Matched::Replaced& r) { return fits(r.condition, id); });
  }

  bool leads_to_product(ValueId id) const {
    for (;;) {
      if (near_.made_by(id, "MatMul") != nullptr) return true;
      float scale = 1;
      const ValueId before = id;
      strip_scale(id, scale);
      if (const Node* add = near_.made_by(id, "Add"); add != nullptr && add->inputs.size() == 2) {
        if (leads_to_product(add->inputs[0])) return true;
        id = add->inputs[1];
      } else if (const Node* where = near_.made_by(id, "Where");
                 where != nullptr && where->inputs.size() == 3) {
        id = where->inputs[near_.scalar(where->inputs[1]) ? 2 : 1];
      }
      if (id == before) return false;
    }
  }

  const std::vector<int64_t>* permutation(ValueId id, const Node*& transpose) const {
    transpose = near_.made_by(id, "Transpose");
    const Attribute* perm = transpose != nullptr ? transpose->find("perm") : nullptr;
    return perm != nullptr && perm->ints.size() == 4 ? &perm->ints : nullptr;
  }

  /// [batch, heads, size, rows] as [batch, heads, rows, size]: the transpose that made it without its last
  /// exchange.
  bool turn_keys(Matched& m) {
    strip_scale(m.k, m.scale);
    const Node* transpose;
    const std::vector<int64_t>* made = permutation(m.k, transpose);
    if (made == nullptr) return false;
    std::vector<int64_t> perm = *made;
    std::swap(perm[2], perm[3]);
    const ValueId from = transpose->inputs[0];
    if (perm == std::vector<int64_t>{0, 1, 2, 3}) {
      m.k = from;
    } else if (const ValueId rows = as_rows(from, perm, m.heads); rows != kNoValue) {
      m.k = rows;
    } else {
      if (!is_rank4(from)) return false;
      Node turned = *transpose;
      turned.set_ints("perm", perm);
      m.k = add_node(std::move(turned), {from});
    }
    return true;
  }

  /// The x [batch, rows, heads * size] of Reshape(x) [batch, rows, heads, size], where `perm` brings the
  /// heads to the front; else kNoValue.
  ValueId as_rows(ValueId split, const std::vector<int64_t>& perm, int64_t heads) const {
    if (perm != std::vector<int64_t>{0, 2, 1, 3} || !is_rank4(split)) return kNoValue;
    const Node* reshape = near_.made_by(split, "Reshape");
    if (reshape == nullptr) return kNoValue;
    const ValueId x = reshape->inputs[0];
    return are_rows_of(shape(x), shape(split), heads) ? x : kNoValue;
  }
  ValueId as_rows(ValueId by_head, int64_t heads) const {
    const Node* transpose;
    const std::vector<int64_t>* perm = permutation(by_head, transpose);
    return perm != nullptr ? as_rows(transpose->inputs[0], *perm, heads) : kNoValue;
  }
  /// Of two shapes of the same elements: where all other dims agree, one may stand as -1 in a Reshape.
  static bool are_rows_of(const SymShape& rows, const SymShape& split, int64_t heads) {
    if (!rows.has_rank() || rows.rank() != 3) return false;
    if (!rows[0].same(split[0]) && !rows[1].same(split[1])) return false;
    const bool known = rows[2].known() && split[2].known() && split[3].known();
    return known && split[2].value() == heads && split[3].value() != 0 &&
           rows[2].value() == heads * split[3].value();
  }

  ValueId add_node(Node node, std::vector<ValueId> inputs) {
    const ValueId made = graph_.add_value(node.name + "_fused", DType::kFloat32);
    node.own_inputs = inputs.size();
    node.inputs = std::move(inputs);
    node.outputs = {made};
    parse_node(node);
    fresh_.push_back(std::move(node));
    return made;
  }

  /// One mask that is added.
  ValueId join_masks(const Matched& m) {
    std::vector<ValueId> masks = m.added;
    for (const Matched::Replaced& r : m.replaced) {
      const ValueId zero =
          graph_.add_constant("zero", Tensor::from<float>({}, std::vector<float>{0.0f}));
      const Node* where = nullptr;
      for (const Node& node : graph_.nodes) {
        if (node.domain.empty() && node.op_type == "Where") where = &node;
      }
      masks.push_back(add_node(*where, {r.condition, r.hides ? r.hidden : zero,
                                        r.hides ? zero : r.hidden}));
    }
    while (masks.size() > 1) {
      Node add;
      add.name = "mask";
      add.op_type = "Add";
      add.opset = 14;
      add.def = ops::find_op("", "Add");
      const ValueId second = masks.back();
      masks.pop_back();
      masks.back() = add_node(std::move(add), {masks.back(), second});
    }
    return masks.empty() ? kNoValue : masks[0];
  }

  /// The reader of `id` when it is one node of this type; nodes that read its shape alone do not count.
  Node* read_by(ValueId id, std::string_view op_type) {
    Node* reader = nullptr;
    uint32_t shapes = 0;
    for (Node& node : graph_.nodes) {
      if (!node.domain.empty() || node.inputs.empty() || node.inputs[0] != id) continue;
      if (node.op_type == "Shape") ++shapes;
      if (node.op_type == op_type) reader = &node;
    }
    return reader != nullptr && near_.uses(id) == shapes + 1 && !graph_.is_output(id) ? reader : nullptr;
  }

  bool fuse(Node& product) {
    if (!is_op(product, "MatMul", 2) || product.own_inputs != 2) return false;
    const ValueId out = product.outputs[0];
    if (graph_.value(out).dtype != DType::kFloat32 || !is_rank4(out)) return false;
    const Node* softmax = softmax_of(product.inputs[0]);
    Matched m;
    m.v = product.inputs[1];
    if (softmax == nullptr || !is_rank4(m.v) || !match_scores(softmax->inputs[0], m)) return false;
    strip_scale(m.q, m.scale);
    const SymShape &q = shape(m.q), &k = shape(m.k), &v = shape(m.v);
    for (size_t i = 0; i < 2; ++i) {
      if (!q[i].same(k[i]) || !q[i].same(v[i])) return false;
    }
    if (!q[1].known()) return false;
    m.heads = q[1].value();
    if (!turn_keys(m)) return false;

    if (const ValueId rows = as_rows(m.v, m.heads); rows != kNoValue) m.v = rows;
    Node* end = &product;
    if (const ValueId rows = as_rows(m.q, m.heads); rows != kNoValue) {
      Node* transpose = read_by(out, "Transpose");
      const Attribute* perm = transpose != nullptr ? transpose->find("perm") : nullptr;
      Node* reshape = perm != nullptr && perm->ints == std::vector<int64_t>{0, 2, 1, 3}
                          ? read_by(transpose->outputs[0], "Reshape")
                          : nullptr;
      if (reshape != nullptr &&
          are_rows_of(shape(reshape->outputs[0]), shape(transpose->outputs[0]), m.heads)) {
        m.q = rows;
        end = reshape;
      }
    }
    write(*end, m);
    return true;
  }

  void write(Node& node, const Matched& m) {
    std::vector<ValueId> inputs{m.q, m.k, m.v};
    if (const ValueId mask = join_masks(m); mask != kNoValue) inputs.push_back(mask);
    const bool masked = inputs.size() == 4;
    become(node, "Attention", std::move(inputs));
    node.opset = 23;
    node.set_int("q_num_heads", m.heads);
    node.set_int("kv_num_heads", m.heads);
    if (masked) node.set_int("mask_broadcasts", 1);
    Attribute scale;
    scale.name = "scale";
    scale.kind = Attribute::Kind::kFloat;
    scale.f = m.scale;
    node.set(std::move(scale));
    node.def = ops::find_op("", "Attention");
    parse_node(node);
  }

  Graph& graph_;
  const Neighbours near_;
  std::vector<SymShape> shapes_;
  std::vector<Node> fresh_;
};

}  // namespace

bool fuse_attention(Graph& graph) { return AttentionFusion(graph).run(); }

}  // namespace kinglet::passes
