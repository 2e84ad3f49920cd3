#include "runtime/program.hpp"

#include <algorithm>
#include <set>

#include "base/host.hpp"
#include "graph/inference.hpp"
#include "ops/packing.hpp"
#include "ops/parallel.hpp"

namespace kinglet {
namespace {

class NodePreparation : public ops::PackingContext {
 public:
  NodePreparation(Graph& graph, const Node& node, std::vector<uint32_t>& uses, ConstantMemory& memory,
                  size_t& packed_bytes)
      : graph_(graph), node_(node), uses_(uses), memory_(memory), packed_bytes_(packed_bytes) {}

  uint32_t released() const { return released_; }

  bool has(size_t i) const override { return i < node_.own_inputs && node_.inputs[i] != kNoValue; }
  DType dtype(size_t i) const override { return value(i).dtype; }
  const SymShape& shape(size_t i) const override { return value(i).shape; }
  const Tensor* constant(size_t i) const override {
    return has(i) && value(i).constant.valid() ? &value(i).constant : nullptr;
  }
  void release(size_t i) override {
    if (--uses_[static_cast<size_t>(node_.inputs.at(i))] == 0) value(i).constant = {};
    released_ |= i < 32 ? uint32_t{1} << i : 0;
  }
  std::shared_ptr<std::byte[]> reuse(size_t i, size_t bytes) override {
    if (uses_[static_cast<size_t>(node_.inputs.at(i))] != 1) return nullptr;
    std::shared_ptr<std::byte[]> block = memory_.take(value(i).constant, bytes);
    if (block != nullptr) packed_bytes_ += bytes;
    return block;
  }
  std::byte* temporary(size_t bytes) override { return memory_.temporary(bytes); }
  std::shared_ptr<std::byte[]> allocate(size_t bytes) override {
    std::shared_ptr<std::byte[]> block = allocate_block(bytes);
    packed_bytes_ += bytes;
    return block;
  }

 private:
  Value& value(size_t i) const {
    if (!has(i)) throw_error(ErrorCode::kModel, "input {} is missing", i);
    return graph_.value(node_.inputs[i]);
  }
  Graph& graph_;
  const Node& node_;
  std::vector<uint32_t>& uses_;
  ConstantMemory& memory_;
  size_t& packed_bytes_;
  uint32_t released_ = 0;  // as bits
};

/// An If's outputs are what its branch gave. To infer shapes through both branches, and the branches in them, at
/// every run takes longer than a small one runs.
bool sizes_outputs(const Node& node) { return node.op_type == "If" && node.domain.empty(); }

}  // namespace

class StepServices : public ops::RunServices {
 public:
  /// `inferred` is empty for a static step, whose outputs say it all, and for an operator that sizes its outputs.
  StepServices(Program& program, Step& step, std::span<const ops::ValueInfo> inferred, const RunOptions& options)
      : program_(program), step_(step), inferred_(inferred), options_(options) {}
  ~StepServices() override { program_.scratch_.reset(); }

  std::byte* scratch(size_t bytes) override { return program_.scratch_.take(bytes); }

  Tensor& resize_output(size_t i, DType dtype, const Shape& shape) override {
    Tensor* out = i < step_.outputs.size() ? step_.outputs[i] : nullptr;
    if (out == nullptr) return unwanted_ = Tensor(dtype, shape);
    if (step_.kind == Step::Kind::kStatic && out->dtype() == dtype && out->shape() == shape) return *out;
    if (step_.kind == Step::Kind::kStatic) {
      throw_error(ErrorCode::kInternal, "output {} became {} {}, planned {} {}", i, dtype, shape, out->dtype(),
                  out->shape());
    }
    return *out = Tensor(dtype, shape);
  }

  void give_output(size_t i, Tensor value) override {
    if (step_.kind == Step::Kind::kStatic) throw_error(ErrorCode::kInternal, "output {} lies in the arena", i);
    if (i < step_.outputs.size() && step_.outputs[i] != nullptr) *step_.outputs[i] = std::move(value);
  }

  const ops::ValueInfo& expected(size_t i) override {
    if (!inferred_.empty()) return inferred_[i];
    const Tensor* out = step_.outputs.at(i);
    return expected_ = out == nullptr ? ops::ValueInfo{} : ops::ValueInfo{out->dtype(), out->shape(), {}, {}};
  }

