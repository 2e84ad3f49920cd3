#pragma once
// conv for a range of output channels: how threads split a convolution of few pixels.

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// As conv, for the output channels [first, last) alone: no groups, `first` is a multiple of kPanelWidth, and pointers are
/// to channel 0. The scratch is that of conv.
void conv_channels(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
                   float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin,
                   size_t end, size_t first, size_t last);

}  // namespace kinglet::kernels
