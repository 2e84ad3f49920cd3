#pragma once
// Elements of 4 and 2 bits as files and the public API hold them: several in a byte, the first in the lowest bits
// (onnx.proto, TensorProto.DataType).

#include "base/tensor.hpp"

namespace kinglet {

/// Bytes that `count` elements take when packed; for a type of whole bytes, their size in memory.
size_t packed_bytes(DType type, size_t count);

/// A new tensor of `type` from packed_bytes() bytes, for a type with packed_per_byte() > 1. Throws kOutOfMemory.
Tensor unpack(DType type, const Shape& shape, const std::byte* packed);
/// The same into a tensor of that type, at whose own start the packed bytes may lie.
void unpack_into(Tensor& t, const std::byte* packed);

/// The elements of such a tensor packed into `packed`, packed_bytes() long; spare bits are 0.
void pack(const Tensor& t, std::byte* packed);

}  // namespace kinglet
