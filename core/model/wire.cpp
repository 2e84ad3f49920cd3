#include "model/wire.hpp"

#include <bit>
#include <cstring>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace kinglet::onnx {

using protozero::pbf_wire_type;

// Packed floats are copied and weights used as they lie in the file, which is little-endian.
static_assert(std::endian::native == std::endian::little);

void Fields::fail(std::string_view what) const {
  const char* at = field_begin_ != nullptr ? field_begin_ : reader_.data().data();
  const auto offset = static_cast<uint64_t>(at - file_);
  if (number_ == 0) throw_error(ErrorCode::kModel, "malformed protobuf at byte {}: {}", offset, what);
  throw_error(ErrorCode::kModel, "malformed protobuf at byte {}: field {}: {}", offset, number_, what);
}

bool Fields::next() {
  number_ = 0;
  field_begin_ = reader_.data().data();
  try {
    if (!reader_.next()) return false;
  } catch (const protozero::end_of_buffer_exception&) {
    fail("the bytes end within a field's tag");
  } catch (const protozero::unknown_pbf_wire_type_exception&) {
    fail("unknown wire type");
  } catch (const protozero::exception&) {
    fail("impossible field number");
  }
  number_ = static_cast<uint32_t>(reader_.tag());
  return true;
}

void Fields::expect(pbf_wire_type wanted) const {
  if (reader_.wire_type() == wanted) return;
  fail(text("wire type {}, expected {}", static_cast<uint32_t>(reader_.wire_type()),
            static_cast<uint32_t>(wanted)));
}

void Fields::check_length() const {
  const char* at = reader_.data().data();
  const char* const end = at + reader_.data().size();
  uint64_t length = 0;
  try {
    length = protozero::decode_varint(&at, end);
  } catch (const protozero::exception&) {
    fail("malformed length");
  }
  const auto left = static_cast<uint64_t>(end - at);
  if (length > left) fail(text("{} bytes long, but only {} are left (is the file cut off?)", length, left));
  if (length > UINT32_MAX) fail(text("{} bytes long; protobuf ends at 2^31", length));
}

int64_t Fields::integer() {
  expect(pbf_wire_type::varint);
  try {
    return reader_.get_int64();
  } catch (const protozero::exception&) {
    fail("malformed number");
  }
}

std::string_view Fields::fixed(size_t width) {
  expect(width == 4 ? pbf_wire_type::fixed32 : pbf_wire_type::fixed64);
  const char* at = reader_.data().data();
  skip();
  return {at, width};
}

float Fields::float32() {
  float out = 0;
  std::memcpy(&out, fixed(sizeof out).data(), sizeof out);
  return out;
}

std::string_view Fields::bytes() {
  expect(pbf_wire_type::length_delimited);
  check_length();
  const protozero::data_view view = reader_.get_view();
  return {view.data(), view.size()};
}

std::string_view Fields::name() {
  const std::string_view out = bytes();
  if (out.find('\0') != std::string_view::npos) fail("a name holds a NUL byte");
  if (!utf8::is_valid(out)) fail("a name is not valid UTF-8");
  return out;
}

Fields Fields::message() { return Fields(bytes(), file_); }

void Fields::skip() {
  if (packed()) {
    bytes();
    return;
  }
  try {
    reader_.skip();
  } catch (const protozero::exception&) {
    fail("the bytes end within a field");
  }
}

void Fields::integers(std::vector<int64_t>& out) {
  if (!packed()) return out.push_back(integer());
  for_each_varint(bytes(), *this, [&](int64_t v) { out.push_back(v); });
}

void Fields::floats(std::vector<float>& out) {
  if (!packed()) return out.push_back(float32());
  const std::string_view data = bytes();
  if (data.size() % sizeof(float) != 0) fail("packed floats of a length that is no multiple of 4");
  if (data.empty()) return;
  const size_t before = out.size();
  out.resize(before + data.size() / sizeof(float));
  std::memcpy(out.data() + before, data.data(), data.size());
}

}  // namespace kinglet::onnx
