#include "runtime/plan.hpp"

#include <algorithm>
#include <numeric>

#include "base/flags.hpp"
#include "base/inlining.hpp"
#include "graph/evaluate.hpp"
#include "graph/inference.hpp"
#include "graph/memory_plan.hpp"

namespace kinglet {
namespace {

using ops::ValueInfo;

/// Results of shape arithmetic are kept in the plan up to this size; larger ones are recomputed by a step.
constexpr size_t kMaxEvaluatedBytes = 64 << 10;

constexpr uint32_t kNever = UINT32_MAX;

class Planner {
 public:
  Planner(const Graph& graph, PlanKey key) : graph_(graph), plan_(std::make_unique<Plan>()) {
    plan_->key = std::move(key);
    plan_->slots.resize(graph.values.size());
    infos_.resize(graph.values.size());
    root_.resize(graph.values.size());
    std::iota(root_.begin(), root_.end(), 0);
    last_use_.resize(graph.values.size(), 0);
    in_arena_.resize(graph.values.size(), false);
    made_at_run_.resize(graph.values.size(), false);
    first_step_.resize(graph.values.size(), 0);
  }

  std::unique_ptr<Plan> make() {
    bind_inputs();
    for (const Node& node : graph_.nodes) add(node);
    drop_unread_steps();
    find_last_uses();
    share_memory();
    place();
    return std::move(plan_);
  }

 private:
  KINGLET_APART void bind_inputs() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      // A released constant has no elements any more, but its type and shape are still true.
      if (value.dtype != DType::kUndefined && value.shape.is_concrete()) infos_[i] = info_of(value);
      plan_->slots[i] = value.constant;
    }
    size_t k = 0;
    const auto bind = [&](ValueId id) {
      const Shape& shape = plan_->key.shapes[k];
      info(id) = ValueInfo{plan_->key.dtypes[k], shape, {}, {}};
      ++k;
    };
    for (const ValueId id : graph_.inputs) bind(id);
    for (const Capture& c : graph_.captures) {
      if (graph_.is_constant(c.inner)) {
        ++k;
      } else {
        bind(c.inner);
      }
    }
  }

