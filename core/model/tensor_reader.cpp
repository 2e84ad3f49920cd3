#include "model/tensor_reader.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/inlining.hpp"
#include "base/packed.hpp"
#include "model/external_data.hpp"
#include "model/onnx_proto.hpp"

namespace kinglet::onnx {
namespace {

namespace field = field::tensor;

/// What a TensorProto says of itself; its elements are still bytes.
struct Header {
  std::string_view name;
  Shape shape;
  int64_t data_type = 0;
  bool external = false;
  ExternalLocation location;
  bool has_raw = false;
  std::string_view raw;
  size_t raw_header_bytes = 0;  ///< of tag and length, right before `raw`
  uint32_t typed_field = 0;     ///< the one typed field that has elements, or 0
  size_t typed_count = 0;
  size_t chunks = 0;       ///< packed runs of the typed field
  std::string_view chunk;  ///< the last of them
  size_t chunk_header_bytes = 0;
};

std::string_view typed_field_name(uint32_t number) {
  switch (number) {
    case field::kFloatData: return "float_data";
    case field::kInt32Data: return "int32_data";
    case field::kStringData: return "string_data";
    case field::kInt64Data: return "int64_data";
    case field::kDoubleData: return "double_data";
    case field::kUint64Data: return "uint64_data";
    default: return "no data";
  }
}

/// The typed field that holds elements of this type (onnx.proto, TensorProto).
uint32_t typed_field_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64: return field::kFloatData;
    case DType::kFloat64:
    case DType::kComplex128: return field::kDoubleData;
    case DType::kInt64: return field::kInt64Data;
    case DType::kUint32:
    case DType::kUint64: return field::kUint64Data;
    case DType::kString: return field::kStringData;
    default: return field::kInt32Data;
  }
}

bool is_complex(DType dtype) { return dtype == DType::kComplex64 || dtype == DType::kComplex128; }

/// Operators that only move elements take them as integers of their width (dispatch_width), 8 bytes at the
/// most.
size_t element_alignment(DType dtype) { return std::min<size_t>(dtype_size(dtype), 8); }

size_t fixed_width(uint32_t number) {
  if (number == field::kFloatData) return 4;
  return number == field::kDoubleData ? 8 : 0;
}

/// Counts the elements of a typed field's occurrence.
void scan_typed(Fields& fields, Header& header) {
  const uint32_t number = fields.number();
  size_t found = 1;
  if (number != field::kStringData && fields.packed()) {
    const std::string_view data = fields.bytes();
    if (const size_t width = fixed_width(number); width != 0) {
      if (data.size() % width != 0) fields.fail("packed numbers that do not fill the field");
      found = data.size() / width;
    } else {
      found = 0;
      for (const char c : data) found += static_cast<uint8_t>(c) < 0x80;
    }
    ++header.chunks;
    header.chunk = data;
    header.chunk_header_bytes = static_cast<size_t>(data.data() - fields.field_begin());
  } else {
    fields.skip();
  }
  if (found == 0) return;
  if (header.typed_field != 0 && header.typed_field != number) {
    throw_error(ErrorCode::kModel, "the tensor has both {} and {}", typed_field_name(header.typed_field),
                typed_field_name(number));
  }
  header.typed_field = number;
  header.typed_count += found;
}

Header read_header(Fields fields) {
  Header h;
  std::vector<int64_t> dims;
  while (fields.next()) {
    switch (fields.number()) {
      case field::kDims:
        fields.integers(dims);
        if (dims.size() > kMaxRank) throw_error(ErrorCode::kModel, "a tensor of more than {} dims", kMaxRank);
        break;
      case field::kDataType: h.data_type = fields.integer(); break;
      case field::kName: h.name = fields.name(); break;
      case field::kRawData:
        h.raw = fields.bytes();
        h.has_raw = true;
        h.raw_header_bytes = static_cast<size_t>(h.raw.data() - fields.field_begin());
        break;
      case field::kFloatData:
      case field::kInt32Data:
      case field::kStringData:
      case field::kInt64Data:
      case field::kDoubleData:
      case field::kUint64Data: scan_typed(fields, h); break;
      case field::kExternalData: h.location.read_entry(fields.message()); break;
      case field::kDataLocation: h.external = fields.integer() == 1; break;
      case field::kSegment: throw_error(ErrorCode::kModel, "a tensor in segments is not supported");
      default: fields.skip();
    }
  }
  h.shape = Shape(dims);
  return h;
}

