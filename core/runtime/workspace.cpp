#include "runtime/workspace.hpp"

#include <algorithm>

namespace kinglet {

std::byte* Arena::ensure(size_t bytes) {
  if (bytes > size_ || !block_) {
    block_.reset();
    size_ = 0;
    block_ = allocate_block(bytes);
    size_ = bytes;
  }
  return block_.get();
}

std::byte* Scratch::take(size_t bytes) {
  bytes = align_up(std::max<size_t>(bytes, 1));
  if (chunks_.empty() || chunks_.back().size - used_ < bytes) {
    chunks_.push_back({allocate_block(bytes), bytes});
    total_ += bytes;
    used_ = 0;
  }
  std::byte* p = chunks_.back().block.get() + used_;
  used_ += bytes;
  return p;
}

void Scratch::reset() {
  used_ = 0;
  if (chunks_.size() <= 1) return;
  const size_t total = total_;
  chunks_.clear();
  total_ = 0;
  chunks_.push_back({allocate_block(total), total});
  total_ = total;
}

}  // namespace kinglet
