#include "base/packed.hpp"

#include <algorithm>

namespace kinglet {

size_t packed_bytes(DType type, size_t count) {
  const size_t per_byte = packed_per_byte(type);
  return per_byte == 1 ? count * dtype_size(type) : count / per_byte + (count % per_byte != 0 ? 1 : 0);
}

Tensor unpack(DType type, const Shape& shape, const std::byte* packed) {
  Tensor t(type, shape);
  unpack_into(t, packed);
  return t;
}

void unpack_into(Tensor& t, const std::byte* packed) {
  const size_t per_byte = packed_per_byte(t.dtype());
  const size_t width = 8 / per_byte;
  const bool is_signed = t.dtype() == DType::kInt4 || t.dtype() == DType::kInt2;
  auto* out = reinterpret_cast<uint8_t*>(t.raw());
  // From the end: `packed` may lie at the start of the tensor's own memory.
  for (size_t i = t.count(); i-- > 0;) {
    // The element's bits at the top of a byte; an arithmetic shift then brings the sign down.
    const auto top = static_cast<uint8_t>(std::to_integer<unsigned>(packed[i / per_byte])
                                          << (8 - width * (i % per_byte + 1)));
    out[i] = is_signed ? static_cast<uint8_t>(static_cast<int8_t>(top) >> (8 - width))
                       : static_cast<uint8_t>(top >> (8 - width));
  }
}

void pack(const Tensor& t, std::byte* packed) {
  const size_t per_byte = packed_per_byte(t.dtype());
  const size_t width = 8 / per_byte;
  const unsigned mask = (1u << width) - 1;
  const auto* in = reinterpret_cast<const uint8_t*>(t.raw());
  std::fill_n(packed, packed_bytes(t.dtype(), t.count()), std::byte{0});
  for (size_t i = 0, n = t.count(); i < n; ++i) {
    packed[i / per_byte] |= static_cast<std::byte>((in[i] & mask) << (width * (i % per_byte)));
  }
}

}  // namespace kinglet
