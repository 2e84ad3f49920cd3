#include "values.hpp"

#include <cmath>
#include <fstream>
#include <sstream>

#include "model/tensor_reader.hpp"
#include "ops/convert.hpp"

namespace kinglet::conformance {
namespace {

using onnx::Fields;

struct Source {
  ModelBytes block;
  std::map<std::string, ModelBytes> files;
};

Tensor tensor(Fields fields, const Source& source) {
  // The reader may leave elements in the file's block, which every tensor keeps alive.
  return onnx::read_tensor(fields, {source.block, source.files}, "value").tensor;
}

Tensor value(Fields fields, const ValueType& type, const Source& source);

const ValueType& item_of(const ValueType& type) {
  static const ValueType unknown;
  return type.item != nullptr ? *type.item : unknown;
}

/// SequenceProto: tensors are field 3, sequences 5, maps 6, optionals 7.
Tensor sequence(Fields fields, const ValueType& type, const Source& source) {
  std::vector<Tensor> items;
  while (fields.next()) {
    const uint32_t n = fields.number();
    if (n == 3) {
      items.push_back(tensor(fields.message(), source));
    } else if (n == 5 || n == 6 || n == 7) {
      items.push_back(value(fields.message(), item_of(type), source));
    } else {
      fields.skip();
    }
  }
  return Tensor::sequence(items);
}

/// OptionalProto: a tensor is field 3, a sequence 5, a map 6, an optional 7.
Tensor optional(Fields fields, const ValueType& type, const Source& source) {
  Tensor held = Tensor::no_value();
  while (fields.next()) {
    const uint32_t n = fields.number();
    if (n == 3) {
      held = tensor(fields.message(), source);
    } else if (n >= 5 && n <= 7) {
      held = value(fields.message(), item_of(type), source);
    } else {
      fields.skip();
    }
  }
  return held;
}

Tensor value(Fields fields, const ValueType& type, const Source& source) {
  switch (type.kind) {
    case ValueType::Kind::kSequence: return sequence(fields, type, source);
    case ValueType::Kind::kOptional: return optional(fields, type, source);
    case ValueType::Kind::kMap: throw_error(ErrorCode::kInternal, "no case has maps as data");
    default: return tensor(fields, source);
  }
}

bool same_number(double actual, double expected, double rtol) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (actual == expected) return true;
  return std::isfinite(expected) && std::abs(actual - expected) <= 1e-5 + rtol * std::abs(expected);
}

std::string tensor_difference(const Tensor& a, const Tensor& e) {
  const size_t n = e.count();
  if (e.dtype() == DType::kString) {
    for (size_t i = 0; i < n; ++i) {
      if (a.values<std::string>()[i] != e.values<std::string>()[i]) {
        return text("element {} is '{}', expected '{}'", i, a.values<std::string>()[i], e.values<std::string>()[i]);
      }
    }
    return "";
  }
  const auto* x = a.raw();
  const auto* y = e.raw();
  if (!is_float(e.dtype()) && !is_small_float(e.dtype()) && e.dtype() < DType::kComplex64) {
    for (size_t i = 0, size = dtype_size(e.dtype()); i < n; ++i) {
      if (std::equal(x + i * size, x + (i + 1) * size, y + i * size)) continue;
      double got = 0, wanted = 0;
      ops::convert(e.dtype(), x + i * size, DType::kFloat64, &got, 1);
      ops::convert(e.dtype(), y + i * size, DType::kFloat64, &wanted, 1);
      return text("element {} is {}, expected {}", i, got, wanted);
    }
    return "";
  }
  DType part = e.dtype();
  size_t parts = n;
  if (part == DType::kComplex64 || part == DType::kComplex128) {
    part = part == DType::kComplex64 ? DType::kFloat32 : DType::kFloat64;
    parts = 2 * n;
  }
  std::vector<double> got(parts), wanted(parts);
  ops::convert(part, x, DType::kFloat64, got.data(), parts);
  ops::convert(part, y, DType::kFloat64, wanted.data(), parts);
  for (size_t i = 0; i < parts; ++i) {
    if (!same_number(got[i], wanted[i], e.dtype() == DType::kBFloat16 ? 0x1p-6 : 1e-3)) {
      return text("element {} is {}, expected {}", i, got[i], wanted[i]);
    }
  }
  return "";
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw_error(ErrorCode::kInvalidArgument, "cannot read {}", path.string());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Tensor read_value(const std::string& bytes, const ValueType& type) {
  Source source{ModelBytes::copy_of(std::as_bytes(std::span(bytes))), {}};
  const auto* begin = reinterpret_cast<const char*>(source.block.data.get());
  return value(Fields({begin, source.block.size}, begin), type, source);
}

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype()) return text("a {}, expected a {}", actual.dtype(), expected.dtype());
  if (expected.dtype() == DType::kNone) return "";
  if (!(actual.shape() == expected.shape())) return text("shape {}, expected {}", actual.shape(), expected.shape());
  if (!is_container(expected.dtype())) return tensor_difference(actual, expected);
  for (size_t i = 0; i < expected.items().size(); ++i) {
    const std::string found = difference(actual.items()[i], expected.items()[i]);
    if (!found.empty()) return text("item {}: {}", i, found);
  }
  return "";
}

}  // namespace kinglet::conformance
