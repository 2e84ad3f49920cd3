// Cast and CastLike between numbers of all formats, bool and strings (ONNX Cast 1 to 25, CastLike 15 to 25), and BitCast,
// which keeps the bits (ONNX BitCast 26).

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

constexpr TypeSet kSmallFormats = type_set(DType::kFloat8E4M3FN) | type_set(DType::kFloat8E4M3FNUZ) |
                                  type_set(DType::kFloat8E5M2) | type_set(DType::kFloat8E5M2FNUZ) |
                                  type_set(DType::kFloat8E8M0) | type_set(DType::kFloat4E2M1) |
                                  type_set(DType::kUint4) | type_set(DType::kInt4) | type_set(DType::kUint2) |
                                  type_set(DType::kInt2);
constexpr TypeSet kCastable = kNumbers | kBools | kStrings | kSmallFormats;
constexpr TypeSet kHasBits = kNumbers | kBools | kSmallFormats | type_set(DType::kComplex64) | type_set(DType::kComplex128);

struct Cast {
  DType to = DType::kUndefined;  ///< kUndefined: the type of input 1
  SmallFloatRounding rounding;
};

/// Before opset 6 the type has a name: FLOAT, DOUBLE, and the others as the public API has them.
std::optional<DType> parse_type_name(std::string name) {
  for (char& ch : name) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch;
  return name == "float" ? DType::kFloat32 : name == "double" ? DType::kFloat64 : dtype_from_name(name);
}

DType parse_type(const NodeView& n, TypeSet allowed) {
  const bool named = n.opset() < 6;
  const auto to = named ? parse_type_name(n.attr_string("to")) : dtype_from_onnx(n.attr_int("to"));
  if (!to || *to == DType::kUndefined) {
    throw_error(ErrorCode::kModel, "type {} is not known", named ? n.attr_string("to") : text("{}", n.attr_int("to")));
  }
  check_type(*to, allowed);
  return *to;
}

Cast parse_like(const NodeView& n) {
  Cast op;
  op.rounding.saturate = n.attr_int("saturate", 1) != 0;
  const std::string mode = n.attr_string("round_mode", "up");
  if (mode == "down") {
    op.rounding.power = PowerRounding::kDown;
  } else if (mode == "nearest") {
    op.rounding.power = PowerRounding::kNearest;
  } else if (mode != "up") {
    throw_error(ErrorCode::kModel, "attribute 'round_mode' is '{}'", mode);
  }
  return op;
}

Cast parse(const NodeView& n) {
  Cast op = parse_like(n);
  op.to = parse_type(n, kCastable);
  return op;
}

void infer(const Cast& op, InferContext& c) {
  check_type(c.dtype(0), kCastable);
  const DType to = op.to != DType::kUndefined ? op.to : c.dtype(1);
  check_type(to, kCastable);
  c.out(0, to, c.shape(0));
  if (to != DType::kInt64) return;
  if (auto dims = c.dims(0)) c.out_dims(0, std::move(*dims));
}

bool computes_in_floats(DType type) { return is_float(type) || is_small_float(type); }

/// The shortest text that reads back as the same number.
std::string to_text(DType type, const std::byte* element) {
  std::string out;
  if (!computes_in_floats(type)) {
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

void from_text(const std::string& text, DType type, std::byte* element, SmallFloatRounding rounding) {
  const char* begin = text.c_str();
  const char* end = begin + text.size();
  char* stop = nullptr;
  if (!computes_in_floats(type) && type != DType::kBool) {
    errno = 0;
    const bool negative = text.find('-') != std::string::npos;
    const uint64_t value =
        negative ? static_cast<uint64_t>(std::strtoll(begin, &stop, 10)) : std::strtoull(begin, &stop, 10);
    if (stop == end && !text.empty() && errno == 0) return convert(DType::kUint64, &value, type, element, 1);
  }
  const double value = std::strtod(begin, &stop);
  if (stop != end || text.empty()) throw_error(ErrorCode::kInvalidArgument, "'{}' is not a number", text);
  convert(DType::kFloat64, &value, type, element, 1, rounding);
}

void run(const Cast& op, RunContext& c) {
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
      from_text(x.data<std::string>()[i], y.dtype(), y.raw() + i * dtype_size(y.dtype()), op.rounding);
    }
  } else {
    convert(x.dtype(), x.raw(), y.dtype(), y.raw(), n, op.rounding);
  }
}

struct BitCast {
  DType to;
};

BitCast parse_bits(const NodeView& n) { return {parse_type(n, kHasBits)}; }

void infer_bits(const BitCast& op, InferContext& c) {
  const DType from = c.dtype(0);
  check_type(from, kHasBits);
  const bool same_width = from == DType::kUndefined || (dtype_size(from) == dtype_size(op.to) &&
                                                         packed_per_byte(from) == packed_per_byte(op.to));
  c.require(same_width, "{} and {} have different numbers of bits", from, op.to);
  c.out(0, op.to, c.shape(0));
}

void run_bits(const BitCast& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const size_t n = x.count();
  if (packed_per_byte(op.to) == 1 && op.to != DType::kBool) {
    if (n != 0) std::memcpy(y.raw(), x.raw(), x.bytes());
    return;
  }
  // Bits above those of a small type repeat its sign or are zero, by the type; a bool is 0 or 1.
  const int bits = 8 / static_cast<int>(packed_per_byte(op.to));
  const bool is_signed = op.to == DType::kInt4 || op.to == DType::kInt2;
  for (size_t i = 0; i < n; ++i) {
    const auto top = static_cast<uint8_t>(static_cast<uint8_t>(x.raw()[i]) << (8 - bits));
    const int value = is_signed ? static_cast<int8_t>(top) >> (8 - bits) : top >> (8 - bits);
    y.raw()[i] = static_cast<std::byte>(op.to == DType::kBool ? value != 0 : value);
  }
}

}  // namespace

KINGLET_OP(Cast, op<Cast, parse, infer, run>(since(1)).with_traits(kPermutable));
KINGLET_OP(CastLike, op<Cast, parse_like, infer, run>(since(15)));
KINGLET_OP(BitCast, op<BitCast, parse_bits, infer_bits, run_bits>(since(26)).with_traits(kPermutable));

}  // namespace kinglet::ops
