#pragma once
// 3x3 convolution of 8 bit codes with stride 1 by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015), exact: with the transform of the weights doubled along both dimensions all of it
// is whole numbers of 16 bits, and four times each sum comes out.
//
// A *tile* is 2x2 output pixels of one image, from 16 products a pair of channels where the direct form has 36. Packed
// weights are transformed, and take 32 bytes where they were 9; those of many channels stay codes, transformed at each call.

#include "kernels/conv.hpp"
#include "kernels/gemm_i8.hpp"

namespace kinglet::kernels {

/// Whether winograd_i8 can run this shape and is the quicker way; `kernel` is the one that conv_i8 would use. Looks at
/// what packing looks at, and at strides and dilations. Weights must be int8 with zero points of 0.
bool prefers_winograd_i8(const ConvShape& shape, Int8Kernel kernel = int8_kernel());

/// Output tiles of the whole batch.
size_t output_tiles_i8(const ConvShape& shape);

/// Bytes that pack_winograd_i8_weights writes. Packing looks at channels only.
size_t packed_winograd_i8_weights_size(const ConvShape& shape);

/// Packs int8 weights [out_channels, in_channels, 3, 3] to memory aligned to 16.
void pack_winograd_i8_weights(std::byte* packed, const ConvShape& shape, const int8_t* weights);

/// Bytes of scratch, aligned to 16, that a call of winograd_i8 needs.
size_t winograd_i8_scratch_bytes(const ConvShape& shape);

/// Computes output tiles [begin, end). `input` and `output` point at the first pixel of the batch; the strides count
/// elements. The epilogue is as of conv_i8, without b_zero.
void winograd_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero,
                 const std::byte* packed_weights, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
                 void* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