  KINGLET_APART void add(const Node& node) {
    std::vector<const ValueInfo*> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &info(id));
    std::vector<ValueInfo> inferred = infer_node(node, inputs);
    for (const ValueInfo& output : inferred) {
      if (output.shape.is_concrete()) check_addressable(output.dtype, output.shape.concrete());
    }
    if (can_evaluate(node, inputs) && is_small(inferred)) return evaluate_now(node, inputs, inferred);
    add_step(node, std::move(inferred));
  }

  KINGLET_APART void add_step(const Node& node, std::vector<ValueInfo> inferred) {
    Step step;
    step.node = &node;
    bool concrete = true;
    for (size_t i = 0; i < inferred.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      concrete = concrete && inferred[i].dtype != DType::kUndefined && !is_container(inferred[i].dtype) &&
                 inferred[i].shape.is_concrete();
    }
    step.kind = !concrete ? Step::Kind::kDynamic
                : (node.def->traits & ops::kView) != 0 ? Step::Kind::kView
                                                       : Step::Kind::kStatic;
    for (const ValueId id : node.inputs) step.inputs.push_back(id == kNoValue ? nullptr : &slot(id));
    for (size_t i = 0; i < inferred.size(); ++i) {
      const ValueId id = node.outputs[i];
      step.outputs.push_back(id == kNoValue ? nullptr : &slot(id));
      if (id == kNoValue) continue;
      info(id) = std::move(inferred[i]);
      if (!concrete) continue;
      const Shape shape = info(id).shape.concrete();
      slot(id) = info(id).dtype == DType::kString && step.kind == Step::Kind::kStatic
                     ? Tensor(DType::kString, shape)
                     : Tensor(info(id).dtype, shape, nullptr);
    }
    // Only output 0 of a view shares memory; operators with more wanted outputs (Dropout's mask) really run.
    if (step.kind == Step::Kind::kView &&
        std::count_if(step.outputs.begin(), step.outputs.end(), [](auto* t) { return t != nullptr; }) != 1) {
      step.kind = Step::Kind::kStatic;
    }
    if (step.kind == Step::Kind::kView) step.view_shape = step.outputs[0]->shape();
    plan_->steps.push_back(std::move(step));
  }

  KINGLET_APART static bool is_small(const std::vector<ValueInfo>& outputs) {
    for (const ValueInfo& o : outputs) {
      if (!o.shape.is_concrete() || o.dtype == DType::kUndefined || is_container(o.dtype)) return false;
      if (o.shape.concrete().count() > kMaxEvaluatedBytes / std::max<size_t>(1, dtype_size(o.dtype))) return false;
    }
    return true;
  }

  KINGLET_APART void evaluate_now(const Node& node, std::span<const ValueInfo* const> inputs, std::span<const ValueInfo> inferred) {
    std::vector<Tensor> outputs = evaluate(node, inputs, inferred);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      info(id) = ValueInfo{outputs[i].dtype(), outputs[i].shape(), outputs[i], {}};
      slot(id) = std::move(outputs[i]);
    }
  }

  /// Steps that only shape arithmetic read, which is done by now.
  KINGLET_APART void drop_unread_steps() {
    Flags read(graph_.values.size(), false);
    for (const ValueId id : graph_.outputs) read[static_cast<size_t>(id)] = true;
    Flags keep(plan_->steps.size(), false);
    for (size_t s = plan_->steps.size(); s-- > 0;) {
      const Node& node = *plan_->steps[s].node;
      for (const ValueId id : node.outputs) keep[s] = keep[s] || (id != kNoValue && read[static_cast<size_t>(id)]);
      if (!keep[s]) continue;
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) read[static_cast<size_t>(id)] = true;
      }
    }
    size_t s = 0;
    std::erase_if(plan_->steps, [&](const Step&) { return !keep[s++]; });
  }

  KINGLET_APART void find_last_uses() {
    for (uint32_t s = 0; s < plan_->steps.size(); ++s) {
      const Node& node = *plan_->steps[s].node;
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) last_use_[static_cast<size_t>(id)] = s;
      }
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        first_step_[static_cast<size_t>(id)] = s;
        last_use_[static_cast<size_t>(id)] = s;
      }
    }
    for (const ValueId id : graph_.outputs) last_use_[static_cast<size_t>(id)] = kNever;
  }

  /// Views and in-place outputs join the block of their input; a block's last use is the last of all its values.
  void share_memory() {
    block_last_.assign(graph_.values.size(), 0);
    for (uint32_t s = 0; s < plan_->steps.size(); ++s) share_memory_of(s);
    for (uint32_t s = 0; s < plan_->steps.size(); ++s) note_dead(s);
  }

  KINGLET_APART void share_memory_of(uint32_t s) {
    const Step& step = plan_->steps[s];
    const Node& node = *step.node;
    if (step.kind == Step::Kind::kDynamic) {
      // It may turn out to share memory when it runs: the block of its input must live as long.
      if ((node.def->traits & ops::kView) != 0 && node.outputs[0] != kNoValue) {
        const auto out = static_cast<size_t>(node.outputs[0]);
        block_last_[out] = last_use_[out];
        join(out, root_[static_cast<size_t>(node.inputs[0])]);
      }
      return;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const auto out = static_cast<size_t>(node.outputs[i]);
      block_last_[out] = last_use_[out];
      if (i == 0 && step.kind == Step::Kind::kView) {
        join(out, root_[static_cast<size_t>(node.inputs[0])]);
        continue;
      }
      if (slot(node.outputs[i]).dtype() == DType::kString) continue;
      in_arena_[out] = true;
      if (i == 0 && (node.def->traits & ops::kInPlace) != 0) {
        if (const int64_t donor = find_donor(node, s); donor >= 0) join(out, static_cast<size_t>(donor));
      }
    }
  }

  void join(size_t value, size_t root) {
    root_[value] = root;
    block_last_[root] = std::max(block_last_[root], block_last_[value]);
  }

  /// The block of an input that dies at this step and has the output's type and shape, or -1.
  int64_t find_donor(const Node& node, uint32_t step) {
    const Tensor& out = slot(node.outputs[0]);
    for (size_t i = 0; i < node.own_inputs; ++i) {
      if (node.inputs[i] == kNoValue) continue;
      const Tensor& in = slot(node.inputs[i]);
      const size_t root = root_[static_cast<size_t>(node.inputs[i])];
      if (in_arena_[root] && block_last_[root] == step && in.dtype() == out.dtype() && in.shape() == out.shape()) {
        return static_cast<int64_t>(root);
      }
    }
    return -1;
  }

  /// Values that hold memory of their own at run time are dropped after the last step that reads them.
  KINGLET_APART void note_dead(uint32_t s) {
    Step& step = plan_->steps[s];
    const auto drop_if_dead = [&](ValueId id) {
      if (id == kNoValue || last_use_[static_cast<size_t>(id)] != s || !made_at_run_[static_cast<size_t>(id)]) return;
      if (std::find(step.dead_after.begin(), step.dead_after.end(), id) == step.dead_after.end()) {
        step.dead_after.push_back(id);
      }
    };
    if (step.kind != Step::Kind::kStatic) {
      for (const ValueId id : step.node->outputs) {
        if (id != kNoValue) made_at_run_[static_cast<size_t>(id)] = true;
      }
    }
    for (const ValueId id : step.node->inputs) drop_if_dead(id);
    for (const ValueId id : step.node->outputs) drop_if_dead(id);
  }

  KINGLET_APART void place() {
    std::vector<LiveBlock> blocks;
    std::vector<int64_t> block_of(graph_.values.size(), -1);
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      if (!in_arena_[v] || root_[v] != v) continue;
      block_of[v] = static_cast<int64_t>(blocks.size());
      blocks.push_back({plan_->slots[v].bytes(), first_step_[v], block_last_[v], 0});
    }
    plan_->arena_bytes = plan_memory(blocks);
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      if (!in_arena_[v]) continue;
      const auto block = static_cast<size_t>(block_of[root_[v]]);
      plan_->placements.push_back({static_cast<ValueId>(v), blocks[block].offset});
    }
  }

  ValueInfo& info(ValueId id) { return infos_[static_cast<size_t>(id)]; }
  Tensor& slot(ValueId id) { return plan_->slots[static_cast<size_t>(id)]; }

  const Graph& graph_;
  std::unique_ptr<Plan> plan_;
  std::vector<ValueInfo> infos_;
  std::vector<size_t> root_;           // the value whose block a value lies in
  std::vector<uint32_t> first_step_, last_use_, block_last_;
  Flags in_arena_, made_at_run_;
};

}  // namespace

std::unique_ptr<Plan> make_plan(const Graph& graph, PlanKey key) { return Planner(graph, std::move(key)).make(); }

void bind_plan(Plan& plan, std::byte* arena) {
  for (const Plan::Placement& p : plan.placements) {
    Tensor& t = plan.slots[static_cast<size_t>(p.value)];
    t = Tensor(t.dtype(), t.shape(), arena + p.offset);
  }
  plan.bound_to = arena;
}

}  // namespace kinglet
