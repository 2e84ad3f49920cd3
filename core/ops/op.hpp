#pragma once
// What an operator is: a struct of its attributes and four functions, declared in one file with one line.
//
//   namespace kinglet::ops { namespace {
//   struct Trilu { bool upper; };
//   Trilu parse(const NodeView& n) { return {n.attr_int("upper", 1) != 0}; }
//   void infer(const Trilu&, InferContext& c) { c.out(0, c.dtype(0), c.shape(0)); }
//   void run(const Trilu& op, RunContext& c) { ... c.in(0) ... c.out(0) ... }
//   }  // namespace
//   KINGLET_OP(Trilu, op<Trilu, parse, infer, run>(since(14)));
//   }  // namespace kinglet::ops
//
// parse    once a node, at load: attributes and opset to the struct. Opset variants are handled here.
// infer    types and shapes, symbolic at load, concrete when a run's input shapes are known.
// prepare  (optional) once a node, after the passes: packs constant inputs for the kernels.
// run      computes the outputs.
// All four may throw Error; the caller adds the node's name, operator and input shapes.

#include <optional>
#include <span>

#include "graph/graph.hpp"

namespace kinglet::ops {

/// The node as parse() sees it.
class NodeView {
 public:
  explicit NodeView(const Node& node) : node_(&node) {}

  std::string_view op_type() const { return node_->op_type; }
  int64_t opset() const { return node_->opset; }
  size_t inputs() const { return node_->own_inputs; }
  bool has_input(size_t i) const { return i < node_->own_inputs && node_->inputs[i] != kNoValue; }
  size_t outputs() const { return node_->outputs.size(); }
  bool has_output(size_t i) const { return i < node_->outputs.size() && node_->outputs[i] != kNoValue; }

  bool has(std::string_view name) const { return node_->find(name) != nullptr; }
  /// Each throws kModel when the attribute is there with another type; the ones without default when it is not there.
  int64_t attr_int(std::string_view name) const;
  int64_t attr_int(std::string_view name, int64_t otherwise) const;
  float attr_float(std::string_view name) const;
  float attr_float(std::string_view name, float otherwise) const;
  std::string attr_string(std::string_view name) const;
  std::string attr_string(std::string_view name, std::string_view otherwise) const;
  std::vector<int64_t> attr_ints(std::string_view name) const;
  std::vector<int64_t> attr_ints(std::string_view name, std::vector<int64_t> otherwise) const;
  std::vector<float> attr_floats(std::string_view name, std::vector<float> otherwise) const;
  std::vector<std::string> attr_strings(std::string_view name, std::vector<std::string> otherwise) const;
  Tensor attr_tensor(std::string_view name) const;
  /// Index of the subgraph that this attribute holds, for InferContext and RunContext.
  size_t attr_graph(std::string_view name) const;

 private:
  const Attribute* get(std::string_view name, Attribute::Kind kind) const;
  const Attribute& must(std::string_view name, Attribute::Kind kind) const;
  const Node* node_;
};

/// What is known of a value during inference.
struct ValueInfo {
  DType dtype = DType::kUndefined;
  SymShape shape;
  Tensor constant;        ///< valid() when the elements are known now
  std::vector<Dim> dims;  ///< what is known of a small integer vector's elements; see Value::dims
};

/// `c.require(cond, "needs rank >= 2, got {}", rank)` throws kShape unless cond.
struct Requires {
  template <class... Args>
  static void require(bool condition, std::string_view format, const Args&... args) {
    if (!condition) throw_error(ErrorCode::kShape, format, args...);
  }
};

/// Infers a subgraph: types of its formal inputs in, types of its outputs out.
class SubgraphInference {
 public:
  virtual ~SubgraphInference() = default;
  virtual std::vector<ValueInfo> infer(size_t subgraph, std::span<const ValueInfo> inputs) = 0;
};

class InferContext : public Requires {
 public:
  InferContext(std::span<const ValueInfo* const> inputs, size_t own_inputs, std::span<ValueInfo> outputs,
               SubgraphInference* subgraphs)
      : inputs_(inputs), own_inputs_(own_inputs), outputs_(outputs), subgraphs_(subgraphs) {}

  size_t inputs() const { return own_inputs_; }
  size_t outputs() const { return outputs_.size(); }
  bool has(size_t i) const { return i < own_inputs_ && inputs_[i] != nullptr; }
  /// Throws kModel when input i is not there.
  const ValueInfo& in(size_t i) const;
  /// kUndefined when not known.
  DType dtype(size_t i) const { return in(i).dtype; }
  const SymShape& shape(size_t i) const { return in(i).shape; }
  /// The elements of input i when they are known now (always at a run), else null. Null too for an absent input.
  const Tensor* constant(size_t i) const;
  /// The elements of a small integer input as dims; nothing when not known at all.
  std::optional<std::vector<Dim>> dims(size_t i) const;

