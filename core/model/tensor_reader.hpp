#pragma once
// TensorProto and SparseTensorProto -> Tensor.

#include <kinglet/session.hpp>

#include "model/wire.hpp"

namespace kinglet::onnx {

/// Where a model's weights lie.
struct WeightSources {
  const ModelBytes& model;
  const std::map<std::string, ModelBytes>& external;

  /// The model's bytes.
  std::string_view file() const { return {reinterpret_cast<const char*>(model.data.get()), model.size}; }
};

struct NamedTensor {
  std::string_view name;
  Tensor tensor;
};

/// The DType of a TensorProto.DataType; throws kModel, naming the type, when this build does not have it.
DType element_type(int64_t onnx_type);

/// Reads a TensorProto; `what` names it in errors when it has no name itself ("attribute 'value'").
/// The elements stay where they lie in the model or the external file when they are aligned for their type
/// there. A TensorProto may be read once only: its elements may be moved over its own field headers.
NamedTensor read_tensor(Fields fields, const WeightSources& sources, std::string_view what);

/// Reads a SparseTensorProto into a dense tensor; its name is that of its values.
NamedTensor read_sparse_tensor(Fields fields, const WeightSources& sources, std::string_view what);

}  // namespace kinglet::onnx
