#include "ops/broadcast.hpp"

namespace kinglet::ops {

Broadcast::Broadcast(const Shape& out, std::initializer_list<const Shape*> operands)
    : operands_(operands.size()), more_(out.count() != 0) {
  if (!more_) return;
  PerOperand natural;  // the stride of the dim at hand, were it not broadcast
  natural.fill(1);
  for (size_t from_end = 1; from_end <= out.rank(); ++from_end) {
    const auto dim = static_cast<size_t>(out[out.rank() - from_end]);
    PerOperand stride = {};
    size_t k = 0;
    for (const Shape* operand : operands) {
      const size_t own = from_end <= operand->rank() ? static_cast<size_t>((*operand)[operand->rank() - from_end]) : 1;
      stride[k] = own == 1 ? 0 : natural[k];
      natural[k++] *= own;
    }
    if (dim == 1) continue;
    bool merges = rank_ != 0;
    for (size_t i = 0; merges && i < operands_; ++i) {
      merges = stride[i] == strides_[rank_ - 1][i] * dims_[rank_ - 1];
    }
    if (merges) {
      dims_[rank_ - 1] *= dim;
    } else {
      dims_[rank_] = dim;
      strides_[rank_++] = stride;
    }
  }
  if (rank_ != 0) {
    run = dims_[0];
    step = strides_[0];
  }
}

void Broadcast::next() {
  size_t length = 1;
  for (size_t level = 0; level < first_level_ && level < rank_; ++level) length *= dims_[level];
  out_offset += length;
  for (size_t level = first_level_; level < rank_; ++level) {
    for (size_t i = 0; i < operands_; ++i) offset[i] += strides_[level][i];
    if (++index_[level] != dims_[level]) return;
    index_[level] = 0;
    for (size_t i = 0; i < operands_; ++i) offset[i] -= strides_[level][i] * dims_[level];
  }
  more_ = false;
}

}  // namespace kinglet::ops
