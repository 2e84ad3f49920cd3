#pragma once
// Convolution of channels-last images of 8 bit codes; shapes and strides as in conv.hpp, sums and epilogue as in
// gemm_i8.hpp. Padding counts as the input's zero point.

#include "kernels/conv.hpp"
#include "kernels/gemm_i8.hpp"

namespace kinglet::kernels {

/// Bytes that pack_conv_i8_weights writes. Packing looks at rank, groups, channels and kernel.
size_t packed_conv_i8_weights_size(const ConvShape& shape, Int8Kernel kernel = int8_kernel());

/// Packs weights [out_channels, in_channels / groups, kernel...] as pack_b_i8 does.
void pack_conv_i8_weights(int8_t* packed, const ConvShape& shape, Codes weights, Int8Kernel kernel = int8_kernel());

/// Bytes of scratch, aligned to 16, that a call of conv_i8 with this signedness of its input needs.
size_t conv_i8_scratch_bytes(const ConvShape& shape, bool is_signed, Int8Kernel kernel = int8_kernel());

/// Computes output pixels [begin, end). `input` and `output` point at the first pixel of the batch; the strides
/// count elements. The epilogue's arrays have a value an output channel.
void conv_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero,
             const int8_t* packed_weights, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
             void* scratch, size_t begin, size_t end, Int8Kernel kernel = int8_kernel());

}  // namespace kinglet::kernels
