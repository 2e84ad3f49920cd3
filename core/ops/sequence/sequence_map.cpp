// SequenceMap: runs a subgraph for each item of a sequence (ONNX 17). Further inputs that are sequences of the same
// length go along with it; tensors are given to each run as they are.

#include "ops/op.hpp"

namespace kinglet::ops {
namespace {

struct SequenceMap {
  size_t body;
};

SequenceMap parse(const NodeView& n) { return {n.attr_graph("body")}; }

void infer(const SequenceMap& op, InferContext& c) {
  std::vector<ValueInfo> formal;
  for (size_t i = 0; i < c.inputs(); ++i) {
    const bool whole = i > 0 && c.has(i) && c.dtype(i) != DType::kSequence && c.dtype(i) != DType::kUndefined;
    formal.push_back(whole ? c.in(i) : ValueInfo{});
  }
  const std::vector<ValueInfo> results = c.infer_subgraph(op.body, formal);
  c.require(results.size() == c.outputs(), "{} outputs, but the body has {}", c.outputs(), results.size());
  for (size_t i = 0; i < c.outputs(); ++i) c.out(i, DType::kSequence, {});
}

void run(const SequenceMap& op, RunContext& c) {
  const size_t length = c.in(0).items().size();
  std::vector<std::vector<Tensor>> results(c.outputs());
  std::vector<Tensor> formal(c.inputs());
  for (size_t n = 0; n < length; ++n) {
    for (size_t i = 0; i < c.inputs(); ++i) {
      const Tensor& in = c.in(i);
      if (in.dtype() == DType::kSequence) {
        c.require(in.items().size() == length, "sequences of {} and {}", length, in.items().size());
        formal[i] = in.items()[n];
      } else {
        formal[i] = in;
      }
    }
    const std::vector<Tensor> made = c.run_subgraph(op.body, formal);
    for (size_t i = 0; i < results.size(); ++i) results[i].push_back(made.at(i).owned());
  }
  for (size_t i = 0; i < results.size(); ++i) c.give(i, Tensor::sequence(results[i]));
}

}  // namespace

KINGLET_OP(SequenceMap, op<SequenceMap, parse, infer, run>(since(17)));

}  // namespace kinglet::ops
