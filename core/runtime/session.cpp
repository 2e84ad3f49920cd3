#include <kinglet/session.hpp>

#include <algorithm>

#include "graph/gradient.hpp"
#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "model/onnx_reader.hpp"
#include "runtime/describe.hpp"
#include "runtime/program.hpp"
#include "runtime/thread_pool.hpp"

namespace kinglet {
namespace {

/// More threads than any browser reports (navigator.hardwareConcurrency) are a mistake.
constexpr size_t kMostThreads = 64;

ValueDescription describe_value(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  ValueDescription d;
  d.name = value.name;
  d.type = value.declared != nullptr ? *value.declared : ValueType{ValueType::Kind::kTensor, value.dtype, nullptr};
  // Of a computed value inference knows no more than what kind it is.
  if (value.declared == nullptr && value.dtype == DType::kSequence) d.type = {ValueType::Kind::kSequence, {}, nullptr};
  if (value.declared == nullptr && value.dtype == DType::kMap) d.type = {ValueType::Kind::kMap, {}, nullptr};
  d.has_rank = value.shape.has_rank();
  for (const Dim dim : value.shape.dims()) {
    ValueDescription::Dim out;
    if (dim.known()) out.value = dim.value();
    if (dim.is_symbol()) out.name = (*graph.symbols)[dim.symbol_index()];
    d.dims.push_back(std::move(out));
  }
  return d;
}

std::string names_of(const std::vector<ValueDescription>& values) {
  std::string out;
  for (const ValueDescription& v : values) out += text("{}'{}'", out.empty() ? "" : ", ", v.name);
  return out;
}

std::string expected_text(const ValueDescription& d) {
  std::string out = d.type.text();
  if (!d.has_rank) return out;
  out += '[';
  for (size_t i = 0; i < d.dims.size(); ++i) {
    if (i != 0) out += ',';
    if (d.dims[i].value >= 0) {
      append_text(out, d.dims[i].value);
    } else {
      out += d.dims[i].name.empty() ? "?" : d.dims[i].name;
    }
  }
  return out + "]";
}

std::string actual_text(const Tensor& t) {
  return t.dtype() == DType::kNone ? "no value" : text("{}{}", t.dtype(), t.shape());
}

/// Rank and fixed dims must agree; a named dim must be the same number wherever the name stands.
void check_feed(const ValueDescription& d, const Tensor& t, std::map<std::string, size_t>& named) {
  const auto fail = [&](std::string_view why) {
    Error error(ErrorCode::kShape, text("input '{}': expected {}, got {}{}", d.name, expected_text(d), actual_text(t), why));
    error.input = d.name;
    error.expected = expected_text(d);
    error.actual = actual_text(t);
    throw error;
  };
  if (!d.type.accepts(t)) fail("");
  if (!d.has_rank) return;
  if (t.rank() != d.dims.size()) fail("");
  for (size_t i = 0; i < d.dims.size(); ++i) {
    const ValueDescription::Dim& dim = d.dims[i];
    if (dim.value >= 0 && dim.value != t.dim(i)) fail("");
    if (dim.name.empty()) continue;
    const auto size = static_cast<size_t>(t.dim(i));
    const auto [it, fresh] = named.emplace(dim.name, size);
    if (!fresh && it->second != size) fail(text(" where '{}' is {} in another input", dim.name, it->second));
  }
}

/// Small constants that still point into the model's bytes are copied, so that the whole block can go once the large
/// weights are packed.
void detach_small_constants(Graph& graph, const ModelBytes& model) {
  size_t held = 0;
  const auto points_into_model = [&](const Tensor& t) { return t.valid() && t.owner().get() == model.data.get(); };
  for (const Value& v : graph.values) held += points_into_model(v.constant) ? v.constant.bytes() : 0;
  for (const Node& n : graph.nodes) {
    // Weights that live in a subgraph keep the block anyway.
    if (!n.subgraphs.empty()) return;
  }
  if (held > model.size / 4) return;
  for (Value& v : graph.values) {
    if (points_into_model(v.constant)) v.constant = v.constant.clone();
  }
}

}  // namespace

struct Session::State {
#if !defined(__wasm__)
  std::unique_ptr<ThreadPool> own_pool;
#endif
  ThreadPool* pool = nullptr;
  std::unique_ptr<Program> program;
  std::vector<ValueDescription> inputs, outputs;
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session Session::load(ModelBytes bytes, SessionOptions options) {
  if (options.threads == 0 || options.threads > kMostThreads) {
    throw_error(ErrorCode::kInvalidArgument, "{} threads: expected 1 to {}", options.threads, kMostThreads);
  }
  Model model = read_onnx(bytes, options.external_data);
  auto graph = std::make_shared<Graph>(std::move(model.graph));
  if (kExpandGradients != nullptr) kExpandGradients(*graph);
  resolve_operators(*graph);
  auto state = std::make_unique<State>();
  for (const ValueId id : graph->inputs) state->inputs.push_back(describe_value(*graph, id));
  for (const ValueId id : graph->outputs) state->outputs.push_back(describe_value(*graph, id));
  infer_shapes(*graph);
  for (size_t i = 0; i < state->outputs.size(); ++i) {
    // Inference knows better than the file, unless it knows nothing.
    ValueDescription inferred = describe_value(*graph, graph->outputs[i]);
    if (state->outputs[i].type.kind == ValueType::Kind::kTensor && state->outputs[i].type.dtype == DType::kUndefined) {
      state->outputs[i].type = inferred.type;
    }
    if (!state->outputs[i].has_rank) {
      state->outputs[i].has_rank = inferred.has_rank;
      state->outputs[i].dims = std::move(inferred.dims);
    }
  }
  if (options.optimize) optimize(*graph, options.without_passes);
  state->pool = options.pool;
#if !defined(__wasm__)
  if (options.threads > 1 && state->pool == nullptr) {
    state->own_pool = std::make_unique<ThreadPool>(options.threads);
    state->own_pool->start();
    state->pool = state->own_pool.get();
  }
#endif
  std::vector<ConstantFile> files{{bytes.data.get(), bytes.size}};
  for (const auto& [location, file] : options.external_data) files.push_back({file.data.get(), file.size});
  ConstantMemory memory(*graph, files);
  TwinNodes twins(*graph, memory);
  state->program = std::make_unique<Program>(graph, memory, twins, state->pool);
  if (!memory.took_from(bytes.data.get())) detach_small_constants(*graph, bytes);
  return Session(std::move(state));
}

const std::vector<ValueDescription>& Session::inputs() const { return state_->inputs; }
const std::vector<ValueDescription>& Session::outputs() const { return state_->outputs; }

std::vector<Tensor> Session::run(std::span<const Feed> feeds, std::span<const std::string> wanted,
                                 const RunOptions& options) {
  std::vector<Tensor> inputs(state_->inputs.size());
  for (const Feed& feed : feeds) {
    const auto it = std::find_if(state_->inputs.begin(), state_->inputs.end(),
                                 [&](const ValueDescription& d) { return d.name == feed.name; });
    if (it == state_->inputs.end()) {
      throw_error(ErrorCode::kInvalidArgument, "the model has no input '{}'; its inputs are {}", feed.name, names_of(state_->inputs));
    }
    inputs[static_cast<size_t>(it - state_->inputs.begin())] = feed.tensor;
  }
  std::map<std::string, size_t> named;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].valid()) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' ({}) was not given", state_->inputs[i].name, expected_text(state_->inputs[i]));
    }
    check_feed(state_->inputs[i], inputs[i], named);
  }
  std::vector<size_t> picked;
  for (const std::string& name : wanted) {
    const auto it = std::find_if(state_->outputs.begin(), state_->outputs.end(),
                                 [&](const ValueDescription& d) { return d.name == name; });
    if (it == state_->outputs.end()) {
      throw_error(ErrorCode::kInvalidArgument, "the model has no output '{}'; its outputs are {}", name, names_of(state_->outputs));
    }
    picked.push_back(static_cast<size_t>(it - state_->outputs.begin()));
  }
  if (state_->pool != nullptr) state_->pool->set_cancel(options.cancel);
  std::vector<Tensor> outputs = state_->program->run(inputs, {}, options);
  if (wanted.empty()) return outputs;
  std::vector<Tensor> result;
  for (const size_t i : picked) result.push_back(outputs[i]);
  return result;
}

MemoryUse Session::memory() const { return {state_->program->weight_bytes(), state_->program->activation_bytes()}; }

std::string Session::describe() const { return describe_graph(state_->program->graph()); }

}  // namespace kinglet
