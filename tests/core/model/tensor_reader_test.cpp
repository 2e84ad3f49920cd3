#include <cstring>

#include "model/onnx_writer.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

Tensor read_weight(const Bytes& tensor) { return constant(read(weight_file(tensor)).graph, "w"); }

enum class Encoding { kRaw, kPacked, kSingle };

/// A tensor [2,3] of `values` in one of the three encodings that a TensorProto has for it.
template <class T, class Stored>
Bytes encode(int64_t type, const std::vector<T>& values, const std::vector<Stored>& stored, uint32_t field,
             Encoding encoding) {
  const std::vector<int64_t> dims = {2, 3};
  if (encoding == Encoding::kRaw) return raw_tensor("w", type, dims, bytes_of(values));
  return tensor_with("w", type, dims, [&](auto& w) {
    if constexpr (std::is_same_v<Stored, float>) {
      if (encoding == Encoding::kPacked) return w.add_packed_float(field, stored.begin(), stored.end());
      for (const float v : stored) w.add_float(field, v);
    } else if constexpr (std::is_same_v<Stored, double>) {
      if (encoding == Encoding::kPacked) return w.add_packed_double(field, stored.begin(), stored.end());
      for (const double v : stored) w.add_double(field, v);
    } else {
      if (encoding == Encoding::kPacked) return w.add_packed_int64(field, stored.begin(), stored.end());
      for (const int64_t v : stored) w.add_int64(field, v);
    }
  });
}

template <class T, class Stored>
void check_type(DType dtype, const std::vector<T>& values, const std::vector<Stored>& stored,
                uint32_t field) {
  for (const Encoding encoding : {Encoding::kRaw, Encoding::kPacked, Encoding::kSingle}) {
    CAPTURE(std::string(dtype_name(dtype)), static_cast<int>(encoding));
    const Tensor t = read_weight(encode(static_cast<int64_t>(dtype), values, stored, field, encoding));
    CHECK(t.dtype() == dtype);
    CHECK(t.shape() == Shape{2, 3});
    CHECK(std::memcmp(t.raw(), values.data(), values.size() * sizeof(T)) == 0);
  }
}

template <class T>
void check_integers(DType dtype, uint32_t field, std::vector<T> values) {
  check_type(dtype, values, std::vector<int64_t>(values.begin(), values.end()), field);
}

/// External data entries of a tensor.
void add_external(protozero::pbf_writer& w, const std::vector<std::pair<std::string, std::string>>& entries) {
  for (const auto& [key, text] : entries) {
    w.add_message(pb::tensor::kExternalData, message([&](auto& e) {
                    e.add_string(pb::string_entry::kKey, key);
                    e.add_string(pb::string_entry::kValue, text);
                  }));
  }
  w.add_int64(pb::tensor::kDataLocation, 1);
}

}  // namespace

TEST_CASE("every element type is read from raw data and from its typed field, packed or not", "[onnx]") {
  check_type<float, float>(DType::kFloat32, {0, -1.5f, 3e38f, 1e-40f, 7, 8}, {0, -1.5f, 3e38f, 1e-40f, 7, 8},
                           pb::tensor::kFloatData);
  check_type<double, double>(DType::kFloat64, {0, -1.5, 1e300, 4, 5, 6}, {0, -1.5, 1e300, 4, 5, 6},
                             pb::tensor::kDoubleData);
  check_integers<int8_t>(DType::kInt8, pb::tensor::kInt32Data, {-128, -1, 0, 1, 2, 127});
  check_integers<uint8_t>(DType::kUint8, pb::tensor::kInt32Data, {0, 1, 2, 127, 128, 255});
  check_integers<int16_t>(DType::kInt16, pb::tensor::kInt32Data, {-32768, -1, 0, 1, 2, 32767});
  check_integers<uint16_t>(DType::kUint16, pb::tensor::kInt32Data, {0, 1, 2, 3, 32768, 65535});
  check_integers<int32_t>(DType::kInt32, pb::tensor::kInt32Data, {INT32_MIN, -1, 0, 1, 2, INT32_MAX});
  check_integers<int64_t>(DType::kInt64, pb::tensor::kInt64Data, {INT64_MIN, -1, 0, 1, 2, INT64_MAX});
  check_integers<uint32_t>(DType::kUint32, pb::tensor::kUint64Data, {0, 1, 2, 3, 4, UINT32_MAX});
  check_integers<uint64_t>(DType::kUint64, pb::tensor::kUint64Data, {0, 1, 2, 3, 4, UINT64_MAX});
  check_integers<uint16_t>(DType::kFloat16, pb::tensor::kInt32Data, {0, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 1});
  check_integers<uint16_t>(DType::kBFloat16, pb::tensor::kInt32Data, {0, 0x3f80, 0xbf80, 0x7f80, 0xff80, 1});
  for (const DType t : {DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ,
                        DType::kFloat8E8M0}) {
    check_integers<uint8_t>(t, pb::tensor::kInt32Data, {0, 1, 0x38, 0x7f, 0x80, 0xff});
  }
  check_type<uint8_t, int64_t>(DType::kBool, {0, 1, 1, 0, 1, 0}, {0, 1, 1, 0, 1, 0}, pb::tensor::kInt32Data);
  const std::vector<float> parts = {1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6};
  check_type<float, float>(DType::kComplex64, parts, parts, pb::tensor::kFloatData);
  const std::vector<double> wide(parts.begin(), parts.end());
  check_type<double, double>(DType::kComplex128, wide, wide, pb::tensor::kDoubleData);
}

