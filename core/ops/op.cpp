#include "ops/op.hpp"

namespace kinglet::ops {

extern const OpDef* const kOpDefs[];
extern const size_t kOpDefCount;

namespace {

using Kind = Attribute::Kind;

template <class T>
T value_or(const Attribute* attribute, T Attribute::*field, T otherwise) {
  return attribute != nullptr ? attribute->*field : std::move(otherwise);
}

}  // namespace

std::span<const OpDef* const> all_ops() { return {kOpDefs, kOpDefCount}; }

const OpDef* find_op(std::string_view domain, std::string_view name) {
  if (domain == "ai.onnx") domain = "";
  for (const OpDef* def : all_ops()) {
    // The first letters tell most names apart without the length and a call of memcmp.
    if (!name.empty() && name[0] == def->name[0] && name == def->name && domain == def->domain) return def;
  }
  return nullptr;
}

std::shared_ptr<void> own(void* op, void (*destroy)(void*)) { return std::shared_ptr<void>(op, destroy); }

const Attribute* NodeView::get(std::string_view name, Attribute::Kind kind) const {
  const Attribute* a = node_->find(name);
  if (a != nullptr && a->kind != kind) throw_error(ErrorCode::kModel, "attribute '{}' has the wrong type", name);
  return a;
}

const Attribute& NodeView::must(std::string_view name, Attribute::Kind kind) const {
  const Attribute* a = get(name, kind);
  if (a == nullptr) throw_error(ErrorCode::kModel, "attribute '{}' is missing", name);
  return *a;
}

int64_t NodeView::attr_int(std::string_view name) const { return must(name, Kind::kInt).i; }
int64_t NodeView::attr_int(std::string_view name, int64_t otherwise) const {
  return value_or(get(name, Kind::kInt), &Attribute::i, otherwise);
}

float NodeView::attr_float(std::string_view name) const { return must(name, Kind::kFloat).f; }
float NodeView::attr_float(std::string_view name, float otherwise) const {
  return value_or(get(name, Kind::kFloat), &Attribute::f, otherwise);
}

std::string NodeView::attr_string(std::string_view name) const { return must(name, Kind::kString).s; }
std::string NodeView::attr_string(std::string_view name, std::string_view otherwise) const {
  return value_or(get(name, Kind::kString), &Attribute::s, std::string(otherwise));
}

std::vector<int64_t> NodeView::attr_ints(std::string_view name) const { return must(name, Kind::kInts).ints; }
std::vector<int64_t> NodeView::attr_ints(std::string_view name, std::vector<int64_t> otherwise) const {
  return value_or(get(name, Kind::kInts), &Attribute::ints, std::move(otherwise));
}

std::vector<float> NodeView::attr_floats(std::string_view name, std::vector<float> otherwise) const {
  return value_or(get(name, Kind::kFloats), &Attribute::floats, std::move(otherwise));
}

std::vector<std::string> NodeView::attr_strings(std::string_view name, std::vector<std::string> otherwise) const {
  return value_or(get(name, Kind::kStrings), &Attribute::strings, std::move(otherwise));
}

Tensor NodeView::attr_tensor(std::string_view name) const { return must(name, Kind::kTensor).tensors.at(0); }

size_t NodeView::attr_graph(std::string_view name) const { return must(name, Kind::kGraph).subgraphs.at(0); }

const ValueInfo& InferContext::in(size_t i) const {
  if (!has(i)) throw_error(ErrorCode::kModel, "input {} is missing", i);
  return *inputs_[i];
}

const Tensor* InferContext::constant(size_t i) const {
  return has(i) && inputs_[i]->constant.valid() ? &inputs_[i]->constant : nullptr;
}

std::optional<std::vector<Dim>> InferContext::dims(size_t i) const {
  if (!has(i)) return std::nullopt;
  if (const Tensor* t = constant(i); t != nullptr && t->rank() <= 1 && t->count() <= kMaxRank) {
    if (t->dtype() != DType::kInt64 && t->dtype() != DType::kInt32) return std::nullopt;
    std::vector<Dim> out;
    // A negative element (-1 in Reshape) is not a dim: callers that give it a meaning read constant().
    for (const int64_t v : to_int64s(*t)) out.push_back(v < 0 ? Dim() : Dim(v));
    return out;
  }
  if (inputs_[i]->dims.empty()) return std::nullopt;
  return inputs_[i]->dims;
}

void InferContext::out(size_t i, DType dtype, SymShape shape) {
  if (i >= outputs_.size()) return;
  outputs_[i].dtype = dtype;
  outputs_[i].shape = std::move(shape);
}

void InferContext::out_dims(size_t i, std::vector<Dim> dims) {
  if (i < outputs_.size() && dims.size() <= kMaxRank) outputs_[i].dims = std::move(dims);
}

const Tensor& RunContext::in(size_t i) const {
  if (!has(i)) throw_error(ErrorCode::kModel, "input {} is missing", i);
  return *inputs_[i];
}

Tensor& RunContext::out(size_t i) const {
  if (!wants(i) || !outputs_[i]->valid()) throw_error(ErrorCode::kInternal, "output {} was not sized", i);
  return *outputs_[i];
}

}  // namespace kinglet::ops
