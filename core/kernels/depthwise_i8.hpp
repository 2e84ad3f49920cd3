#pragma once
// Depthwise convolution of channels-last images of 8 bit codes: one filter a channel. Terms as in conv_i8.hpp.

#include "kernels/conv_i8.hpp"

namespace kinglet::kernels {

/// Whether depthwise_i8 computes this: as many groups as channels, in and out.
bool is_depthwise_i8(const ConvShape& shape);

/// Bytes of scratch, aligned to 16, that a call needs.
size_t depthwise_i8_scratch_bytes(const ConvShape& shape);

/// Computes the whole output. `weights` are [channels, 1, kernel...] as they are in the model, with `weight_zeros` for
/// them, one a channel; the epilogue has no b_zero.
void depthwise_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero, Codes weights,
                  const int32_t* weight_zeros, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
                  void* scratch);

}  // namespace kinglet::kernels
