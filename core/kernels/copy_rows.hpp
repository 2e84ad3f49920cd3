#pragma once
// Copies of many short runs: a call of memcpy for each costs WebAssembly more than the bytes do.

#include <cstddef>

namespace kinglet::kernels {

/// Copies `rows` rows of `bytes`; a row begins `to_step` and `from_step` bytes after the one before. What is read
/// and what is written do not overlap.
void copy_rows(std::byte* to, size_t to_step, const std::byte* from, size_t from_step, size_t rows, size_t bytes);

}  // namespace kinglet::kernels
