#include "graph/evaluate.hpp"

#include "graph/inference.hpp"

namespace kinglet {
namespace {

class OwnedServices : public ops::RunServices {
 public:
  OwnedServices(std::vector<Tensor>& outputs, std::span<const ops::ValueInfo> inferred)
      : outputs_(outputs), inferred_(inferred) {}

  std::byte* scratch(size_t bytes) override {
    blocks_.push_back(allocate_block(bytes));
    return blocks_.back().get();
  }
  Tensor& resize_output(size_t i, DType dtype, const Shape& shape) override {
    return outputs_.at(i) = Tensor(dtype, shape);
  }
  void give_output(size_t i, Tensor value) override { outputs_.at(i) = std::move(value); }
  const ops::ValueInfo& expected(size_t i) override { return inferred_[i]; }
  std::vector<Tensor> run_subgraph(size_t, std::span<const Tensor>) override {
    throw_error(ErrorCode::kInternal, "a node with subgraphs is not evaluated alone");
  }

 private:
  std::vector<Tensor>& outputs_;
  std::span<const ops::ValueInfo> inferred_;
  std::vector<Block> blocks_;
};

/// The tensor that a Constant has as its attribute `value`, or null.
const Tensor* written_tensor(const Node& node) {
  if (node.op_type != "Constant" || !node.domain.empty() || node.outputs.size() != 1) return nullptr;
  const Attribute* value = node.find("value");
  return value != nullptr && value->tensors.size() == 1 ? &value->tensors.front() : nullptr;
}

}  // namespace

bool can_evaluate(const Node& node, std::span<const ops::ValueInfo* const> inputs) {
  if ((node.def->traits & ops::kRandom) != 0 || !node.subgraphs.empty()) return false;
  for (const ops::ValueInfo* info : inputs) {
    if (info == nullptr || info->constant.valid()) continue;
    const bool shape_is_enough = (node.def->traits & ops::kShapeOnly) != 0 && info->shape.is_concrete();
    if (!shape_is_enough) return false;
  }
  return true;
}

std::vector<Tensor> evaluate(const Node& node, std::span<const ops::ValueInfo* const> inputs,
                             std::span<const ops::ValueInfo> inferred) {
  // Exporters write all weights as Constants: a copy would be the model once more.
  if (const Tensor* written = written_tensor(node)) return {*written};
  std::vector<Tensor> in(inputs.size()), out(node.outputs.size());
  std::vector<const Tensor*> in_pointers(inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    in[i] = inputs[i]->constant;
    if (!in[i].valid()) in[i] = Tensor(inputs[i]->dtype, inputs[i]->shape.concrete(), nullptr);
    in_pointers[i] = &in[i];
  }
  std::vector<Tensor*> out_pointers(out.size(), nullptr);
  for (size_t i = 0; i < out.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    out_pointers[i] = &out[i];
    if (inferred[i].dtype != DType::kUndefined && !is_container(inferred[i].dtype) && inferred[i].shape.is_concrete()) {
      out[i] = Tensor(inferred[i].dtype, inferred[i].shape.concrete());
    }
  }
  OwnedServices services(out, inferred);
  with_node(node, [&] {
    ops::RunContext context(in_pointers, node.own_inputs, out_pointers, services);
    node.def->run(node.op.get(), context);
    for (size_t i = 0; i < out.size(); ++i) {
      if (out_pointers[i] != nullptr && !out[i].valid()) throw_error(ErrorCode::kModel, "has no output {}", i);
    }
  });
  return out;
}

}  // namespace kinglet