TEST_CASE("elements of 4 and 2 bits are unpacked, the first from the lowest bits", "[onnx]") {
  struct Row {
    DType dtype;
    std::vector<uint8_t> packed;
    std::vector<int8_t> elements;
  };
  const Row rows[] = {
      {DType::kUint4, {0x10, 0xf2, 0x09}, {0, 1, 2, 15, 9}},
      {DType::kInt4, {0x10, 0xf2, 0x09}, {0, 1, 2, -1, -7}},
      {DType::kFloat4E2M1, {0x10, 0xf2, 0x09}, {0, 1, 2, 15, 9}},
      {DType::kUint2, {0xe4, 0x02}, {0, 1, 2, 3, 2}},
      {DType::kInt2, {0xe4, 0x02}, {0, 1, -2, -1, -2}},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(dtype_name(row.dtype)));
    const auto type = static_cast<int64_t>(row.dtype);
    for (const bool raw : {true, false}) {
      const Tensor t = read_weight(raw ? raw_tensor("w", type, {5}, bytes_of(row.packed))
                                       : tensor_with("w", type, {5}, [&](auto& w) {
                                           w.add_packed_int64(pb::tensor::kInt32Data, row.packed.begin(),
                                                              row.packed.end());
                                         }));
      CHECK(t.dtype() == row.dtype);
      REQUIRE(t.count() == 5);
      CHECK(std::memcmp(t.raw(), row.elements.data(), 5) == 0);
    }
  }
}

TEST_CASE("strings are std::string objects and may hold any bytes", "[onnx]") {
  const Strings values = {"", std::string("a\0b", 3), "\xff\xfe", std::string(100, 'x')};
  const Tensor t =
      read_weight(tensor_with("w", 8, {4}, [&](auto& w) { add_all(w, pb::tensor::kStringData, values); }));
  REQUIRE(t.dtype() == DType::kString);
  CHECK(std::equal(values.begin(), values.end(), t.values<std::string>().begin()));
}

TEST_CASE("bools other than 0 and 1 become 1", "[onnx]") {
  for (const Bytes& file :
       {raw_tensor("w", 9, {4}, Bytes("\x00\x02\xff\x01", 4)), tensor_with("w", 9, {4}, [](auto& w) {
          const std::vector<int64_t> values = {0, 2, -1, 1};
          w.add_packed_int64(pb::tensor::kInt32Data, values.begin(), values.end());
        })}) {
    const Tensor t = read_weight(file);
    CHECK(std::memcmp(t.raw(), "\x00\x01\x01\x01", 4) == 0);
  }
}

TEST_CASE("tensors without elements and scalars", "[onnx]") {
  CHECK(read_weight(raw_tensor("w", 1, {0, 3}, "")).shape() == Shape{0, 3});
  CHECK(read_weight(tensor_with("w", 8, {0}, [](auto&) {})).count() == 0);
  CHECK(read_weight(tensor_with("w", 7, {0}, [](auto&) {})).dtype() == DType::kInt64);
  CHECK(*read_weight(float_tensor("w", {}, {2.5f})).data<float>() == 2.5f);
}

