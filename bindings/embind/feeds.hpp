#pragma once
// Buffers that JavaScript writes a run's inputs into. They stay between runs: a steady run allocates nothing.

#include <span>
#include <string>
#include <vector>

#include <kinglet/session.hpp>

namespace kinglet::binding {

class Feeds {
 public:
  /// The buffer of input `name`, or of the next item of the value that is open, for the next run: uninitialised,
  /// strings empty. 4 and 2 bit elements are to be written packed. Throws kOutOfMemory, kShape.
  Tensor& add(const std::string& name, DType dtype, const Shape& shape);

  /// Input `name`, or the next item, is an optional without a value.
  void add_none(const std::string& name);
  /// Input `name`, or the next item, is a sequence or a map: what is added until close() becomes its items.
  void open(const std::string& name, DType kind);
  void close();

  /// What was added since the last clear(). Bytes of a bool that are not 0 become 1 first (C++ knows no others), and
  /// packed elements are unpacked.
  std::span<const Feed> ready();

  /// Forgets which feeds were added; their memory stays for the next run.
  void clear();
  /// Gives the memory back too.
  void release();

 private:
  struct Buffer {
    std::shared_ptr<void> block;
    size_t capacity = 0;
  };
  static constexpr size_t kMaxDepth = 64;

  struct Open {
    std::string name;
    DType kind;
    std::vector<Tensor> items;
  };
  void put(const std::string& name, Tensor value);

  std::vector<Open> open_;  // the values that are being added, the innermost last
  // feeds_[i] lies in buffers_[i]; the first used_ of them belong to the next run.
  std::vector<Feed> feeds_;
  std::vector<Buffer> buffers_;
  size_t used_ = 0;
};

}  // namespace kinglet::binding