  std::vector<Tensor> run_subgraph(size_t subgraph, std::span<const Tensor> formal_inputs) override {
    const auto node = static_cast<size_t>(step_.node - program_.graph_->nodes.data());
    Program& body = *program_.bodies_.at(node).at(subgraph);
    std::vector<Tensor> captures;
    for (const Capture& c : body.graph().captures) {
      const Tensor* outer = step_.inputs[c.node_input];
      captures.push_back(outer != nullptr ? *outer : Tensor());
    }
    return body.run(formal_inputs, captures, options_);
  }

 private:
  Program& program_;
  Step& step_;
  std::span<const ops::ValueInfo> inferred_;
  const RunOptions& options_;
  ops::ValueInfo expected_;
  Tensor unwanted_;
};

Program::Program(std::shared_ptr<Graph> graph, ConstantMemory& memory, TwinNodes& twins, Workers* workers)
    : graph_(std::move(graph)), workers_(workers) {
  prepare(memory, twins);
}

void Program::prepare(ConstantMemory& memory, TwinNodes& twins) {
  std::vector<uint32_t> uses = graph_->use_counts();
  for (size_t n = 0; n < graph_->nodes.size(); ++n) {
    Node& node = graph_->nodes[n];
    if (node.def->prepare != nullptr) {
      NodePreparation context(*graph_, node, uses, memory, packed_bytes_);
      if (TwinNodes::Twin& twin = twins.next(); twin.prepared) {
        node.op = twin.node->op;
        for (size_t i = 0; i < 32; ++i) {
          if ((twin.released >> i & 1) != 0) context.release(i);
        }
      } else {
        with_node(node, [&] { node.def->prepare(node.op.get(), context); });
        twin.prepared = true;
        twin.released = context.released();
      }
    }
    if (node.subgraphs.empty()) continue;
    bodies_.resize(n + 1);
    for (const auto& body : node.subgraphs) bodies_[n].push_back(std::make_unique<Program>(body, memory, twins, workers_));
  }
}

Plan& Program::plan_for(std::span<const Tensor> inputs, std::span<const Tensor> captures) {
  const auto fits = [&](const std::unique_ptr<Plan>& plan) {
    for (size_t i = 0; i < inputs.size() + captures.size(); ++i) {
      const Tensor& t = i < inputs.size() ? inputs[i] : captures[i - inputs.size()];
      if (plan->key.dtypes[i] != t.dtype() || !(plan->key.shapes[i] == t.shape())) return false;
    }
    return true;
  };
  const auto found = std::find_if(plans_.begin(), plans_.end(), fits);
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
    return *plans_.front();
  }
  PlanKey key;
  for (const auto group : {inputs, captures}) {
    for (const Tensor& t : group) {
      key.dtypes.push_back(t.dtype());
      key.shapes.push_back(t.shape());
    }
  }
  plans_.push_front(make_plan(*graph_, std::move(key)));
  if (plans_.size() > kMaxPlans) plans_.pop_back();
  return *plans_.front();
}

std::vector<Tensor> Program::run(std::span<const Tensor> inputs, std::span<const Tensor> captures,
                                 const RunOptions& options) {
  // The body of a loop may have no step at which it could be stopped.
  if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
    throw_error(ErrorCode::kAborted, "the run was aborted");
  }
  const ops::WithWorkers with_workers(workers_);
  Plan& plan = plan_for(inputs, captures);
  std::byte* arena = arena_.ensure(plan.arena_bytes);
  if (plan.bound_to != arena) bind_plan(plan, arena);
  for (size_t i = 0; i < graph_->inputs.size(); ++i) plan.slots[static_cast<size_t>(graph_->inputs[i])] = inputs[i];
  for (size_t i = 0; i < graph_->captures.size(); ++i) {
    const ValueId id = graph_->captures[i].inner;
    if (!graph_->is_constant(id)) plan.slots[static_cast<size_t>(id)] = captures[i];
  }
  for (Step& step : plan.steps) {
    if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
      throw_error(ErrorCode::kAborted, "the run was aborted");
    }
    try {
      if (options.profile != nullptr) {
        time_step(plan, step, options);
      } else {
        run_step(plan, step, options);
      }
    } catch (Error& error) {
      if (!error.node.empty()) throw;
      std::string shapes;
      for (size_t i = 0; i < step.node->own_inputs; ++i) {
        const Tensor* t = step.inputs[i];
        shapes += text("{}{}", i == 0 ? "" : ", ", t == nullptr ? "none" : text("{}{}", t->dtype(), t->shape()));
      }
      error.node = step.node->name;
      error.op = step.node->op_type;
      error.message = text("{} ({}): {}; inputs: {}", error.node, error.op, error.message, shapes);
      throw;
    }
  }
  std::vector<Tensor> outputs;
  for (const ValueId id : graph_->outputs) outputs.push_back(plan.slots[static_cast<size_t>(id)]);
  return outputs;
}