TEST_CASE("weights stay within the model's block, moved down to their alignment", "[onnx]") {
  // A name one character longer moves the weight's place by one byte: all alignments come by.
  for (size_t pad = 0; pad < 16; ++pad) {
    std::vector<float> first(33), second(40);
    for (size_t i = 0; i < first.size(); ++i) first[i] = static_cast<float>(i) + 0.25f;
    for (size_t i = 0; i < second.size(); ++i) second[i] = -static_cast<float>(i);
    const Bytes packed = tensor_with("w2", 1, {40}, [&](auto& w) {
      w.add_packed_float(pb::tensor::kFloatData, second.begin(), second.end());
    });
    const std::vector<int64_t> wide = {1, -2, 3};
    const Bytes file =
        model_file({.graph = graph({.nodes = {node("Relu", {"w"}, {std::string(pad + 1, 'p')})},
                                    .initializers = {float_tensor("w", {33}, first), packed,
                                                     raw_tensor("w3", 7, {3}, bytes_of(wide))},
                                    .outputs = {value("w")}})});
    const ModelBytes bytes = model_bytes(file);
    const Model model = read_onnx(bytes, {});
    const Tensor& a = constant(model.graph, "w");
    const Tensor& b = constant(model.graph, "w2");
    const Tensor& c = constant(model.graph, "w3");
    CAPTURE(pad);
    for (const Tensor* t : {&a, &b}) {
      CHECK(reinterpret_cast<uintptr_t>(t->raw()) % alignof(float) == 0);
      CHECK(t->raw() >= bytes.data.get());
      CHECK(t->raw() + t->bytes() <= bytes.data.get() + bytes.size);
    }
    CHECK(reinterpret_cast<uintptr_t>(c.raw()) % alignof(int64_t) == 0);
    CHECK(std::memcmp(a.raw(), first.data(), first.size() * 4) == 0);
    CHECK(std::memcmp(b.raw(), second.data(), second.size() * 4) == 0);
    CHECK(std::memcmp(c.raw(), wide.data(), wide.size() * 8) == 0);
  }
}

TEST_CASE("a weight keeps the model's block alive", "[onnx]") {
  Tensor t;
  {
    const std::vector<float> values(64, 3.0f);
    t = read_weight(float_tensor("w", {64}, values));
  }
  CHECK(t.values<float>()[63] == 3.0f);
}

