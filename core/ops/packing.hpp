#pragma once
// Constant weights packed for their kernels as f32, over their own memory where nothing else needs it.

#include "ops/op.hpp"

namespace kinglet::ops {

/// A PrepareContext that knows who else needs the memory of constants.
class PackingContext : public PrepareContext {
 public:
  /// The memory of constant i, aligned to kAlignment and with room for `bytes`, to be written over and kept for
  /// packed weights; null where it is too small or needed elsewhere. To be followed by release(i).
  virtual std::shared_ptr<std::byte[]> reuse(size_t i, size_t bytes) = 0;
  /// Memory until the next call or the end of prepare(), for elements that are about to be written over.
  virtual std::byte* temporary(size_t bytes) = 0;
};

/// Constant i, of a numeric type, on its way into packed floats: `pieces` of `count`. Where the constant's memory has
/// room for some of the pieces alone, the others get memory of their own. There is one Packing at a time.
class Packing {
 public:
  Packing(PrepareContext& c, size_t i, size_t count, size_t pieces = 1);
  /// Elements [first, first + count) as f32, until the next call; all before the end of what is written over them.
  const float* from(size_t first, size_t count);
  const float* from() { return from(0, elements_.count()); }
  /// Floats until the next call of this or from().
  float* temporary(size_t count);
  float* to() const { return reinterpret_cast<float*>(packed_.get()); }
  /// Is what is packed written over the constant's own elements?
  bool in_place() const { return in_place_; }
  /// The pieces from `split` on.
  float* rest() const { return reinterpret_cast<float*>(rest_.get()); }
  size_t split() const { return split_; }
  /// The packed floats; releases the constant.
  std::shared_ptr<std::byte[]> finish();
  std::shared_ptr<std::byte[]> finish_rest() { return std::move(rest_); }

 private:
  PrepareContext& context_;
  size_t input_;
  PackingContext* reuser_;
  Tensor elements_;
  std::shared_ptr<std::byte[]> packed_, rest_;
  size_t split_;
  bool in_place_ = false;
  Block copy_;
};

/// Packs the matrix [k, n] whose rows begin at element `first`, by kernels::pack_b: its first `whole` columns at to() + `at`, the
/// others at `rest`. Of what lies where it is packed to, only a block of rows is copied.
void pack_rows(Packing& packing, size_t at, size_t first, size_t k, size_t n, size_t whole, float* rest);
inline void pack_rows(Packing& packing, size_t at, size_t first, size_t k, size_t n) {
  pack_rows(packing, at, first, k, n, n, nullptr);
}

/// The same for the matrix [n, k], transposed: of what lies where it is packed to, only a few columns are copied.
void pack_columns(Packing& packing, size_t at, size_t first, size_t k, size_t n, size_t whole, float* rest);
inline void pack_columns(Packing& packing, size_t at, size_t first, size_t k, size_t n) {
  pack_columns(packing, at, first, k, n, n, nullptr);
}

}  // namespace kinglet::ops
