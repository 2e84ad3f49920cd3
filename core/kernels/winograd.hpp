#pragma once
// 3x3 convolution with stride 1 or 2 by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015). Layout and terms: conv.hpp.
//
// A *tile* is a square of output pixels of one image; a call computes a range of tiles. Tiles are 4x4, from
// 36 products a pair of channels where the direct form has 144; where that would make the packed weights too
// large (4 times the given ones) they are 2x2, from 16 where it has 36. With stride 2 they are 2x2 from 25. Measured against double, the largest
// error is up to twice that of conv with 4x4 tiles, and smaller than that of conv with 2x2.

#include <cstddef>

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// True when winograd can run this shape and is the quicker way: sizes are looked at, images are not.
bool prefers_winograd(const ConvShape& shape);

/// Output tiles of the whole batch.
size_t output_tiles(const ConvShape& shape);

/// Packed weights are so many matrices of winograd_matrix_size floats: in all 4, or 16 / 9, times the weights.
/// Packing looks at channels and stride.
size_t winograd_matrices(const ConvShape& shape);
size_t winograd_matrix_size(const ConvShape& shape);

/// Packed weights in two places: `split` matrices at `first`, the others at `rest`.
template <class Float>
struct WinogradMatrices {
  Float* first = nullptr;
  Float* rest = nullptr;
  size_t split = 0;
  Float* operator()(size_t i, size_t size) const {
    return i < split ? first + i * size : rest + (i - split) * size;
  }
};

/// Packs weights [out_channels, in_channels, 3, 3] (the layout of ONNX Conv).
void pack_winograd_weights(const WinogradMatrices<float>& packed, const ConvShape& shape, const float* weights);

/// Bytes of scratch, aligned to 16, that a call of winograd needs; each thread has its own.
size_t winograd_scratch_bytes(const ConvShape& shape);

/// Computes output tiles [begin, end). `input` and `output` point at the first pixel of the batch; the
/// residual is laid out like the output, with its own stride, and is not the output itself.
void winograd(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
              const WinogradMatrices<const float>& packed_weights, float* output, ptrdiff_t output_stride,
              const Epilogue& epilogue, void* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
