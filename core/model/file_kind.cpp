#include "model/file_kind.hpp"

#include <algorithm>
#include <cstdint>

namespace kinglet::onnx {
namespace {

struct Magic {
  std::string_view bytes, kind;
};

using namespace std::string_view_literals;

constexpr Magic kGitLfs{"version https://git-lfs"sv,
                        "a git-lfs pointer, not the file that it stands for: fetch it with `git lfs pull`"};

// None of these can open a ModelProto: its first byte is a tag, and those are none (or lead to no valid
// field).
constexpr Magic kMagics[] = {
    kGitLfs,
    {"PK\x03\x04"sv, "a zip archive (a PyTorch checkpoint, perhaps), not an ONNX model"},
    {"PK\x05\x06"sv, "an empty zip archive, not an ONNX model"},
    {"\x1f\x8b"sv, "a gzip-compressed file: decompress it first"},
    {"\x28\xb5\x2f\xfd"sv, "a zstd-compressed file: decompress it first"},
    {"\xfd\x37zXZ"sv, "an xz-compressed file: decompress it first"},
    {"\x89HDF"sv, "an HDF5 file (a Keras model, perhaps), not an ONNX model"},
    {"GGUF"sv, "a GGUF model, not an ONNX model"},
    {"\0asm"sv, "a WebAssembly module, not an ONNX model"},
    {"\x80\x02"sv, "a Python pickle (a PyTorch checkpoint, perhaps), not an ONNX model"},
    {"\x93NUMPY"sv, "a NumPy array, not an ONNX model"},
    {"\x89PNG"sv, "a PNG picture, not an ONNX model"},
    {"\xff\xd8\xff"sv, "a JPEG picture, not an ONNX model"},
    {"GIF8"sv, "a GIF picture, not an ONNX model"},
    {"%PDF"sv, "a PDF document, not an ONNX model"},
    {"{"sv, "JSON, not an ONNX model"},
};

std::string_view without_space(std::string_view file) {
  if (file.starts_with("\xef\xbb\xbf")) file.remove_prefix(3);
  const size_t start = file.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view() : file.substr(start);
}

/// FlatBuffers start with the root's offset, 4 bytes, then name themselves. The third byte, 0 in an offset
/// below 65536, is in a ModelProto the tag of its second field, which is never 0.
bool is_flatbuffer(std::string_view file, std::string_view identifier) {
  return file.size() >= 8 && file.substr(4, 4) == identifier && file[2] == '\0';
}

/// safetensors: the header's length in 8 bytes, then the header, JSON.
bool is_safetensors(std::string_view file) {
  return file.size() >= 10 && file.substr(5, 3) == "\0\0\0"sv && file.substr(8, 1) == "{";
}

}  // namespace

std::string_view foreign_kind(std::string_view file) {
  if (file.empty()) return "an empty file";
  for (const Magic& magic : kMagics) {
    if (file.starts_with(magic.bytes)) return magic.kind;
  }
  if (is_flatbuffer(file, "TFL3")) return "a TensorFlow Lite model, not an ONNX model";
  if (is_flatbuffer(file, "ORTM")) return "a model in ONNX Runtime's own format (.ort): use the .onnx file";
  if (is_safetensors(file)) return "a safetensors file, not an ONNX model";
  if (const std::string_view body = without_space(file); body.starts_with("<")) {
    return body.starts_with("<?xml") ? "an XML document, not an ONNX model"
                                     : "an HTML page, not an ONNX model: check the URL";
  }
  return {};
}

bool is_text(std::string_view file) {
  return std::ranges::all_of(file.substr(0, 64), [](unsigned char c) {
    return (c >= ' ' && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
  });
}

std::string_view stand_in_kind(std::string_view file) {
  if (file.starts_with(kGitLfs.bytes)) return kGitLfs.kind;
  const std::string_view body = without_space(file.substr(0, 256));
  for (const std::string_view start : {"<!DOCTYPE html"sv, "<!doctype html"sv, "<html"sv}) {
    if (body.starts_with(start)) return "an HTML page: check the URL";
  }
  return {};
}

}  // namespace kinglet::onnx
