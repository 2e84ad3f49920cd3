#pragma once
// Reading ahead where weights are streamed from memory: WebAssembly has no instruction for it.

#include <algorithm>
#include <cstddef>

namespace kinglet::kernels {

/// The pages of weights that are read from their start to their end. One number of each page is read some time before the others:
/// the processor looks up many pages, and begins to fetch from them, at once, while a loop that comes to them one by one
/// waits at the start of each. Products of few rows gain from it, the more the fewer they are.
class PagesAhead {
 public:
  PagesAhead(const void* data, size_t bytes) : data_(static_cast<const volatile std::byte*>(data)), bytes_(bytes) {}

  /// To be called before what lies up to `end` is read.
  void reach(size_t end) {
    for (; touched_ < std::min(bytes_, end + kAhead); touched_ += kPage) static_cast<void>(data_[touched_]);
  }

 private:
  static constexpr size_t kPage = 4096, kAhead = 1 << 20;

  const volatile std::byte* data_;
  size_t bytes_;
  size_t touched_ = 0;
};

}  // namespace kinglet::kernels
