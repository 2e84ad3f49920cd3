#pragma once
// Depthwise convolution, channels-last: groups == in_channels == out_channels. Layout and terms: conv.hpp.

#include <cstddef>

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// True when depthwise can run this shape: one input and one output channel a group.
bool is_depthwise(const ConvShape& shape);

/// Floats that pack_depthwise_weights writes. Packing looks at rank, groups, channels and kernel.
size_t packed_depthwise_weights_size(const ConvShape& shape);

/// Packs weights [channels, 1, kernel...] (the layout of ONNX Conv).
void pack_depthwise_weights(float* packed, const ConvShape& shape, const float* weights);

/// Bytes of scratch, aligned to 16, that a call of depthwise needs; each thread has its own.
size_t depthwise_scratch_bytes(const ConvShape& shape);

/// Computes output lines [begin, end). `input` and `output` point at the first pixel of the batch.
void depthwise(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
               const float* packed_weights, float* output, ptrdiff_t output_stride, const Epilogue& epilogue,
               void* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
