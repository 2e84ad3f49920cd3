#pragma once
// Permutation of dimensions for elements of any width.

#include <cstddef>
#include <span>

namespace kinglet::kernels {

/// Writes src[dims] with its dimensions permuted: dst's dimension i is src's dimension permutation[i] (ONNX
/// Transpose). element_bytes is 1, 2, 4, 8 or 16; src and dst are aligned to min(element_bytes, 8) and do not
/// overlap. Any rank.
void transpose(const void* src, void* dst, size_t element_bytes, std::span<const size_t> dims,
               std::span<const size_t> permutation);

/// src[batch, rows, columns] -> dst[batch, columns, rows]: NCHW to NHWC is rows = C, columns = H * W.
void transpose_matrices(const void* src, void* dst, size_t element_bytes, size_t batch, size_t rows,
                        size_t columns);

}  // namespace kinglet::kernels
