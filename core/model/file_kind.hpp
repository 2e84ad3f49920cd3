#pragma once

#include <string_view>

namespace kinglet::onnx {

/// What a file that is not an ONNX model looks like by its first bytes, as the end of the sentence
/// "this looks like ..."; empty when nothing is recognised (it may then be ONNX).
std::string_view foreign_kind(std::string_view file);

}  // namespace kinglet::onnx
