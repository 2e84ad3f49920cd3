#pragma once
// The type of a model's value as its file declares it (onnx.proto, TypeProto).

#include <memory>
#include <string>

#include "base/dtype.hpp"
#include "base/tensor.hpp"

namespace kinglet {

struct ValueType {
  enum class Kind : uint8_t { kUnknown, kTensor, kSequence, kMap, kOptional };
  Kind kind = Kind::kUnknown;
  DType dtype = DType::kUndefined;        ///< kTensor: of the elements, kUndefined when not said; kMap: of the keys
  std::shared_ptr<const ValueType> item;  ///< what a sequence, a map or an optional holds; null when not said

  /// "float32", "sequence(float32)", "optional(sequence(int64))", "map(string, float32)".
  std::string text() const;
  /// May a value of this type be `value`? Shapes are not looked at.
  bool accepts(const Tensor& value) const;
  /// The type of the values in memory: kUndefined where it depends on the value (an optional) or is not said.
  DType stored() const;
};

}  // namespace kinglet