TEST_CASE("tensors that contradict themselves are refused", "[onnx]") {
  const auto no_data = [](auto&) {};
  const auto floats = [](auto& w) {
    const std::vector<float> v = {1, 2, 3};
    w.add_packed_float(pb::tensor::kFloatData, v.begin(), v.end());
  };
  const auto ints = [](std::vector<int64_t> v) {
    return [v](auto& w) { w.add_packed_int64(pb::tensor::kInt32Data, v.begin(), v.end()); };
  };
  struct Row {
    const char* label;
    Bytes tensor;
    const char* message;
  };
  const Row rows[] = {
      {"too few raw bytes", raw_tensor("w", 1, {64, 3, 7, 7}, Bytes(1024, 'x')),
       "initializer 'w': 1024 bytes of raw_data for float32 [64,3,7,7], expected 37632"},
      {"too many raw bytes", raw_tensor("w", 7, {1}, Bytes(9, 'x')),
       "9 bytes of raw_data for int64 [1], expected 8"},
      {"no data", tensor_with("w", 1, {3}, no_data), "0 elements of float_data for float32 [3], expected 3"},
      {"too many elements", tensor_with("w", 1, {2}, floats),
       "3 elements of float_data for float32 [2], expected 2"},
      {"odd complex", tensor_with("w", 14, {2}, floats),
       "3 elements of float_data for complex64 [2], expected 4"},
      {"another typed field", tensor_with("w", 7, {3}, floats),
       "int64 elements are in float_data, expected in int64_data"},
      {"two typed fields", tensor_with("w", 1, {3}, [&](auto& w) { floats(w), ints({1})(w); }),
       "the tensor has both float_data and int32_data"},
      {"raw and typed",
       tensor_with("w", 1, {3}, [&](auto& w) { floats(w), w.add_bytes(pb::tensor::kRawData, "abcd"); }),
       "the tensor has both raw_data and float_data"},
      {"a value beyond the type", tensor_with("w", 2, {2}, ints({1, 256})),
       "element 1 is 256, which does not fit uint8"},
      {"a value below the type", tensor_with("w", 3, {1}, ints({-129})),
       "element 0 is -129, which does not fit int8"},
      {"more than 16 bits", tensor_with("w", 10, {1}, ints({65536})),
       "element 0 is 65536, which is not 16 bits"},
      {"packed floats cut",
       tensor_with("w", 1, {1}, [](auto& w) { w.add_bytes(pb::tensor::kFloatData, "abcde"); }),
       "packed numbers that do not fill the field"},
      {"packed varints cut",
       tensor_with("w", 6, {1}, [](auto& w) { w.add_bytes(pb::tensor::kInt32Data, "\x01\xff"); }),
       "malformed number"},
      {"negative dim", raw_tensor("w", 1, {2, -3}, ""), "float32 tensor: shape [2,-3] has a negative dim"},
      {"absurd dim", raw_tensor("w", 1, {int64_t{1} << 62}, ""), "more than 2^48 elements"},
      {"absurd product", raw_tensor("w", 1, {1 << 30, 1 << 30, 1 << 30}, ""), "more than 2^48 elements"},
      {"large and empty", raw_tensor("w", 1, {1 << 27}, ""),
       "0 bytes of raw_data for float32 [134217728], expected 536870912"},
      {"rank", raw_tensor("w", 1, std::vector<int64_t>(17, 1), "abcd"), "a tensor of more than 16 dims"},
      {"no type", raw_tensor("w", 0, {1}, "abcd"), "the element type is missing"},
      {"a later type", raw_tensor("w", 27, {1}, "a"), "initializer 'w': element type 27 is unknown"},
      {"too few packed bytes", raw_tensor("w", 22, {3}, "a"), "1 bytes of raw_data for uint8 [2], expected 2"},
      {"too many packed bytes", raw_tensor("w", 26, {4}, "ab"), "2 bytes of raw_data for uint8 [1], expected 1"},
      {"unknown type", raw_tensor("w", 99, {1}, "a"), "element type 99 is unknown"},
      {"negative type", raw_tensor("w", -1, {1}, "a"), "element type -1 is unknown"},
      {"raw strings", raw_tensor("w", 8, {1}, "a"), "strings cannot be given as raw_data"},
      {"too few strings",
       tensor_with("w", 8, {2}, [](auto& w) { w.add_string(pb::tensor::kStringData, "a"); }),
       "1 elements of string_data for string [2], expected 2"},
      {"segments", tensor_with("w", 1, {1}, [](auto& w) { w.add_string(pb::tensor::kSegment, ""); }),
       "segments"},
      {"no name", raw_tensor("", 1, {1}, "abcd"), "an initializer has no name"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(weight_file(row.tensor)), ContainsSubstring(row.message));
  }
}

