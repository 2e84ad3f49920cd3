#pragma once

#include <string_view>

namespace kinglet::onnx {

/// What a file that is not an ONNX model looks like by its first bytes, as the end of the sentence
/// "this looks like ..."; empty when nothing is recognised (it may then be ONNX).
std::string_view foreign_kind(std::string_view file);

/// Whether a file begins like text, of ASCII or UTF-8. A model can as well: ask when it could not be read.
bool is_text(std::string_view file);

/// What `foreign_kind` tells, for a file of weights, which may be any bytes: what servers and clones give in the place of files. It ends the
/// sentence "the file looks like ...".
std::string_view stand_in_kind(std::string_view file);

}  // namespace kinglet::onnx
