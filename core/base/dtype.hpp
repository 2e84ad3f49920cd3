#pragma once
// Element types: ONNX TensorProto.DataType, their C++ types, and dispatch from one to the other.

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.hpp"
#include "base/half.hpp"
#include "base/inlining.hpp"

namespace kinglet {

/// Values are those of ONNX TensorProto.DataType. In memory an element of a 4 or 2 bit type takes a byte of its own,
/// sign-extended; files and the public API pack them (base/packed.hpp).
enum class DType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,

  // What a value may be besides a tensor of the types above; see base/tensor.hpp.
  kNone = 29,      ///< an optional that holds nothing
  kMap = 30,       ///< two tensors: keys, values
  kSequence = 31,  ///< tensors, or values of these three types
};

/// The type with this ONNX number, or nothing when this build does not know it.
std::optional<DType> dtype_from_onnx(int64_t value);

/// "float32", "int64", "bool", ...: the names of the public API. kUndefined is "undefined".
std::string_view dtype_name(DType type);
std::optional<DType> dtype_from_name(std::string_view name);

/// Bytes an element takes in memory; strings are std::string objects, the elements of a sequence and a map Tensors.
size_t dtype_size(DType type);

/// Are the elements C++ objects (strings, tensors) rather than plain bytes?
constexpr bool holds_objects(DType t) { return t == DType::kString || t == DType::kSequence || t == DType::kMap; }
/// Is the value no tensor: a sequence, a map, an empty optional?
constexpr bool is_container(DType t) { return t == DType::kSequence || t == DType::kMap || t == DType::kNone; }
/// Elements in a byte of a file or of the public API: 2 or 4 for the 4 and 2 bit types, else 1.
constexpr size_t packed_per_byte(DType t) {
  switch (t) {
    case DType::kUint4:
    case DType::kInt4:
    case DType::kFloat4E2M1: return 2;
    case DType::kUint2:
    case DType::kInt2: return 4;
    default: return 1;
  }
}
/// The 8 and 4 bit float formats.
constexpr bool is_small_float(DType t) {
  return (t >= DType::kFloat8E4M3FN && t <= DType::kFloat8E5M2FNUZ) || t == DType::kFloat4E2M1 ||
         t == DType::kFloat8E8M0;
}

constexpr bool is_float(DType t) {
  return t == DType::kFloat32 || t == DType::kFloat64 || t == DType::kFloat16 || t == DType::kBFloat16;
}

inline void append_text(std::string& out, DType type) { out += dtype_name(type); }

namespace detail {
template <class T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr DType value = DType::kFloat32; };
template <> struct DTypeOf<uint8_t> { static constexpr DType value = DType::kUint8; };
template <> struct DTypeOf<int8_t> { static constexpr DType value = DType::kInt8; };
template <> struct DTypeOf<uint16_t> { static constexpr DType value = DType::kUint16; };
template <> struct DTypeOf<int16_t> { static constexpr DType value = DType::kInt16; };
template <> struct DTypeOf<int32_t> { static constexpr DType value = DType::kInt32; };
template <> struct DTypeOf<int64_t> { static constexpr DType value = DType::kInt64; };
template <> struct DTypeOf<std::string> { static constexpr DType value = DType::kString; };
template <> struct DTypeOf<bool> { static constexpr DType value = DType::kBool; };
template <> struct DTypeOf<Float16> { static constexpr DType value = DType::kFloat16; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::kFloat64; };
template <> struct DTypeOf<uint32_t> { static constexpr DType value = DType::kUint32; };
template <> struct DTypeOf<uint64_t> { static constexpr DType value = DType::kUint64; };
template <> struct DTypeOf<std::complex<float>> { static constexpr DType value = DType::kComplex64; };
template <> struct DTypeOf<std::complex<double>> { static constexpr DType value = DType::kComplex128; };
template <> struct DTypeOf<BFloat16> { static constexpr DType value = DType::kBFloat16; };
}  // namespace detail

template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<std::remove_cv_t<T>>::value;

template <class... Ts>
struct TypeList {};

using FloatTypes = TypeList<float, double, Float16, BFloat16>;
using SignedTypes = TypeList<float, double, Float16, BFloat16, int8_t, int16_t, int32_t, int64_t>;
using IntegerTypes = TypeList<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using NumericTypes = TypeList<float, double, Float16, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t>;
using NumericAndBoolTypes = TypeList<float, double, Float16, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                                     uint16_t, uint32_t, uint64_t, bool>;

/// f.operator()<T>() as a function of its own: each type's is compiled by the host when it is first called.
template <class T, class F>
KINGLET_APART void call_for(F& f) {
  f.template operator()<T>();
}

/// Calls f.operator()<T>() for the T of the list that `type` names; throws kModel when none does.
///   dispatch(c.in(0).dtype(), FloatTypes{}, [&]<class T>() { ... });
template <class... Ts, class F>
void dispatch(DType type, TypeList<Ts...>, F&& f) {
  const bool found = ((type == dtype_of<Ts> ? (call_for<Ts>(f), true) : false) || ...);
  if (!found) throw_error(ErrorCode::kModel, "element type {} is not supported here", type);
}

/// An element as so many bytes, for operators that only move elements.
struct Bytes16 { uint64_t low, high; };

/// Calls f.operator()<T>() with a T of the element's width (uint8_t ... Bytes16), or std::string: one instance
/// per width instead of one per type.
template <class F>
void dispatch_width(DType type, F&& f) {
  if (type == DType::kString) return call_for<std::string>(f);
  switch (dtype_size(type)) {
    case 1: return call_for<uint8_t>(f);
    case 2: return call_for<uint16_t>(f);
    case 4: return call_for<uint32_t>(f);
    case 8: return call_for<uint64_t>(f);
    case 16: return call_for<Bytes16>(f);
    default: throw_error(ErrorCode::kModel, "element type {} is not supported here", type);
  }
}

}  // namespace kinglet
