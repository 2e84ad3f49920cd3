#include "ops/support/op_test.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "ops/packing.hpp"
#include "ops/parallel.hpp"
#include "runtime/thread_pool.hpp"

namespace kinglet::test {
namespace {

using ops::InferContext;
using ops::OpDef;
using ops::RunContext;
using ops::ValueInfo;

void must(bool condition, const OpCall& call, std::string_view what) {
  if (!condition) throw std::logic_error(text("{}-{}: {}", call.op, call.opset, what));
}

/// Garbage that shows when an operator reads what it did not write.
void fill_garbage(Tensor& t) {
  if (t.dtype() == DType::kString || t.count() == 0) return;
  std::memset(t.raw(), t.dtype() == DType::kBool ? 1 : 0xCD, t.bytes());
}

Node make_node(const OpCall& call, const OpDef& def) {
  Node node;
  node.name = "node";
  node.op_type = call.op;
  node.domain = call.domain;
  node.opset = call.opset;
  node.attributes = call.attributes;
  node.def = &def;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    node.inputs.push_back(call.inputs[i].valid() ? static_cast<ValueId>(i) : kNoValue);
  }
  node.own_inputs = node.inputs.size();
  for (size_t i = 0; i < call.outputs; ++i) {
    const bool wanted = i >= call.unwanted.size() || !call.unwanted[i];
    node.outputs.push_back(wanted ? static_cast<ValueId>(call.inputs.size() + i) : kNoValue);
  }
  node.op = def.parse(ops::NodeView(node));
  return node;
}

#if !defined(__wasm__)  // there threads are the host's
/// Splits as far as it may be, so that small tensors take part.
class EagerWorkers final : public Workers {
 public:
  explicit EagerWorkers(size_t threads) : pool_(threads) { pool_.start(); }
  size_t count() const override { return pool_.count(); }
  size_t grain(size_t, size_t, size_t unit) const override { return unit; }
  void run(size_t items, size_t grain, Body body, const void* context) override {
    pool_.run(items, grain, body, context);
  }

 private:
  ThreadPool pool_;
};
#endif

class Services final : public ops::RunServices {
 public:
  Services(const OpCall& call, std::vector<Tensor>& outputs, const std::vector<ValueInfo>& inferred)
      : call_(call), outputs_(outputs), inferred_(inferred) {}
  std::byte* scratch(size_t bytes) override {
    blocks_.push_back(allocate_block(bytes));
    std::memset(blocks_.back().get(), 0xCD, std::max<size_t>(bytes, 1));
    return blocks_.back().get();
  }
  Tensor& resize_output(size_t i, DType dtype, const Shape& shape) override {
    outputs_.at(i) = Tensor(dtype, shape);
    fill_garbage(outputs_[i]);
    return outputs_[i];
  }
  void give_output(size_t i, Tensor value) override { outputs_.at(i) = std::move(value); }
  const ValueInfo& expected(size_t i) override { return inferred_.at(i); }
  std::vector<Tensor> run_subgraph(size_t subgraph, std::span<const Tensor> formal_inputs) override {
    must(call_.subgraphs != nullptr, call_, "no subgraphs were given");
    return call_.subgraphs->run(subgraph, formal_inputs);
  }

 private:
  const OpCall& call_;
  std::vector<Tensor>& outputs_;
  const std::vector<ValueInfo>& inferred_;
  std::vector<Block> blocks_;
};

/// Constant inputs as prepare() sees them; what it releases is remembered.
class Preparation final : public ops::PackingContext {
 public:
  enum Constants { kNone, kShared, kOwn };
  Preparation(const OpCall& call, Constants constants)
      : released(call.inputs.size()), call_(call), constants_(constants), values_(call.inputs) {
    for (Tensor& t : values_) {
      shapes_.push_back(t.valid() ? SymShape(t.shape()) : SymShape());
      if (constants == kOwn && t.valid()) t = t.clone();
    }
  }
  bool has(size_t i) const override { return i < call_.inputs.size() && call_.inputs[i].valid(); }
  DType dtype(size_t i) const override { return call_.inputs.at(i).dtype(); }
  const SymShape& shape(size_t i) const override { return shapes_.at(i); }
  const Tensor* constant(size_t i) const override {
    return constants_ != kNone && i != 0 && has(i) ? &values_[i] : nullptr;
  }
  void release(size_t i) override {
    must(constant(i) != nullptr, call_, "released an input that is no constant");
    released.at(i) = true;
  }
  std::shared_ptr<std::byte[]> reuse(size_t i, size_t bytes) override {
    if (constants_ != kOwn || values_.at(i).bytes() < bytes) return nullptr;
    return std::shared_ptr<std::byte[]>(values_[i].owner(), values_[i].raw());
  }
  std::byte* temporary(size_t bytes) override {
    temporary_ = allocate_block(bytes);
    std::memset(temporary_.get(), 0xCD, std::max<size_t>(bytes, 1));
    return temporary_.get();
  }
  std::shared_ptr<std::byte[]> allocate(size_t bytes) override { return allocate_block(bytes); }

