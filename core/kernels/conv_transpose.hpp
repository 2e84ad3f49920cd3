#pragma once
// Transposed convolution, channels-last. Layout and terms: conv.hpp.
//
// Output position o takes input position i through kernel tap t where o = i * stride + t * dilation -
// pad_begin (ONNX ConvTranspose). `in` and `out` of the shape are the sizes of this operator's own input and
// output.

#include <cstddef>

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// Floats that pack_conv_transpose_weights writes. Packing looks at rank, groups, channels, kernel, stride
/// and dilation.
size_t packed_conv_transpose_weights_size(const ConvShape& shape);

/// Packs weights [in_channels, out_channels / groups, kernel...] (the layout of ONNX ConvTranspose).
void pack_conv_transpose_weights(float* packed, const ConvShape& shape, const float* weights);

/// Bytes of scratch, aligned to 16, that a call of conv_transpose needs; each thread has its own.
size_t conv_transpose_scratch_bytes(const ConvShape& shape);

/// Computes output lines [begin, end). `input` and `output` point at the first pixel of the batch.
void conv_transpose(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
                    const float* packed_weights, float* output, ptrdiff_t output_stride,
                    const Epilogue& epilogue, void* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
