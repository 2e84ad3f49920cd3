// CastMap (ai.onnx.ml): the values of a map with int64 keys as a tensor [1, n], in the order of the keys
// (DENSE), or each at the index that is its key, of max_map (SPARSE). Absent ones are 0; floats become texts
// of six decimals.

#include <cstdio>
#include <cstdlib>

#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct CastMap {
  DType to;
  bool sparse;
  int64_t size;  ///< of a sparse one
};

CastMap parse(const NodeView& n) {
  const std::string to = n.attr_string("cast_to", "TO_FLOAT"), form = n.attr_string("map_form", "DENSE");
  ml::check_attributes(form == "DENSE" || form == "SPARSE", "map_form is DENSE or SPARSE");
  CastMap op{DType::kFloat32, form == "SPARSE", n.attr_int("max_map", 1)};
  if (to == "TO_STRING") {
    op.to = DType::kString;
  } else if (to == "TO_INT64") {
    op.to = DType::kInt64;
  } else {
    ml::check_attributes(to == "TO_FLOAT", "cast_to is TO_FLOAT, TO_STRING or TO_INT64");
  }
  ml::check_attributes(op.size >= 0, "max_map is negative");
  return op;
}

void infer(const CastMap& op, InferContext& c) {
  c.in(0);
  c.out(0, op.to, SymShape({Dim(1), op.sparse ? Dim(op.size) : Dim()}));
}

double to_number(const Tensor& values, size_t i) {
  if (values.dtype() != DType::kString) return values.data<float>()[i];
  const std::string& text = values.data<std::string>()[i];
  char* stop = nullptr;
  const double value = std::strtod(text.c_str(), &stop);
  if (stop != text.c_str() + text.size() || text.empty()) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' is not a number", text);
  }
  return value;
}

void set(Tensor& y, size_t at, const Tensor& values, size_t i) {
  if (y.dtype() == DType::kString) {
    std::string& text = y.data<std::string>()[at];
    if (values.dtype() == DType::kString) {
      text = values.data<std::string>()[i];
    } else {
      char buffer[64];
      std::snprintf(buffer, sizeof buffer, "%f", static_cast<double>(values.data<float>()[i]));
      text = buffer;
    }
    return;
  }
  const auto number = element_of(y.dtype(), to_number(values, i));
  copy_elements(y.dtype(), element(y, at), number.data(), 1);
}

void run(const CastMap& op, RunContext& c) {
  const auto [keys, values] = ml::map_parts(c.in(0));
  if (keys.dtype() != DType::kInt64 ||
      (values.dtype() != DType::kFloat32 && values.dtype() != DType::kString)) {
    throw_error(ErrorCode::kModel, "a map from {} to {} is not supported here", keys.dtype(), values.dtype());
  }
  const std::span<const int64_t> key = keys.values<int64_t>();
  if (op.sparse) {
    Tensor& y = c.out(0);
    fill_elements(y.dtype(), y.raw(), nullptr, y.count());
    if (y.dtype() == DType::kString) std::fill_n(y.data<std::string>(), y.count(), std::string("0"));
    for (size_t i = 0; i < key.size(); ++i) {
      c.require(key[i] >= 0, "key {} is negative", key[i]);
      if (key[i] < op.size) set(y, static_cast<size_t>(key[i]), values, i);
    }
    return;
  }
  std::vector<size_t> order(key.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key[a] < key[b]; });
  Tensor& y = c.out(0, op.to, {1, static_cast<int64_t>(key.size())});
  for (size_t i = 0; i < order.size(); ++i) set(y, i, values, order[i]);
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", CastMap, op<CastMap, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
