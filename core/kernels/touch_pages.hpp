#pragma once
// Reading ahead where weights are streamed from memory: WebAssembly has no instruction for it.

#include <cstddef>

namespace kinglet::kernels {

/// Reads one number of each page of 4 KiB that `floats` floats at `data` lie in. The processor looks up all of these pages
/// and begins to fetch from them at once, while a loop that comes to them one by one waits at the start of each.
inline void touch_pages(const float* data, size_t floats) {
  constexpr size_t kPage = 4096 / sizeof(float);
  for (size_t i = 0; i < floats; i += kPage) static_cast<void>(*static_cast<const volatile float*>(data + i));
}

}  // namespace kinglet::kernels
