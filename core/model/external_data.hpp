#pragma once
// Tensors whose elements lie in another file (TensorProto.external_data; ONNX docs/ExternalData.md).

#include <kinglet/session.hpp>

#include "model/wire.hpp"

namespace kinglet::onnx {

struct ExternalLocation {
  std::string_view file;  ///< key "location"
  uint64_t offset = 0;
  uint64_t length = 0;
  bool has_length = false;

  /// Takes one StringStringEntryProto of external_data; unknown keys (checksum) are left alone. Throws
  /// kModel.
  void read_entry(Fields entry);
};

struct ExternalBytes {
  const ModelBytes* block = nullptr;
  std::string_view bytes;
};

/// The bytes that `location` names, `expected_bytes` of them when it says no length. Throws kModel when the
/// file was not given or is too short.
ExternalBytes find_external(const ExternalLocation& location, uint64_t expected_bytes,
                            const std::map<std::string, ModelBytes>& files);

}  // namespace kinglet::onnx
