// Cast and CastLike between numbers, bool and strings.

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Cast {
  DType to;  ///< kUndefined: the type of input 1
};

Cast parse(const NodeView& n) {
  const int64_t number = n.attr_int("to");
  const auto to = dtype_from_onnx(number);
  if (!to || *to == DType::kUndefined) throw_error(ErrorCode::kModel, "type number {} is not known", number);
  check_type(*to, kNumbers | kBools | kStrings);
  return {*to};
}

Cast parse_like(const NodeView&) { return {DType::kUndefined}; }

void infer(const Cast& op, InferContext& c) {
  constexpr TypeSet kAllowed = kNumbers | kBools | kStrings;
  check_type(c.dtype(0), kAllowed);
  const DType to = op.to != DType::kUndefined ? op.to : c.dtype(1);
  check_type(to, kAllowed);
  c.out(0, to, c.shape(0));
  if (to != DType::kInt64) return;
  if (auto dims = c.dims(0)) c.out_dims(0, std::move(*dims));
}

/// The shortest text that reads back as the same number.
std::string to_text(DType type, const std::byte* element) {
  std::string out;
  if (!is_float(type)) {
    uint64_t wide;
    convert(type, element, DType::kUint64, &wide, 1);
    if (wide_type(type) == DType::kInt64) {
      append_text(out, static_cast<int64_t>(wide));
    } else {
      append_text(out, wide);
    }
    return out;
  }
  double value;
  convert(type, element, DType::kFloat64, &value, 1);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-INF" : "INF";
  char buffer[40];
  const bool is_double = type == DType::kFloat64;
  const int last = is_double ? 17 : 9;
  for (int digits = is_double ? 15 : 6; digits <= last; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    const double back = std::strtod(buffer, nullptr);
    if (is_double ? back == value : static_cast<float>(back) == static_cast<float>(value)) break;
  }
  return buffer;
}

void from_text(const std::string& text, DType type, std::byte* element) {
  const char* begin = text.c_str();
  const char* end = begin + text.size();
  char* stop = nullptr;
  if (!is_float(type) && type != DType::kBool) {
    errno = 0;
    const bool negative = text.find('-') != std::string::npos;
    const uint64_t value =
        negative ? static_cast<uint64_t>(std::strtoll(begin, &stop, 10)) : std::strtoull(begin, &stop, 10);
    if (stop == end && !text.empty() && errno == 0) return convert(DType::kUint64, &value, type, element, 1);
  }
  const double value = std::strtod(begin, &stop);
  if (stop != end || text.empty()) throw_error(ErrorCode::kInvalidArgument, "'{}' is not a number", text);
  convert(DType::kFloat64, &value, type, element, 1);
}

void run(const Cast&, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (x.dtype() == y.dtype()) return y.copy_from(x);
  const size_t n = x.count();
  if (y.dtype() == DType::kString) {
    for (size_t i = 0; i < n; ++i) {
      y.data<std::string>()[i] = to_text(x.dtype(), x.raw() + i * dtype_size(x.dtype()));
    }
  } else if (x.dtype() == DType::kString) {
    for (size_t i = 0; i < n; ++i) {
      from_text(x.data<std::string>()[i], y.dtype(), y.raw() + i * dtype_size(y.dtype()));
    }
  } else {
    convert(x.dtype(), x.raw(), y.dtype(), y.raw(), n);
  }
}

}  // namespace

KINGLET_OP(Cast, op<Cast, parse, infer, run>(since(1)).with_traits(kPermutable));
KINGLET_OP(CastLike, op<Cast, parse_like, infer, run>(since(15)));

}  // namespace kinglet::ops
