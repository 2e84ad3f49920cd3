#pragma once
// Reading ahead where weights are streamed from memory: WebAssembly has no instruction for it.

#include <algorithm>
#include <cstddef>

namespace kinglet::kernels {

/// Weights that are read from their start to their end, part after part. Products of few rows gain from it, the more the fewer
/// they are: a loop that comes to a line, or to a page, only when it needs it waits for each, because the processor guesses
/// no more than 1 to 2 KB of what comes next.
class ReadAhead {
 public:
  ReadAhead(const void* data, size_t bytes) : data_(static_cast<const volatile std::byte*>(data)), bytes_(bytes) {}

  /// One number of each page, some way beyond `end`: the processor looks up many pages, and begins to fetch from them, at once.
  /// To be called before what lies up to `end` is read.
  void pages(size_t end) {
    for (; page_ < std::min(bytes_, end + kAhead); page_ += kPage) touch(page_);
  }

  /// One number of each line up to `end`, as fast as memory gives them. For parts that stay in the second cache while several
  /// tiles of rows pass over them; with one tile there is nothing to gain.
  void lines(size_t end) {
    // Several a turn, which the processor asks for together.
    for (; line_ + kBurst * kLine <= std::min(bytes_, end); line_ += kBurst * kLine) {
      for (size_t i = 0; i < kBurst; ++i) touch(line_ + i * kLine);
    }
  }

 private:
  static constexpr size_t kPage = 4096, kAhead = 1 << 20, kLine = 64, kBurst = 8;

  void touch(size_t at) const { static_cast<void>(data_[at]); }

  const volatile std::byte* data_;
  size_t bytes_;
  size_t page_ = 0, line_ = 0;
};

}  // namespace kinglet::kernels
