#include "model/external_data.hpp"

#include <charconv>

#include "base/error.hpp"
#include "model/file_kind.hpp"
#include "model/onnx_proto.hpp"

namespace kinglet::onnx {
namespace {

uint64_t decimal(std::string_view key, std::string_view value) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size()) {
    throw_error(ErrorCode::kModel, "external data: {} is '{}', expected a number", key, value);
  }
  return out;
}

}  // namespace

void ExternalLocation::read_entry(Fields entry) {
  std::string_view key, value;
  while (entry.next()) {
    switch (entry.number()) {
      case field::string_entry::kKey: key = entry.name(); break;
      case field::string_entry::kValue: value = entry.name(); break;
      default: entry.skip();
    }
  }
  if (key == "location") {
    while (value.starts_with("./")) value.remove_prefix(2);
    file = value;
  } else if (key == "offset") {
    offset = decimal(key, value);
  } else if (key == "length") {
    length = decimal(key, value);
    has_length = true;
  }
}

ExternalBytes find_external(const ExternalLocation& location, uint64_t expected_bytes,
                            const std::map<std::string, ModelBytes>& files) {
  if (location.file.empty()) throw_error(ErrorCode::kModel, "external data without a location");
  const auto found = files.find(std::string(location.file));
  if (found == files.end()) {
    std::string given;
    for (const auto& [name, bytes] : files) given += text("{}'{}'", given.empty() ? "" : ", ", name);
    Error error(ErrorCode::kModel, text("its data is in the file '{}', which was not given: externalData must name it, and names {}",
                                        location.file, given.empty() ? "no file" : given));
    error.location = location.file;
    throw error;
  }
  const ModelBytes& block = found->second;
  const std::string_view file(reinterpret_cast<const char*>(block.data.get()), block.size);
  if (const std::string_view kind = stand_in_kind(file); !kind.empty()) {
    throw_error(ErrorCode::kModel, "the file '{}' of its data looks like {}", location.file, kind);
  }
  const uint64_t length = location.has_length ? location.length : expected_bytes;
  if (location.offset > block.size || length > block.size - location.offset) {
    throw_error(ErrorCode::kModel, "external data: {} bytes at {} of '{}', which has only {}", length,
                location.offset, location.file, block.size);
  }
  if (length == 0) return {&block, {}};
  return {&block, file.substr(static_cast<size_t>(location.offset), static_cast<size_t>(length))};
}

}  // namespace kinglet::onnx
