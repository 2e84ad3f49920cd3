#include "model/onnx_reader.hpp"

#include "model/builder.hpp"
#include "model/decoder.hpp"
#include "model/file_kind.hpp"

namespace kinglet {

Model read_onnx(const ModelBytes& model, const std::map<std::string, ModelBytes>& external_data) {
  const onnx::WeightSources sources{model, external_data};
  if (const std::string_view kind = onnx::foreign_kind(sources.file()); !kind.empty()) {
    throw_error(ErrorCode::kModel, "this looks like {}", kind);
  }
  onnx::DecodedModel decoded = onnx::decode_model(sources);
  Model out;
  out.graph = onnx::Builder(decoded).build();
  out.ir_version = decoded.ir_version;
  out.producer = std::move(decoded.producer);
  out.opsets = std::move(decoded.opsets);
  return out;
}

}  // namespace kinglet
