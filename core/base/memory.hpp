#pragma once
// Aligned heap blocks; a failed allocation is an Error of code kOutOfMemory.

#include <cstddef>
#include <memory>

namespace kinglet {

/// Every tensor and scratch block starts at a multiple of this.
inline constexpr size_t kAlignment = 16;

constexpr size_t align_up(size_t bytes, size_t alignment = kAlignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

struct FreeBlock {
  void operator()(std::byte* p) const noexcept;
};
using Block = std::unique_ptr<std::byte[], FreeBlock>;

/// `bytes` uninitialised bytes (at least one is allocated). Throws kOutOfMemory.
Block allocate_block(size_t bytes);

}  // namespace kinglet
