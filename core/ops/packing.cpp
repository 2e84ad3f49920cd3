#include "ops/packing.hpp"

#include <algorithm>

#include "kernels/packed_rows.hpp"
#include "ops/convert.hpp"

namespace kinglet::ops {

Packing::Packing(PrepareContext& c, size_t i, size_t count)
    : context_(c), input_(i), reuser_(dynamic_cast<PackingContext*>(&c)), elements_(*c.constant(i)) {
  if (count > SIZE_MAX / sizeof(float)) throw_out_of_memory(uint64_t{count} * sizeof(float));
  if (reuser_ != nullptr) packed_ = reuser_->reuse(i, count * sizeof(float));
  in_place_ = packed_ != nullptr;
  if (!in_place_) packed_ = c.allocate(count * sizeof(float));
}

const float* Packing::from(size_t first, size_t count) {
  const DType dtype = elements_.dtype();
  const std::byte* const given = elements_.raw() + first * dtype_size(dtype);
  if (dtype == DType::kFloat32 && !in_place_) return reinterpret_cast<const float*>(given);
  const size_t bytes = count * sizeof(float);
  if (reuser_ == nullptr) copy_ = allocate_block(bytes);
  std::byte* const copy = reuser_ != nullptr ? reuser_->temporary(bytes) : copy_.get();
  convert(dtype, given, DType::kFloat32, copy, count);
  return reinterpret_cast<const float*>(copy);
}

std::shared_ptr<std::byte[]> Packing::finish() {
  elements_ = {};
  context_.release(input_);
  return std::move(packed_);
}

void pack_rows(Packing& packing, size_t at, size_t first, size_t k, size_t n) {
  const size_t step = std::max<size_t>(1, kernels::packed_b_rows(k));
  const size_t floats_a_row = kernels::packed_b_size(1, n);
  for (size_t row = 0; row < k; row += step) {
    const size_t rows = std::min(step, k - row);
    kernels::pack_b(packing.to() + at + row * floats_a_row, rows, n, packing.from(first + row * n, rows * n),
                    static_cast<ptrdiff_t>(n), 1);
  }
}

}  // namespace kinglet::ops