/// The number of elements; throws kModel for dims that cannot be.
size_t checked_count(const Header& h, DType dtype) {
  try {
    return h.shape.count();
  } catch (Error& e) {
    e.code = ErrorCode::kModel;
    e.message = text("{} tensor: {}", dtype, e.message);
    throw;
  }
}

void normalize_bools(std::byte* data, size_t count) {
  for (size_t i = 0; i < count; ++i) data[i] = std::byte{data[i] != std::byte{0}};
}

/// A tensor over `bytes`, which lie in `block`, or over a copy of them when they are misaligned there.
///
/// Protobuf aligns nothing, so three of four float weights start off their alignment. Those are moved down by
/// the missing bytes, over the end of what lies before them: `header_bytes` of tag and length, which have
/// been read and are of use to no one any more. From 128 bytes of data on the header has three bytes or more,
/// so that all but the smallest 4-byte weights stay in the block; the rest (few, or of 8 bytes an element)
/// are copied.
Tensor adopt(std::string_view bytes, size_t header_bytes, const ModelBytes& block, DType dtype,
             const Shape& shape) {
  if (bytes.empty()) return Tensor(dtype, shape);
  std::byte* data = block.data.get() + (reinterpret_cast<const std::byte*>(bytes.data()) - block.data.get());
  const size_t shift = reinterpret_cast<uintptr_t>(data) % element_alignment(dtype);
  if (shift > header_bytes) {
    Tensor copy(dtype, shape);
    std::memcpy(copy.raw(), data, bytes.size());
    return copy;
  }
  if (shift != 0) std::memmove(data - shift, data, bytes.size());
  return Tensor(dtype, shape, data - shift, block.data);
}

void check_bytes(size_t bytes, std::string_view source, DType dtype, const Shape& shape) {
  const size_t expected = shape.count() * dtype_size(dtype);
  if (bytes == expected) return;
  throw_error(ErrorCode::kModel, "{} bytes of {} for {} {}, expected {}", bytes, source, dtype, shape,
              expected);
}

Tensor from_raw(const Header& h, DType dtype, const WeightSources& sources) {
  if (dtype == DType::kString) throw_error(ErrorCode::kModel, "strings cannot be given as raw_data");
  if (h.typed_count != 0) {
    throw_error(ErrorCode::kModel, "the tensor has both raw_data and {}", typed_field_name(h.typed_field));
  }
  check_bytes(h.raw.size(), "raw_data", dtype, h.shape);
  Tensor out = adopt(h.raw, h.raw_header_bytes, sources.model, dtype, h.shape);
  if (dtype == DType::kBool) normalize_bools(out.raw(), h.raw.size());
  return out;
}

/// Apart, as from_typed: V8 compiles a function at its first call, and most tensors are raw.
KINGLET_APART Tensor from_external(const Header& h, DType dtype, const WeightSources& sources) {
  if (dtype == DType::kString) throw_error(ErrorCode::kModel, "strings cannot be given as external data");
  if (h.has_raw || h.typed_count != 0) {
    throw_error(ErrorCode::kModel, "the tensor has data both here and in a file");
  }
  const ExternalBytes found =
      find_external(h.location, h.shape.count() * dtype_size(dtype), sources.external);
  check_bytes(found.bytes.size(), "external data", dtype, h.shape);
  // Nothing may be moved in there: several tensors may share the file's bytes.
  Tensor out = adopt(found.bytes, 0, *found.block, dtype, h.shape);
  if (dtype == DType::kBool) {
    out = out.clone();
    normalize_bools(out.raw(), found.bytes.size());
  }
  return out;
}

template <class T>
T narrow(int64_t value, size_t index) {
  constexpr bool half = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if constexpr (half) {
    // Bits in the low half; a writer may have sign-extended them.
    if (value < INT16_MIN || value > UINT16_MAX) {
      throw_error(ErrorCode::kModel, "element {} is {}, which is not 16 bits", index, value);
    }
    T out;
    out.bits = static_cast<uint16_t>(value);
    return out;
  } else {
    if constexpr (sizeof(T) < 8) {
      if (value < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
          value > static_cast<int64_t>(std::numeric_limits<T>::max())) {
        throw_error(ErrorCode::kModel, "element {} is {}, which does not fit {}", index, value, dtype_of<T>);
      }
    }
    return static_cast<T>(value);
  }
}

