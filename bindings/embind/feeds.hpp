#pragma once
// Buffers that JavaScript writes a run's inputs into. They stay between runs: a steady run allocates nothing.

#include <span>
#include <string>
#include <vector>

#include <kinglet/session.hpp>

namespace kinglet::binding {

class Feeds {
 public:
  /// The buffer of input `name` for the next run: uninitialised, strings empty. Throws kOutOfMemory, kShape.
  Tensor& add(const std::string& name, DType dtype, const Shape& shape);

  /// What was added since the last clear(). Bytes of a bool that are not 0 become 1 first: C++ knows no
  /// others.
  std::span<const Feed> ready();

  /// Forgets which feeds were added; their memory stays for the next run.
  void clear() { used_ = 0; }
  /// Gives the memory back too.
  void release();

 private:
  struct Buffer {
    std::shared_ptr<void> block;
    size_t capacity = 0;
  };
  // feeds_[i] lies in buffers_[i]; the first used_ of them belong to the next run.
  std::vector<Feed> feeds_;
  std::vector<Buffer> buffers_;
  size_t used_ = 0;
};

}  // namespace kinglet::binding
