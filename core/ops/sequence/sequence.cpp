// Sequences of tensors: SequenceEmpty, SequenceConstruct, SequenceInsert, SequenceErase, SequenceAt, SequenceLength
// (ONNX 11). A sequence's tensors own their memory, so sequences share them.

#include "ops/move.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {
namespace {

struct Sequence {};
Sequence parse(const NodeView&) { return {}; }

void infer_sequence(const Sequence&, InferContext& c) { c.out(0, DType::kSequence, {}); }

/// The place that input `i` names, which may count from the end; `last` is the largest allowed.
size_t place(const RunContext& c, size_t i, size_t length, size_t last) {
  const std::vector<int64_t> index = to_int64s(c.in(i));
  c.require(index.size() == 1, "expected one position, got {}", c.in(i).shape());
  const auto n = static_cast<int64_t>(length);
  c.require(index[0] >= -n && index[0] <= static_cast<int64_t>(last), "position {} in a sequence of {}", index[0],
            length);
  return static_cast<size_t>(index[0] < 0 ? index[0] + n : index[0]);
}

void run_empty(const Sequence&, RunContext& c) { c.give(0, Tensor::sequence({})); }

void run_construct(const Sequence&, RunContext& c) {
  std::vector<Tensor> items;
  for (size_t i = 0; i < c.inputs(); ++i) {
    require_same_type(c.in(i), c.in(0));
    items.push_back(c.in(i).owned());
  }
  c.give(0, Tensor::sequence(items));
}

void run_insert(const Sequence&, RunContext& c) {
  const auto old = c.in(0).items();
  std::vector<Tensor> items(old.begin(), old.end());
  if (!items.empty()) require_same_type(c.in(1), items.front());
  const size_t at = c.has(2) ? place(c, 2, items.size(), items.size()) : items.size();
  items.insert(items.begin() + static_cast<ptrdiff_t>(at), c.in(1).owned());
  c.give(0, Tensor::sequence(items));
}

void run_erase(const Sequence&, RunContext& c) {
  const auto old = c.in(0).items();
  c.require(!old.empty(), "the sequence is empty");
  std::vector<Tensor> items(old.begin(), old.end());
  const size_t at = c.has(1) ? place(c, 1, items.size(), items.size() - 1) : items.size() - 1;
  items.erase(items.begin() + static_cast<ptrdiff_t>(at));
  c.give(0, Tensor::sequence(items));
}

void infer_at(const Sequence&, InferContext& c) { c.out(0, DType::kUndefined, {}); }

void run_at(const Sequence&, RunContext& c) {
  const auto items = c.in(0).items();
  c.require(!items.empty(), "the sequence is empty");
  c.give(0, items[place(c, 1, items.size(), items.size() - 1)]);
}

void infer_length(const Sequence&, InferContext& c) { c.out(0, DType::kInt64, Shape{}); }

void run_length(const Sequence&, RunContext& c) {
  c.out(0).data<int64_t>()[0] = static_cast<int64_t>(c.in(0).items().size());
}

}  // namespace

KINGLET_OP(SequenceEmpty, op<Sequence, parse, infer_sequence, run_empty>(since(11)));
KINGLET_OP(SequenceConstruct, op<Sequence, parse, infer_sequence, run_construct>(since(11)));
KINGLET_OP(SequenceInsert, op<Sequence, parse, infer_sequence, run_insert>(since(11)));
KINGLET_OP(SequenceErase, op<Sequence, parse, infer_sequence, run_erase>(since(11)));
KINGLET_OP(SequenceAt, op<Sequence, parse, infer_at, run_at>(since(11)));
KINGLET_OP(SequenceLength, op<Sequence, parse, infer_length, run_length>(since(11)));

}  // namespace kinglet::ops