  std::vector<bool> released;

 private:
  const OpCall& call_;
  Constants constants_;
  std::vector<Tensor> values_;
  std::vector<SymShape> shapes_;
  Block temporary_;
};

std::vector<ValueInfo> infer(const OpCall& call, const Node& node, const std::vector<ValueInfo>& inputs) {
  std::vector<const ValueInfo*> pointers;
  for (size_t i = 0; i < inputs.size(); ++i) pointers.push_back(call.inputs[i].valid() ? &inputs[i] : nullptr);
  std::vector<ValueInfo> outputs(call.outputs);
  InferContext context(pointers, pointers.size(), outputs, call.subgraphs);
  node.def->infer(node.op.get(), context);
  return outputs;
}

ValueInfo everything(const Tensor& t) {
  ValueInfo info;
  info.dtype = t.dtype();
  info.shape = t.valid() ? SymShape(t.shape()) : SymShape();
  info.constant = t;
  return info;
}

struct RunOptions {
  int in_place_of = -1;  ///< output 0 lies on this input
  bool without_data = false;
  std::vector<bool> released = {};
  Workers* workers = nullptr;
};

std::vector<Tensor> run(const OpCall& call, const Node& node, const RunOptions& options) {
  std::vector<ValueInfo> infos;
  for (const Tensor& t : call.inputs) infos.push_back(everything(t));
  const std::vector<ValueInfo> inferred = infer(call, node, infos);

  std::vector<Tensor> inputs = call.inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool gone = options.without_data || (i < options.released.size() && options.released[i]);
    if (gone && inputs[i].valid()) inputs[i] = Tensor(inputs[i].dtype(), inputs[i].shape(), nullptr);
  }
  std::vector<Tensor> outputs(call.outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (inferred[i].dtype == DType::kUndefined || !inferred[i].shape.is_concrete()) continue;
    outputs[i] = Tensor(inferred[i].dtype, inferred[i].shape.concrete());
    fill_garbage(outputs[i]);
  }
  if (options.in_place_of >= 0) {
    const auto i = static_cast<size_t>(options.in_place_of);
    inputs[i] = inputs[i].clone();
    outputs[0] = inputs[i];
  }
  std::vector<const Tensor*> in;
  for (const Tensor& t : inputs) in.push_back(t.valid() ? &t : nullptr);
  std::vector<Tensor*> out;
  for (size_t i = 0; i < outputs.size(); ++i) out.push_back(node.outputs[i] != kNoValue ? &outputs[i] : nullptr);
  Services services(call, outputs, inferred);
  const ops::WithWorkers with_workers(options.workers);
  RunContext context(in, in.size(), out, services);
  node.def->run(node.op.get(), context);
  for (size_t i = 0; i < outputs.size(); ++i) {
    must(out[i] == nullptr || outputs[i].valid(), call, text("output {} was not made", i));
    if (out[i] == nullptr) outputs[i] = {};
  }
  return outputs;
}

