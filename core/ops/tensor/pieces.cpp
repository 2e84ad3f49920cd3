#include "ops/tensor/pieces.hpp"

#include "ops/move.hpp"

namespace kinglet::ops {

void join(std::span<const Tensor* const> parts, size_t axis, Tensor& out) {
  const size_t outer = out.shape().count(0, axis), row = out.shape().count(axis, out.rank());
  size_t at = 0;
  for (const Tensor* part : parts) {
    require_same_type(*part, out);
    const size_t piece = part->shape().count(axis, part->rank());
    for (size_t o = 0; o < outer && piece != 0; ++o) {
      copy_elements(out.dtype(), element(out, o * row + at), element(*part, o * piece), piece);
    }
    at += piece;
  }
}

void cut(const Tensor& in, size_t axis, size_t begin, Tensor& out) {
  const size_t outer = in.shape().count(0, axis), inner = in.shape().count(axis + 1, in.rank());
  const size_t row = in.shape().count(axis, in.rank());
  const size_t piece = static_cast<size_t>(out.dim(axis)) * inner;
  for (size_t o = 0; o < outer && piece != 0; ++o) {
    copy_elements(in.dtype(), element(out, o * piece), element(in, o * row + begin * inner), piece);
  }
}

}  // namespace kinglet::ops