  /// States output i; output i may be absent or out of the node's range, then nothing happens.
  void out(size_t i, DType dtype, SymShape shape);
  /// States what is known of the elements of output i (an int64 vector or scalar that computes a shape).
  void out_dims(size_t i, std::vector<Dim> dims);

  std::vector<ValueInfo> infer_subgraph(size_t subgraph, std::span<const ValueInfo> formal_inputs) const {
    return subgraphs_->infer(subgraph, formal_inputs);
  }

 private:
  std::span<const ValueInfo* const> inputs_;
  size_t own_inputs_;
  std::span<ValueInfo> outputs_;
  SubgraphInference* subgraphs_;
};

/// Constant inputs, for packing.
class PrepareContext : public Requires {
 public:
  virtual ~PrepareContext() = default;
  virtual bool has(size_t i) const = 0;
  virtual DType dtype(size_t i) const = 0;
  virtual const SymShape& shape(size_t i) const = 0;
  /// The constant behind input i, or null when it is computed at run time or absent.
  virtual const Tensor* constant(size_t i) const = 0;
  /// run() will not read input i: its memory goes when no other node needs it. infer() still sees its shape.
  virtual void release(size_t i) = 0;
  /// Memory for packed weights, aligned to kAlignment and counted as the session's weights. Throws kOutOfMemory.
  virtual std::shared_ptr<std::byte[]> allocate(size_t bytes) = 0;
  std::shared_ptr<std::byte[]> allocate_floats(size_t count) {
    if (count > SIZE_MAX / sizeof(float)) throw_out_of_memory(uint64_t{count} * sizeof(float));
    return allocate(count * sizeof(float));
  }
};

/// What the executor gives a running operator.
class RunServices {
 public:
  virtual ~RunServices() = default;
  /// Memory until the operator's run() returns.
  virtual std::byte* scratch(size_t bytes) = 0;
  /// Sizes output i, whose shape infer() could not tell.
  virtual Tensor& resize_output(size_t i, DType dtype, const Shape& shape) = 0;
  /// Makes output i this value.
  virtual void give_output(size_t i, Tensor value) = 0;
  /// What infer() said of output i with the inputs of this run.
  virtual const ValueInfo& expected(size_t i) = 0;
  /// Runs a subgraph; the results live until this subgraph runs again.
  virtual std::vector<Tensor> run_subgraph(size_t subgraph, std::span<const Tensor> formal_inputs) = 0;
};

class RunContext : public Requires {
 public:
  RunContext(std::span<const Tensor* const> inputs, size_t own_inputs, std::span<Tensor* const> outputs,
             RunServices& services)
      : inputs_(inputs), own_inputs_(own_inputs), outputs_(outputs), services_(&services) {}

  size_t inputs() const { return own_inputs_; }
  size_t outputs() const { return outputs_.size(); }
  bool has(size_t i) const { return i < own_inputs_ && inputs_[i] != nullptr; }
  /// Throws kModel when input i is not there.
  const Tensor& in(size_t i) const;
  /// Does anyone read output i?
  bool wants(size_t i) const { return i < outputs_.size() && outputs_[i] != nullptr; }
  /// Output i with the type and shape that infer() stated. Its elements are uninitialised; it may be the very memory
  /// of an input when the operator has the trait kInPlace.
  Tensor& out(size_t i) const;
  /// Output i sized now, for shapes that only the data tells.
  Tensor& out(size_t i, DType dtype, const Shape& shape) const { return services_->resize_output(i, dtype, shape); }
  /// Output i is this value, whose memory it keeps (Tensor::owned()): for sequences, maps and optionals, and for
  /// tensors that infer() left without a shape.
  void give(size_t i, Tensor value) const { services_->give_output(i, std::move(value)); }
  /// What infer() said of output i: its type, and of its shape what could be known before the data.
  const ValueInfo& expected(size_t i) const { return services_->expected(i); }
  /// `count` uninitialised T, 16-byte aligned, until run() returns.
  template <class T>
  T* scratch(size_t count) const {
    static_assert(std::is_trivial_v<T> || sizeof(T) <= 2);
    if (count > SIZE_MAX / sizeof(T)) throw_out_of_memory(UINT64_MAX);
    return reinterpret_cast<T*>(services_->scratch(count * sizeof(T)));
  }
  /// A matrix of them, for sizes whose product no tensor has.
  template <class T>
  T* scratch(size_t rows, size_t columns) const {
    if (columns != 0 && rows > SIZE_MAX / columns) throw_out_of_memory(UINT64_MAX);
    return scratch<T>(rows * columns);
  }
  std::vector<Tensor> run_subgraph(size_t subgraph, std::span<const Tensor> formal_inputs) const {
    return services_->run_subgraph(subgraph, formal_inputs);
  }