void check_inference(const OpCall& call, const Node& node, const std::vector<Tensor>& results) {
  enum Knowledge { kNothing, kTypes, kRanks, kSymbols, kShapes, kElementDims, kKnowledgeCount };
  static constexpr const char* kNames[] = {"nothing", "types", "ranks", "symbols", "shapes", "element dims"};
  for (int knowledge = 0; knowledge < kKnowledgeCount; ++knowledge) {
    std::vector<int64_t> symbols;
    std::vector<ValueInfo> infos(call.inputs.size());
    for (size_t i = 0; i < infos.size(); ++i) {
      const Tensor& t = call.inputs[i];
      if (!t.valid() || knowledge == kNothing) continue;
      infos[i].dtype = t.dtype();
      if (knowledge == kRanks) infos[i].shape = SymShape::of_rank(t.rank());
      if (knowledge == kSymbols) {
        std::vector<Dim> dims;
        for (const int64_t d : t.shape()) {
          const auto at = std::find(symbols.begin(), symbols.end(), d);
          dims.push_back(Dim::symbol(static_cast<size_t>(at - symbols.begin())));
          if (at == symbols.end()) symbols.push_back(d);
        }
        infos[i].shape = SymShape(dims);
      }
      if (knowledge >= kShapes) infos[i].shape = t.shape();
      if (knowledge == kElementDims && t.dtype() == DType::kInt64 && t.rank() <= 1 && t.count() <= kMaxRank) {
        for (const int64_t v : to_int64s(t)) infos[i].dims.push_back(v < 0 ? Dim() : Dim(v));
      }
    }
    const std::vector<ValueInfo> got = infer(call, node, infos);
    for (size_t o = 0; o < results.size(); ++o) {
      if (!results[o].valid()) continue;
      const std::string where = text("output {} inferred from {}", o, kNames[knowledge]);
      const Tensor& real = results[o];
      must(got[o].dtype == DType::kUndefined || got[o].dtype == real.dtype(), call, where + ": wrong type");
      if (got[o].shape.has_rank()) {
        must(got[o].shape.rank() == real.rank(), call, where + ": wrong rank");
        for (size_t d = 0; d < real.rank(); ++d) {
          const Dim dim = got[o].shape[d];
          const int64_t value = dim.known() ? dim.value() : dim.is_symbol() ? symbols.at(dim.symbol_index()) : real.dim(d);
          must(value == real.dim(d), call, text("{}: wrong dim {}", where, d));
        }
      }
      if (got[o].dims.empty()) continue;
      must(real.dtype() == DType::kInt64 || real.dtype() == DType::kInt32, call, where + ": dims of no integers");
      const std::vector<int64_t> values = to_int64s(real);
      must(values.size() == got[o].dims.size(), call, where + ": wrong count of element dims");
      for (size_t d = 0; d < values.size(); ++d) {
        const Dim dim = got[o].dims[d];
        const int64_t value = dim.known() ? dim.value() : dim.is_symbol() ? symbols.at(dim.symbol_index()) : values[d];
        must(value == values[d], call, text("{}: wrong element dim {}", where, d));
      }
    }
  }
}

/// Tolerance for `difference` that allows `relative` of the tensor's greatest magnitude.
void must_agree(const OpCall& call, const std::vector<Tensor>& got, const std::vector<Tensor>& want, std::string_view how,
                double relative) {
  for (size_t o = 0; o < want.size(); ++o) {
    if (!want[o].valid()) continue;
    double scale = 1;
    if (relative > 0 && is_float(want[o].dtype())) {
      for (const double v : to_doubles(want[o])) scale = std::isfinite(v) ? std::max(scale, std::abs(v)) : scale;
    }
    const std::string d = difference(got[o], want[o], is_float(want[o].dtype()) ? relative * scale : 0);
    must(d.empty(), call, text("output {} {}: {}", o, how, d));
  }
}

