#pragma once
// Moving elements of any type: what Slice, Expand, Pad, Gather and their like are made of. Offsets and
// strides count elements.

#include <array>
#include <span>
#include <vector>

#include "base/tensor.hpp"

namespace kinglet::ops {

/// The address of element `offset` of a tensor.
inline const std::byte* element(const Tensor& t, size_t offset) {
  return t.raw() + offset * dtype_size(t.dtype());
}
inline std::byte* element(Tensor& t, size_t offset) { return t.raw() + offset * dtype_size(t.dtype()); }

/// Copies `count` consecutive elements. The ranges do not overlap.
void copy_elements(DType type, void* dst, const void* src, size_t count);

/// Sets `count` consecutive elements to *value; null means zero, false, or "".
void fill_elements(DType type, void* dst, const void* value, size_t count);

/// One loop of a strided copy. Strides may be 0 (repeat an element) or negative (walk backwards).
struct CopyAxis {
  int64_t count;
  int64_t dst_stride;
  int64_t src_stride;
};

/// Copies the elements of nested loops from `src` to `dst`, which do not overlap. The loops are independent
/// and run in whatever order is good for memory. At most 2 * kMaxRank axes.
void copy_strided(DType type, std::span<const CopyAxis> axes, void* dst, const void* src);

/// Row-major strides of a shape.
std::array<int64_t, kMaxRank> strides_of(const Shape& shape);

/// For each dim of an output the input index that each output index takes; kOutside takes the fill value.
using IndexMaps = std::vector<std::vector<int64_t>>;
inline constexpr int64_t kOutside = -1;

/// out[i, j, ...] = in[maps[0][i], maps[1][j], ...], or *fill (null: zero) when any of them is kOutside.
void copy_mapped(const Tensor& in, Tensor& out, const IndexMaps& maps, const void* fill);

/// Walks the index tuples of a shape in row-major order and keeps the offset they have under given strides.
class Odometer {
 public:
  Odometer(std::span<const int64_t> dims, std::span<const int64_t> strides)
      : dims_(dims), strides_(strides) {}
  int64_t offset() const { return offset_; }
  std::span<const int64_t> index() const { return {index_.data(), dims_.size()}; }
  /// Goes on to the next tuple; after the last one it starts over.
  void next();

 private:
  std::span<const int64_t> dims_, strides_;
  std::array<int64_t, kMaxRank> index_{};
  int64_t offset_ = 0;
};

/// The elements of an int32 or int64 tensor, without a copy. Throws kModel for another type.
class Indices {
 public:
  explicit Indices(const Tensor& t);
  int64_t operator[](size_t i) const {
    return wide_ ? static_cast<const int64_t*>(data_)[i] : static_cast<const int32_t*>(data_)[i];
  }
  /// Element i, which may count from the end, as an index in [0, bound). Throws kShape when it is outside.
  size_t in(size_t i, int64_t bound) const;

 private:
  const void* data_;
  bool wide_;
};

/// Throws kModel unless both have one element type: a copy between them would read past an end.
void require_same_type(const Tensor& a, const Tensor& b);

/// One element of a numeric or bool type with the value that ONNX Cast makes of `value`.
std::array<std::byte, 16> element_of(DType type, double value);

}  // namespace kinglet::ops