void Program::time_step(Plan& plan, Step& step, const RunOptions& options) {
  std::vector<NodeTime>& rows = *options.profile;
  const size_t first_inner = rows.size();
  const double begin = monotonic_ms();
  run_step(plan, step, options);
  NodeTime row{step.node->name, step.node->op_type, monotonic_ms() - begin, {}};
  for (size_t i = first_inner; i < rows.size(); ++i) row.milliseconds -= rows[i].milliseconds;
  for (const Tensor* out : step.outputs) {
    if (out != nullptr && out->valid() && !is_container(out->dtype())) row.outputs.push_back(out->shape());
  }
  rows.push_back(std::move(row));
}

void Program::run_step(Plan& plan, Step& step, const RunOptions& options) {
  const Node& node = *step.node;
  if (step.kind == Step::Kind::kView) {
    const Tensor& in = *step.inputs[0];
    *step.outputs[0] = in.reshaped(step.view_shape);
  } else {
    bool shared = false;
    std::vector<ops::ValueInfo> inferred;
    if (step.kind == Step::Kind::kDynamic && sizes_outputs(node)) {
      for (Tensor* output : step.outputs) {
        if (output != nullptr) *output = Tensor();
      }
    } else if (step.kind == Step::Kind::kDynamic) {
      std::vector<ops::ValueInfo> infos(step.inputs.size());
      std::vector<const ops::ValueInfo*> pointers(step.inputs.size(), nullptr);
      for (size_t i = 0; i < infos.size(); ++i) {
        if (step.inputs[i] == nullptr) continue;
        const Tensor& t = *step.inputs[i];
        // A constant that its operator packed and gave up keeps its declared shape.
        infos[i] = t.valid() ? ops::ValueInfo{t.dtype(), t.shape(), t, {}} : info_of(graph_->value(node.inputs[i]));
        pointers[i] = &infos[i];
      }
      inferred = infer_node(node, pointers);
      for (size_t i = 0; i < inferred.size(); ++i) {
        if (step.outputs[i] == nullptr) continue;
        *step.outputs[i] = Tensor();
        if (inferred[i].dtype == DType::kUndefined || is_container(inferred[i].dtype) || !inferred[i].shape.is_concrete()) continue;
        const Shape shape = inferred[i].shape.concrete();
        shared = i == 0 && inferred.size() == 1 && (node.def->traits & ops::kView) != 0;
        *step.outputs[i] = shared ? step.inputs[0]->reshaped(shape) : Tensor(inferred[i].dtype, shape);
      }
    }
    if (!shared) {
      StepServices services(*this, step, inferred, options);
      ops::RunContext context(step.inputs, node.own_inputs, step.outputs, services);
      node.def->run(node.op.get(), context);
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] != nullptr && !step.outputs[i]->valid()) throw_error(ErrorCode::kModel, "has no output {}", i);
    }
  }
  for (const ValueId id : step.dead_after) plan.slots[static_cast<size_t>(id)] = Tensor();
}

size_t Program::weight_bytes() const {
  size_t total = packed_bytes_;
  std::set<const std::byte*> seen;
  for (const Value& value : graph_->values) {
    if (value.constant.valid() && seen.insert(value.constant.raw()).second) total += value.constant.bytes();
  }
  for (const auto& programs : bodies_) {
    for (const auto& body : programs) total += body->weight_bytes();
  }
  return total;
}

size_t Program::activation_bytes() const {
  size_t total = arena_.size() + scratch_.size();
  for (const auto& programs : bodies_) {
    for (const auto& body : programs) total += body->activation_bytes();
  }
  return total;
}

}  // namespace kinglet
