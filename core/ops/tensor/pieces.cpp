#include "ops/tensor/pieces.hpp"

#include "kernels/copy_rows.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

/// Copies `rows` rows of `count` elements; rows are `to_step` and `from_step` elements apart.
void copy_rows(DType type, std::byte* to, size_t to_step, const std::byte* from, size_t from_step, size_t rows,
               size_t count) {
  const size_t size = dtype_size(type);
  if (type != DType::kString) {
    return kernels::copy_rows(to, to_step * size, from, from_step * size, rows, count * size);
  }
  for (size_t r = 0; r < rows; ++r) copy_elements(type, to + r * to_step * size, from + r * from_step * size, count);
}

}  // namespace

void join(std::span<const Tensor* const> parts, size_t axis, Tensor& out) {
  const size_t outer = out.shape().count(0, axis), row = out.shape().count(axis, out.rank());
  size_t at = 0;
  for (const Tensor* part : parts) {
    require_same_type(*part, out);
    const size_t piece = part->shape().count(axis, part->rank());
    if (piece != 0) copy_rows(out.dtype(), element(out, at), row, element(*part, 0), piece, outer, piece);
    at += piece;
  }
}

void cut(const Tensor& in, size_t axis, size_t begin, Tensor& out) {
  const size_t outer = in.shape().count(0, axis), inner = in.shape().count(axis + 1, in.rank());
  const size_t row = in.shape().count(axis, in.rank());
  const size_t piece = static_cast<size_t>(out.dim(axis)) * inner;
  if (piece != 0) copy_rows(in.dtype(), element(out, 0), piece, element(in, begin * inner), row, outer, piece);
}

}  // namespace kinglet::ops
