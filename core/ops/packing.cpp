#include "ops/packing.hpp"

#include <algorithm>

#include "kernels/packed_parts.hpp"
#include "ops/convert.hpp"

namespace kinglet::ops {

Packing::Packing(PrepareContext& c, size_t i, size_t count, size_t pieces)
    : context_(c),
      input_(i),
      reuser_(dynamic_cast<PackingContext*>(&c)),
      elements_(*c.constant(i)),
      split_(pieces) {
  if (count > SIZE_MAX / sizeof(float) / pieces) throw_out_of_memory(UINT64_MAX);
  const size_t bytes = count * sizeof(float);
  if (reuser_ != nullptr && bytes != 0) {
    const size_t fitting = std::min(pieces, elements_.bytes() / bytes);
    if (fitting != 0) packed_ = reuser_->reuse(i, fitting * bytes);
    in_place_ = packed_ != nullptr;
    if (in_place_) split_ = fitting;
  }
  if (!in_place_) packed_ = c.allocate(pieces * bytes);
  if (split_ != pieces) rest_ = c.allocate((pieces - split_) * bytes);
}

float* Packing::temporary(size_t count) {
  const size_t bytes = count * sizeof(float);
  if (reuser_ != nullptr) return reinterpret_cast<float*>(reuser_->temporary(bytes));
  copy_ = allocate_block(bytes);
  return reinterpret_cast<float*>(copy_.get());
}

const float* Packing::from(size_t first, size_t count) {
  const DType dtype = elements_.dtype();
  const std::byte* const given = elements_.raw() + first * dtype_size(dtype);
  if (dtype == DType::kFloat32 && !in_place_) return reinterpret_cast<const float*>(given);
  float* const copy = temporary(count);
  convert(dtype, given, DType::kFloat32, copy, count);
  return copy;
}

std::shared_ptr<std::byte[]> Packing::finish() {
  elements_ = {};
  context_.release(input_);
  return std::move(packed_);
}

void pack_rows(Packing& packing, size_t at, size_t first, size_t k, size_t n, size_t whole, float* rest) {
  const size_t step = std::max<size_t>(1, kernels::packed_b_rows(k));
  const size_t floats_a_row = kernels::packed_b_size(1, whole);
  const auto stride = static_cast<ptrdiff_t>(n);
  for (size_t row = 0; row < k; row += step) {
    const size_t rows = std::min(step, k - row);
    const float* const from = packing.from(first + row * n, rows * n);
    kernels::pack_b(packing.to() + at + row * floats_a_row, rows, whole, from, stride, 1);
    if (whole != n) kernels::pack_b(rest + kernels::packed_b_size(row, n - whole), rows, n - whole, from + whole, stride, 1);
  }
}

void pack_columns(Packing& packing, size_t at, size_t first, size_t k, size_t n, size_t whole, float* rest) {
  const auto stride = static_cast<ptrdiff_t>(k);
  float* const to = packing.to() + at;
  if (whole != n) kernels::pack_b(rest, k, n - whole, packing.from(first + whole * k, (n - whole) * k), 1, stride);
  if (!packing.in_place() || whole % kernels::kPanelWidth != 0) {
    return kernels::pack_b(to, k, whole, packing.from(first, whole * k), 1, stride);
  }
  for (size_t j = 0; j < whole; j += kernels::kPanelWidth) {
    kernels::pack_b(to + j * k, k, kernels::kPanelWidth, packing.from(first + j * k, kernels::kPanelWidth * k), 1, stride);
  }
  kernels::join_panels(to, k, whole, packing.temporary(kernels::join_panels_scratch_size(k, whole)));
}

}  // namespace kinglet::ops