/// Decodes a typed field of varints into `out`, which has room for the elements that scan_typed() counted.
template <class T>
void decode_varints(Fields fields, uint32_t number, Tensor& out) {
  T* data = out.data<T>();
  size_t i = 0;
  const auto put = [&](int64_t value) {
    data[i] = narrow<T>(value, i);
    ++i;
  };
  while (fields.next()) {
    if (fields.number() != number) {
      fields.skip();
    } else if (fields.packed()) {
      for_each_varint(fields.bytes(), fields, put);
    } else {
      put(fields.integer());
    }
  }
}

void decode_fixed(Fields fields, uint32_t number, Tensor& out) {
  std::byte* at = out.raw();
  while (fields.next()) {
    if (fields.number() != number) {
      fields.skip();
      continue;
    }
    const std::string_view data = fields.packed() ? fields.bytes() : fields.fixed(fixed_width(number));
    if (!data.empty()) std::memcpy(at, data.data(), data.size());
    at += data.size();
  }
}

void decode_strings(Fields fields, Tensor& out) {
  std::string* at = out.data<std::string>();
  while (fields.next()) {
    if (fields.number() == field::kStringData) {
      *at++ = fields.bytes();
    } else {
      fields.skip();
    }
  }
}

KINGLET_APART Tensor from_typed(Fields fields, const Header& h, DType dtype, size_t count, const WeightSources& sources) {
  const uint32_t number = typed_field_of(dtype);
  const size_t expected = is_complex(dtype) ? 2 * count : count;
  if (h.typed_count != 0 && h.typed_field != number) {
    throw_error(ErrorCode::kModel, "{} elements are in {}, expected in {}", dtype,
                typed_field_name(h.typed_field), typed_field_name(number));
  }
  if (h.typed_count != expected) {
    throw_error(ErrorCode::kModel, "{} elements of {} for {} {}, expected {}", h.typed_count,
                typed_field_name(number), dtype, h.shape, expected);
  }
  if (count == 0) return Tensor(dtype, h.shape);
  if (fixed_width(number) != 0 && h.chunks == 1 && h.chunk.size() == count * dtype_size(dtype)) {
    return adopt(h.chunk, h.chunk_header_bytes, sources.model, dtype, h.shape);
  }
  Tensor out(dtype, h.shape);
  if (dtype == DType::kString) {
    decode_strings(fields, out);
  } else if (fixed_width(number) != 0) {
    decode_fixed(fields, number, out);
  } else {
    using Varints = TypeList<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool,
                             Float16, BFloat16>;
    dispatch(dtype, Varints{}, [&]<class T>() { decode_varints<T>(fields, number, out); });
  }
  return out;
}

}  // namespace

DType element_type(int64_t onnx_type) {
  if (const auto known = dtype_from_onnx(onnx_type)) return *known;
  if (onnx_type == 0) throw_error(ErrorCode::kModel, "the element type is missing");
  throw_error(ErrorCode::kModel, "element type {} is unknown", onnx_type);
}

namespace {

/// 8, 4 and 2 bit types beyond the integers are stored as bytes, here or in a field of their own.
Tensor read_stored(Fields fields, Header& h, const WeightSources& sources) {
  const DType dtype = element_type(h.data_type);
  const Shape shape = h.shape;
  size_t count = checked_count(h, dtype);
  DType stored = dtype;
  if (is_small_float(dtype) || packed_per_byte(dtype) > 1) {
    stored = DType::kUint8;
    count = packed_bytes(dtype, count);
    h.shape = Shape({static_cast<int64_t>(count)});
  }
  const auto read = [&] {
    if (h.external) return from_external(h, stored, sources);
    if (h.has_raw && !(h.raw.empty() && h.typed_count != 0)) return from_raw(h, stored, sources);
    return from_typed(fields, h, stored, count, sources);
  };
  const Tensor bytes = read();
  if (stored == dtype) return bytes;
  if (packed_per_byte(dtype) > 1) return unpack(dtype, shape, bytes.raw());
  return Tensor(dtype, shape, const_cast<std::byte*>(bytes.raw()), bytes.owner());
}

}  // namespace

NamedTensor read_tensor(Fields fields, const WeightSources& sources, std::string_view what) {
  Header h;
  try {
    h = read_header(fields);
    return {h.name, read_stored(fields, h, sources)};
  } catch (Error& e) {
    e.message =
        h.name.empty() ? text("{}: {}", what, e.message) : text("{} '{}': {}", what, h.name, e.message);
    throw;
  }
}

}  // namespace kinglet::onnx
