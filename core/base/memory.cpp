#include "base/memory.hpp"

#include <cstdlib>

#include "base/error.hpp"

namespace kinglet {

void FreeBlock::operator()(std::byte* p) const noexcept { std::free(p); }

Block allocate_block(size_t bytes) {
  if (bytes > SIZE_MAX - kAlignment) throw_out_of_memory(bytes);
  void* p = std::aligned_alloc(kAlignment, align_up(bytes == 0 ? 1 : bytes));
  if (p == nullptr) throw_out_of_memory(bytes);
  return Block(static_cast<std::byte*>(p));
}

}  // namespace kinglet
