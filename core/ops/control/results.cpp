#include "ops/control/results.hpp"

#include "ops/move.hpp"

namespace kinglet::ops {

void stack(const RunContext& c, size_t i, std::span<const Tensor> parts, size_t axis, bool backwards) {
  const Tensor& first = parts.front();
  std::vector<int64_t> dims(first.shape().begin(), first.shape().end());
  dims.insert(dims.begin() + static_cast<ptrdiff_t>(axis), static_cast<int64_t>(parts.size()));
  Tensor& out = c.out(i, first.dtype(), Shape(dims));
  const size_t outer = first.shape().count(0, axis), inner = first.shape().count(axis, first.rank());
  for (size_t p = 0; p < parts.size(); ++p) {
    const Tensor& part = parts[p];
    c.require(part.shape() == first.shape(), "scanned output {} changes from {} to {}", i, first.shape(), part.shape());
    require_same_type(part, first);
    const size_t at = backwards ? parts.size() - 1 - p : p;
    for (size_t o = 0; o < outer; ++o) {
      copy_elements(part.dtype(), element(out, (o * parts.size() + at) * inner), element(part, o * inner), inner);
    }
  }
}

}  // namespace kinglet::ops
