#pragma once
// Values of the ONNX test data files (TensorProto, and SequenceProto, MapProto, OptionalProto of onnx-data.proto).

#include <filesystem>

#include "base/value_type.hpp"

namespace kinglet::conformance {

std::string read_file(const std::filesystem::path& path);

/// The value in a data file of a model's input or output of this type.
Tensor read_value(const std::string& bytes, const ValueType& type);

/// How `actual` differs from `expected`, or "": |actual - expected| <= 1e-5 + 1e-3 * |expected|, as ONNX's own test
/// runner has it.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace kinglet::conformance
