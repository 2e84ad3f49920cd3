#pragma once
// Memory that grows to what a program needs and then stays: the arena of its plans, and operators' scratch.

#include <vector>

#include "base/memory.hpp"

namespace kinglet {

class Arena {
 public:
  /// At least `bytes`; contents are lost when it grows. Throws kOutOfMemory, and is empty then.
  std::byte* ensure(size_t bytes);
  size_t size() const { return size_; }

 private:
  Block block_;
  size_t size_ = 0;
};

/// A bump allocator: take() during an operator, reset() after it. Merges its chunks into one when reset, so that a
/// steady run allocates nothing.
class Scratch {
 public:
  std::byte* take(size_t bytes);
  void reset();
  size_t size() const { return total_; }

 private:
  struct Chunk {
    Block block;
    size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  size_t used_ = 0;   // of the last chunk
  size_t total_ = 0;  // of all chunks
};

}  // namespace kinglet
