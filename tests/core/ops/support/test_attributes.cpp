#include "ops/support/test_attributes.hpp"

namespace kinglet::test {
namespace {

Attribute named(std::string_view name, Attribute::Kind kind) {
  Attribute a;
  a.name = name;
  a.kind = kind;
  return a;
}

}  // namespace

Attribute attr(std::string_view name, int64_t value) {
  Attribute a = named(name, Attribute::Kind::kInt);
  a.i = value;
  return a;
}
Attribute attr(std::string_view name, float value) {
  Attribute a = named(name, Attribute::Kind::kFloat);
  a.f = value;
  return a;
}
Attribute attr(std::string_view name, const char* value) {
  Attribute a = named(name, Attribute::Kind::kString);
  a.s = value;
  return a;
}
Attribute attr(std::string_view name, Tensor value) {
  Attribute a = named(name, Attribute::Kind::kTensor);
  a.tensors.push_back(std::move(value));
  return a;
}
Attribute attr_ints(std::string_view name, std::vector<int64_t> value) {
  Attribute a = named(name, Attribute::Kind::kInts);
  a.ints = std::move(value);
  return a;
}
Attribute attr_floats(std::string_view name, std::vector<float> value) {
  Attribute a = named(name, Attribute::Kind::kFloats);
  a.floats = std::move(value);
  return a;
}
Attribute attr_strings(std::string_view name, std::vector<std::string> value) {
  Attribute a = named(name, Attribute::Kind::kStrings);
  a.strings = std::move(value);
  return a;
}
Attribute attr_graph(std::string_view name, size_t index) {
  Attribute a = named(name, Attribute::Kind::kGraph);
  a.subgraphs.push_back(index);
  return a;
}

}  // namespace kinglet::test
