#pragma once
// The fields of one protobuf message, each checked before it is read; protozero does the decoding.

#include <protozero/pbf_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kinglet::onnx {

/// Reads a message field by field. protozero trusts its caller to ask for the wire type that is there, and
/// its length check is signed, which a 32-bit build's length of 2^31 passes: so both are checked here first.
/// Every function throws kModel, with the offset in the file, on malformed bytes.
///   while (fields.next()) switch (fields.number()) { case 1: x = fields.integer(); break; default:
///   fields.skip(); }
class Fields {
 public:
  /// `file` is where offsets in messages count from.
  Fields(std::string_view message, const char* file) : reader_(message.data(), message.size()), file_(file) {}

  bool next();
  uint32_t number() const { return number_; }
  /// Where the current field's tag starts.
  const char* field_begin() const { return field_begin_; }

  int64_t integer();
  float float32();
  /// The bytes of a fixed number, 4 or 8 of them.
  std::string_view fixed(size_t width);
  std::string_view bytes();
  /// bytes() that are a name: valid UTF-8 without NUL.
  std::string_view name();
  Fields message();
  void skip();

  // Elements of a repeated field, packed or one by one.
  bool packed() const { return reader_.wire_type() == protozero::pbf_wire_type::length_delimited; }
  void integers(std::vector<int64_t>& out);
  void floats(std::vector<float>& out);

  const char* file() const { return file_; }
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void expect(protozero::pbf_wire_type wanted) const;
  void check_length() const;

  protozero::pbf_reader reader_;
  const char* file_;
  const char* field_begin_ = nullptr;
  uint32_t number_ = 0;
};

/// Calls f(int64_t) for each varint of a packed field; throws kModel.
template <class F>
void for_each_varint(std::string_view packed, const Fields& where, F&& f) {
  const char* at = packed.data();
  const char* const end = at + packed.size();
  while (at != end) {
    int64_t value = 0;
    try {
      value = static_cast<int64_t>(protozero::decode_varint(&at, end));
    } catch (const protozero::exception&) {
      where.fail("a packed field holds a malformed number");
    }
    f(value);
  }
}

}  // namespace kinglet::onnx