Tensor permuted(const Tensor& t, std::span<const int64_t> perm) {
  Shape shape;
  for (const int64_t p : perm) shape.push_back(t.dim(static_cast<size_t>(p)));
  Tensor out(t.dtype(), shape);
  const size_t width = dtype_size(t.dtype());
  std::vector<int64_t> index(perm.size(), 0);
  for (size_t i = 0; i < out.count(); ++i) {
    size_t source = 0;
    for (size_t d = 0; d < perm.size(); ++d) {
      const auto p = static_cast<size_t>(perm[d]);
      source += static_cast<size_t>(index[d]) * t.shape().count(p + 1, t.rank());
    }
    if (t.dtype() == DType::kString) {
      out.data<std::string>()[i] = t.data<std::string>()[source];
    } else {
      std::memcpy(out.raw() + i * width, t.raw() + source * width, width);
    }
    for (size_t d = perm.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return out;
}

void check_permuted(const OpCall& call, const OpDef& def, const std::vector<Tensor>& results) {
  const size_t rank = call.inputs[0].rank();
  if (rank < 2) return;
  if ((def.traits & ops::kPermutable) != 0 && results[0].rank() != rank) return;
  std::vector<int64_t> perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  std::rotate(perm.begin(), perm.begin() + 1, perm.end());
  OpCall turned = call;
  for (Tensor& t : turned.inputs) {
    if (!t.valid()) continue;
    if (t.rank() != rank && t.count() != 1 && (def.traits & ops::kPermutable) != 0) return;
    if (t.rank() == rank) t = permuted(t, perm);
  }
  Node node = make_node(turned, def);
  if (def.permute != nullptr) {
    if (!def.permute(node, perm)) return;
    turned.attributes = node.attributes;
    node = make_node(turned, def);
  }
  std::vector<Tensor> expected = results;
  for (Tensor& t : expected) {
    if (t.valid() && t.rank() == rank) t = permuted(t, perm);
  }
  must_agree(call, run(turned, node, {}), expected, "with permuted dims", call.variant_tolerance);
}

}  // namespace

std::vector<Tensor> run_op(const OpCall& call) {
  const OpDef* def = ops::find_op(call.domain, call.op);
  must(def != nullptr, call, "not in the registry");
  Node node = make_node(call, *def);
  if (def->prepare != nullptr) {
    Preparation nothing(call, Preparation::kNone);
    def->prepare(node.op.get(), nothing);
  }
  const std::vector<Tensor> results = run(call, node, {});
  check_inference(call, node, results);
  if ((def->traits & ops::kRandom) != 0) {
    // Variants can be compared only when this call draws nothing, such as Dropout outside training.
    const std::vector<Tensor> again = run(call, node, {});
    for (size_t o = 0; o < results.size(); ++o) {
      if (results[o].valid() && !difference(again[o], results[o]).empty()) return results;
    }
  }

  if (def->prepare != nullptr) {
    for (const auto kind : {Preparation::kShared, Preparation::kOwn}) {
      const Node prepared = make_node(call, *def);
      Preparation constants(call, kind);
      def->prepare(prepared.op.get(), constants);
      const char* const variant =
          kind == Preparation::kOwn ? "with constants packed in place" : "with prepared constants";
      must_agree(call, run(call, prepared, {.released = constants.released}), results, variant,
                 call.variant_tolerance);
    }
  }
#if !defined(__wasm__)
  // No operator that makes sequences or maps splits its work.
  const bool tensors = std::ranges::none_of(results, [](const Tensor& t) { return is_container(t.dtype()); });
  static EagerWorkers two(2), three(3);
  for (EagerWorkers* workers : {&two, &three}) {
    if (!tensors) break;
    must_agree(call, run(call, node, {.workers = workers}), results, text("on {} threads", workers->count()),
               call.variant_tolerance);
  }
#endif
  if ((def->traits & ops::kInPlace) != 0 && results[0].valid()) {
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      const Tensor& t = call.inputs[i];
      if (!t.valid() || t.dtype() != results[0].dtype() || t.shape() != results[0].shape()) continue;
      must_agree(call, run(call, node, {.in_place_of = static_cast<int>(i)}), results, text("over input {}", i), 0);
    }
  }
  if ((def->traits & ops::kShapeOnly) != 0) {
    must_agree(call, run(call, node, {.without_data = true}), results, "without data", 0);
  }
  if ((def->traits & ops::kView) != 0 && results[0].valid() && results[0].dtype() != DType::kString) {
    const Tensor& x = call.inputs.at(0);
    const bool same = x.bytes() == results[0].bytes() && std::memcmp(x.raw(), results[0].raw(), x.bytes()) == 0;
    must(same, call, "a view that changes its input's elements");
  }
  if (((def->traits & ops::kPermutable) != 0 || def->permute != nullptr) && !call.inputs.empty()) {
    check_permuted(call, *def, results);
  }
  return results;
}

std::optional<ErrorCode> failure(const OpCall& call) {
  try {
    run_op(call);
    return std::nullopt;
  } catch (const Error& e) {
    return e.code;
  }
}

}  // namespace kinglet::test
