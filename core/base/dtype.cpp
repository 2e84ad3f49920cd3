#include "base/dtype.hpp"

#include "base/tensor.hpp"

namespace kinglet {
namespace {

struct Row {
  DType type;
  std::string_view name;
  size_t size;
};

constexpr Row kRows[] = {
    {DType::kUndefined, "undefined", 0},
    {DType::kFloat32, "float32", 4},
    {DType::kUint8, "uint8", 1},
    {DType::kInt8, "int8", 1},
    {DType::kUint16, "uint16", 2},
    {DType::kInt16, "int16", 2},
    {DType::kInt32, "int32", 4},
    {DType::kInt64, "int64", 8},
    {DType::kString, "string", sizeof(std::string)},
    {DType::kBool, "bool", 1},
    {DType::kFloat16, "float16", 2},
    {DType::kFloat64, "float64", 8},
    {DType::kUint32, "uint32", 4},
    {DType::kUint64, "uint64", 8},
    {DType::kComplex64, "complex64", 8},
    {DType::kComplex128, "complex128", 16},
    {DType::kBFloat16, "bfloat16", 2},
    {DType::kFloat8E4M3FN, "float8e4m3fn", 1},
    {DType::kFloat8E4M3FNUZ, "float8e4m3fnuz", 1},
    {DType::kFloat8E5M2, "float8e5m2", 1},
    {DType::kFloat8E5M2FNUZ, "float8e5m2fnuz", 1},
    {DType::kUint4, "uint4", 1},
    {DType::kInt4, "int4", 1},
    {DType::kFloat4E2M1, "float4e2m1", 1},
    {DType::kFloat8E8M0, "float8e8m0", 1},
    {DType::kUint2, "uint2", 1},
    {DType::kInt2, "int2", 1},
};

constexpr Row kContainers[] = {
    {DType::kNone, "none", 0},
    {DType::kMap, "map", sizeof(Tensor)},
    {DType::kSequence, "sequence", sizeof(Tensor)},
};

const Row& row(DType type) {
  return is_container(type) ? kContainers[static_cast<size_t>(type) - static_cast<size_t>(DType::kNone)]
                            : kRows[static_cast<size_t>(type)];
}

}  // namespace

std::optional<DType> dtype_from_onnx(int64_t value) {
  if (value <= 0 || value >= static_cast<int64_t>(std::size(kRows))) return std::nullopt;
  return static_cast<DType>(value);
}

std::string_view dtype_name(DType type) { return row(type).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name && row.type != DType::kUndefined) return row.type;
  }
  return std::nullopt;
}

size_t dtype_size(DType type) { return row(type).size; }

}  // namespace kinglet
