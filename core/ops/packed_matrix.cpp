#include "ops/packed_matrix.hpp"

namespace kinglet::ops {
namespace {

/// Bytes that are worth a second product.
constexpr size_t kLarge = 256 << 10;

float* floats(const std::shared_ptr<std::byte[]>& memory) { return reinterpret_cast<float*>(memory.get()); }

void scale(float* packed, size_t count, float factor) {
  if (factor == 1) return;
  for (size_t i = 0; i < count; ++i) packed[i] *= factor;
}

}  // namespace

PackedMatrix::PackedMatrix(PrepareContext& c, size_t i, bool transposed, float factor) {
  const Tensor& b = *c.constant(i);
  k_ = static_cast<size_t>(b.dim(transposed ? 1 : 0));
  n_ = static_cast<size_t>(b.dim(transposed ? 0 : 1));
  whole_ = b.count() * sizeof(float) < kLarge ? n_ : n_ / kernels::kPanelWidth * kernels::kPanelWidth;
  if (whole_ == 0) whole_ = n_;
  const size_t count = kernels::packed_b_size(k_, whole_), rest = kernels::packed_b_size(k_, n_ - whole_);
  if (rest != 0) rest_ = c.allocate_floats(rest);
  Packing packing(c, i, count);
  if (transposed) {
    pack_columns(packing, 0, 0, k_, n_, whole_, floats(rest_));
  } else {
    pack_rows(packing, 0, 0, k_, n_, whole_, floats(rest_));
  }
  scale(packing.to(), count, factor);
  scale(floats(rest_), rest, factor);
  first_ = packing.finish();
}

void PackedMatrix::multiply(const RunContext& c, size_t m, const float* a, ptrdiff_t lda, float* y, ptrdiff_t ldy,
                            const kernels::Epilogue& epilogue, bool fast) const {
  Product(c, m, whole_, k_, fast, epilogue.residual != nullptr)(a, lda, floats(first_), y, ldy, epilogue);
  if (rest_ == nullptr) return;
  Product(c, m, n_ - whole_, k_, false)(a, lda, floats(rest_), y + whole_, ldy, part_of(epilogue, 0, whole_));
}

}  // namespace kinglet::ops
