// LabelEncoder and CategoryMapper (ai.onnx.ml): each element replaced by the value beside the key that it
// equals, or by a default. Opset 1 of LabelEncoder numbers a list of strings; opset 4 takes lists of any type
// as tensors.

#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct Mapping {
  DType from;
  ml::TensorKeys keys;
  Tensor values;
  Tensor otherwise;  ///< one element

  Mapping(const Tensor& key_list, Tensor value_list, Tensor default_value)
      : from(key_list.dtype()),
        keys(key_list),
        values(std::move(value_list)),
        otherwise(std::move(default_value)) {
    ml::check_attributes(key_list.count() == values.count(), "as many keys as values");
    ml::check_attributes(otherwise.count() == 1 && otherwise.dtype() == values.dtype(),
                         "the default is one element of the type of the values");
  }
};

/// One or two, chosen by the type of the input.
struct Encoder {
  std::vector<Mapping> mappings;
};

/// Strings to integers and back.
Encoder both_ways(const NodeView& n, const Tensor& strings, const Tensor& ints) {
  return {{Mapping(strings, ints, Tensor::scalar(n.attr_int("default_int64", -1))),
           Mapping(ints, strings, Tensor::scalar(n.attr_string("default_string", "_Unused")))}};
}

Tensor default_value(const NodeView& n, DType type) {
  if (n.has("default_tensor")) return n.attr_tensor("default_tensor");
  if (type == DType::kString) return Tensor::scalar(n.attr_string("default_string", "_Unused"));
  if (type == DType::kInt64) return Tensor::scalar(n.attr_int("default_int64", -1));
  Tensor out(type, {});
  const double value =
      is_float(type) ? n.attr_float("default_float", -0.0f) : n.attr_int("default_int64", -1);
  const auto element = element_of(type, value);
  copy_elements(type, out.raw(), element.data(), 1);
  return out;
}

Encoder parse(const NodeView& n) {
  if (n.opset() < 2) {
    const Tensor strings = ml::vector_of(n.attr_strings("classes_strings", {}));
    std::vector<int64_t> ints(strings.count());
    for (size_t i = 0; i < ints.size(); ++i) ints[i] = static_cast<int64_t>(i);
    return both_ways(n, strings, ml::vector_of(std::move(ints)));
  }
  const Tensor keys = ml::list_attribute(n, "keys"), values = ml::list_attribute(n, "values");
  ml::check_attributes(keys.valid() && values.valid(), "keys and values are needed");
  return {{Mapping(keys, values, default_value(n, values.dtype()))}};
}

Encoder parse_category_mapper(const NodeView& n) {
  return both_ways(n, ml::vector_of(n.attr_strings("cats_strings", {})),
                   ml::vector_of(n.attr_ints("cats_int64s", {})));
}

const Mapping& mapping_for(const Encoder& op, DType type) {
  for (const Mapping& m : op.mappings) {
    if (m.from == type) return m;
  }
  throw_error(ErrorCode::kModel, "element type {} is not supported here", type);
}

void infer(const Encoder& op, InferContext& c) {
  const bool known = c.dtype(0) != DType::kUndefined;
  c.out(0, known ? mapping_for(op, c.dtype(0)).values.dtype() : DType::kUndefined, c.shape(0));
}

void run(const Encoder& op, RunContext& c) {
  const Mapping& mapping = mapping_for(op, c.in(0).dtype());
  Tensor& y = c.out(0);
  const std::vector<size_t> found = mapping.keys.find(c.in(0));
  for (size_t i = 0; i < found.size(); ++i) {
    const std::byte* value =
        found[i] == ml::kNoKey ? mapping.otherwise.raw() : element(mapping.values, found[i]);
    copy_elements(y.dtype(), element(y, i), value, 1);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", LabelEncoder, op<Encoder, parse, infer, run>(since(1)));
KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", CategoryMapper,
              op<Encoder, parse_category_mapper, infer, run>(since(1)));

}  // namespace kinglet::ops