 private:
  std::span<const Tensor* const> inputs_;
  size_t own_inputs_;
  std::span<Tensor* const> outputs_;
  RunServices* services_;
};

enum Traits : uint32_t {
  kNoTraits = 0,
  kView = 1,        ///< output 0 is input 0 under another shape: nothing is copied, run() is called only when
                    ///< the memory cannot be shared
  kInPlace = 2,     ///< output 0 may be written over an input of the same type and shape, element by element
  kShapeOnly = 4,   ///< run() reads the shapes of its inputs only
  kRandom = 8,      ///< two runs differ: never folded
  kChannelsLast = 16,  ///< takes int attribute channels_last=1: input 0 and output 0 are [N, spatial..., C]
  kPermutable = 32,    ///< elementwise with broadcasting: the same permutation on all inputs permutes the output
};

/// Rewrites a node's attributes for inputs whose dims are permuted by `perm` (new dim i is old dim perm[i]), so that
/// its outputs come permuted likewise. False when it cannot (then nothing is changed).
using PermuteFn = bool (*)(Node& node, std::span<const int64_t> perm);

/// Type-erased operator: what the registry holds.
struct OpDef {
  std::string_view domain, name;
  int64_t since = 1;  ///< the first opset with this operator
  uint32_t traits = kNoTraits;
  std::shared_ptr<void> (*parse)(const NodeView&) = nullptr;
  void (*infer)(const void* op, InferContext&) = nullptr;
  void (*prepare)(void* op, PrepareContext&) = nullptr;  ///< may be null
  void (*run)(const void* op, RunContext&) = nullptr;
  PermuteFn permute = nullptr;  ///< may be null

  constexpr OpDef with_traits(uint32_t t) const {
    OpDef d = *this;
    d.traits |= t;
    return d;
  }
  /// op<...>(since(1)).with_prepare<Conv, prepare>()
  template <class Op, void (*fn)(Op&, PrepareContext&)>
  constexpr OpDef with_prepare() const {
    OpDef d = *this;
    d.prepare = [](void* op, PrepareContext& c) { fn(*static_cast<Op*>(op), c); };
    return d;
  }
  constexpr OpDef with_permute(PermuteFn fn) const {
    OpDef d = *this;
    d.permute = fn;
    return d;
  }
  constexpr OpDef named(std::string_view d_domain, std::string_view d_name) const {
    OpDef d = *this;
    d.domain = d_domain;
    d.name = d_name;
    return d;
  }
};

/// Takes `op`, which `destroy` deletes. One control block for all operators, where std::make_shared has one each.
std::shared_ptr<void> own(void* op, void (*destroy)(void*));

struct Since {
  int64_t opset;
};
constexpr Since since(int64_t opset) { return {opset}; }

template <class Op, Op (*parse)(const NodeView&), void (*infer)(const Op&, InferContext&),
          void (*run)(const Op&, RunContext&)>
constexpr OpDef op(Since s) {
  OpDef d;
  d.since = s.opset;
  d.parse = [](const NodeView& n) -> std::shared_ptr<void> { return own(new Op(parse(n)), [](void* o) { delete static_cast<Op*>(o); }); };
  d.infer = [](const void* o, InferContext& c) { infer(*static_cast<const Op*>(o), c); };
  d.run = [](const void* o, RunContext& c) { run(*static_cast<const Op*>(o), c); };
  return d;
}

/// The operator of this domain and name, or null. The table is written by CMake from the KINGLET_OP lines.
const OpDef* find_op(std::string_view domain, std::string_view name);
std::span<const OpDef* const> all_ops();

}  // namespace kinglet::ops

/// Registers an operator of ai.onnx. The name stands on the macro's line: CMake scans for it.
#define KINGLET_OP(Name, ...) \
  extern const OpDef kOpDef_ai_onnx_##Name; \
  const OpDef kOpDef_ai_onnx_##Name = (__VA_ARGS__).named("", #Name)

/// Registers an operator of another domain; `token` is the domain with '_' for '.'.
#define KINGLET_OP_IN(token, domain, Name, ...) \
  extern const OpDef kOpDef_##token##_##Name; \
  const OpDef kOpDef_##token##_##Name = (__VA_ARGS__).named(domain, #Name)
