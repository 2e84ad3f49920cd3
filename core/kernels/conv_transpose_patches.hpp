#pragma once
// Transposed convolution whose patches do not overlap: kernel = stride. One matrix product gives a whole
// patch a row, which fills panels that few output channels would leave empty. Internal to kernels/.

#include "kernels/conv_transpose.hpp"

namespace kinglet::kernels {

/// Whether the shape is such, and the patches need fewer panels than one product a kernel tap. Looks at what
/// packing may look at.
bool makes_patches(const ConvShape& shape);

size_t packed_patch_weights_size(const ConvShape& shape);
void pack_patch_weights(float* packed, const ConvShape& shape, const float* weights);
size_t patches_scratch_bytes(const ConvShape& shape);
void conv_transpose_patches(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
                            const float* packed_weights, float* output, ptrdiff_t output_stride,
                            const Epilogue& epilogue, void* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
