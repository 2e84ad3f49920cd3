// DictVectorizer (ai.onnx.ml): the values of a map [1, n], each where its key stands in a vocabulary of n;
// zeros (or "") where the map has no such key. Keys outside the vocabulary are left out.

#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct DictVectorizer {
  ml::TensorKeys vocabulary;
  int64_t size;
};

DictVectorizer parse(const NodeView& n) {
  const std::vector<std::string> strings = n.attr_strings("string_vocabulary", {});
  const std::vector<int64_t> ints = n.attr_ints("int64_vocabulary", {});
  ml::check_attributes(strings.empty() != ints.empty(), "a vocabulary is either strings or integers");
  const Tensor words = strings.empty() ? ml::vector_of(ints) : ml::vector_of(strings);
  return {ml::TensorKeys(words), static_cast<int64_t>(words.count())};
}

void infer(const DictVectorizer& op, InferContext& c) {
  c.in(0);
  c.out(0, DType::kUndefined, SymShape({Dim(1), Dim(op.size)}));
}

void run(const DictVectorizer& op, RunContext& c) {
  const auto [keys, values] = ml::map_parts(c.in(0));
  Tensor& y = c.out(0, values.dtype(), {1, op.size});
  fill_elements(y.dtype(), y.raw(), nullptr, y.count());
  const std::vector<size_t> found = op.vocabulary.find(keys);
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] != ml::kNoKey) copy_elements(y.dtype(), element(y, found[i]), element(values, i), 1);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", DictVectorizer, op<DictVectorizer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