TEST_CASE("external data is found by location, offset and length", "[onnx]") {
  Bytes block(64, '\0');
  const float values[] = {1, 2, 3};
  std::memcpy(block.data() + 16, values, sizeof values);
  std::memcpy(block.data() + 33, values, sizeof values);
  const std::map<std::string, ModelBytes> files = {{"w.bin", model_bytes(block)}};
  struct Row {
    const char* label;
    std::vector<std::pair<std::string, std::string>> entries;
    const char* error;  // null: reads 1 2 3
    bool in_place;
  };
  const Row rows[] = {
      {"aligned", {{"location", "w.bin"}, {"offset", "16"}, {"length", "12"}}, nullptr, true},
      {"without length", {{"location", "w.bin"}, {"offset", "16"}}, nullptr, true},
      {"misaligned is copied", {{"location", "w.bin"}, {"offset", "33"}, {"length", "12"}}, nullptr, false},
      {"unknown keys", {{"checksum", "x"}, {"location", "w.bin"}, {"offset", "16"}}, nullptr, true},
      {"file not given",
       {{"location", "../v.bin"}},
       "its data is in the file '../v.bin', which was not given: externalData must name it, and names 'w.bin'",
       false},
      {"no location", {{"offset", "16"}}, "external data without a location", false},
      {"past the end",
       {{"location", "w.bin"}, {"offset", "56"}},
       "12 bytes at 56 of 'w.bin', which has only 64",
       false},
      {"offset past the end",
       {{"location", "w.bin"}, {"offset", "65"}, {"length", "0"}},
       "which has only 64",
       false},
      {"overflow", {{"location", "w.bin"}, {"offset", "18446744073709551615"}}, "which has only 64", false},
      {"length that wraps around",
       {{"location", "w.bin"}, {"offset", "16"}, {"length", "18446744073709551608"}},
       "which has only 64",
       false},
      {"another length",
       {{"location", "w.bin"}, {"length", "8"}},
       "8 bytes of external data for float32 [3]",
       false},
      {"no number", {{"location", "w.bin"}, {"offset", "-1"}}, "offset is '-1', expected a number", false},
      {"number with a tail", {{"location", "w.bin"}, {"length", "12x"}}, "length is '12x'", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    const Bytes file = weight_file(tensor_with("w", 1, {3}, [&](auto& w) { add_external(w, row.entries); }));
    if (row.error != nullptr) {
      CHECK_THAT(read_error(file, files), ContainsSubstring(row.error));
      continue;
    }
    const Model model = read(file, files);
    const Tensor& t = constant(model.graph, "w");
    CHECK(std::memcmp(t.raw(), values, sizeof values) == 0);
    const std::byte* begin = files.at("w.bin").data.get();
    CHECK((t.raw() >= begin && t.raw() < begin + 64) == row.in_place);
  }
}

TEST_CASE("external bools are normalised in a copy", "[onnx]") {
  const std::map<std::string, ModelBytes> files = {{"w.bin", model_bytes(Bytes("\x02\x00", 2))}};
  const Model model =
      read(weight_file(tensor_with("w", 9, {2}, [](auto& w) { add_external(w, {{"location", "w.bin"}}); })),
           files);
  CHECK(std::memcmp(constant(model.graph, "w").raw(), "\x01\x00", 2) == 0);
  CHECK(std::memcmp(files.at("w.bin").data.get(), "\x02\x00", 2) == 0);
}

TEST_CASE("sparse initializers become dense", "[onnx]") {
  const auto sparse = [](const Bytes& values, const Bytes& indices, std::vector<int64_t> dims) {
    return message([&](auto& w) {
      w.add_message(pb::sparse_tensor::kValues, values);
      w.add_message(pb::sparse_tensor::kIndices, indices);
      w.add_packed_int64(pb::sparse_tensor::kDims, dims.begin(), dims.end());
    });
  };
  const auto indices = [](std::vector<int64_t> dims, std::vector<int64_t> at) {
    return raw_tensor("", 7, dims, bytes_of(at));
  };
  const auto file = [](const Bytes& s) {
    return model_file({.graph = graph({.outputs = {value("w")}, .sparse_initializers = {s}})});
  };
  const Bytes two = float_tensor("w", {2}, {5, 7});
  for (const Bytes& at : {indices({2}, {1, 5}), indices({2, 2}, {0, 1, 1, 2})}) {
    const Model model = read(file(sparse(two, at, {2, 3})));
    const Tensor& t = constant(model.graph, "w");
    const float expected[] = {0, 5, 0, 0, 0, 7};
    REQUIRE(t.shape() == Shape{2, 3});
    CHECK(std::memcmp(t.raw(), expected, sizeof expected) == 0);
  }
  struct Row {
    const char* label;
    Bytes tensor;
    const char* message;
  };
  const Row rows[] = {
      {"index too large", sparse(two, indices({2}, {1, 6}), {2, 3}),
       "sparse index 6 is outside of shape [2,3]"},
      {"index negative", sparse(two, indices({2}, {-1, 1}), {2, 3}), "sparse index -1 is outside"},
      {"coordinate too large", sparse(two, indices({2, 2}, {0, 3, 1, 2}), {2, 3}),
       "sparse index 3 is outside"},
      {"too few indices", sparse(two, indices({1}, {1}), {2, 3}),
       "sparse indices are int64 [1], expected int64 [2]"},
      {"indices of another type", sparse(two, float_tensor("", {2}, {0, 1}), {2, 3}),
       "sparse indices are float32 [2]"},
      {"values of two dims", sparse(float_tensor("w", {1, 2}, {5, 7}), indices({1}, {1}), {2, 3}),
       "expected one dim"},
      {"absurd shape", sparse(two, indices({2}, {0, 1}), {(1 << 27) + 1}), "too large to be made dense"},
      {"negative dim", sparse(two, indices({2}, {0, 1}), {-2}), "negative dim"},
      {"nothing", "", "a sparse tensor without values or indices"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(file(row.tensor)), ContainsSubstring(row.message));
  }
}
