#pragma once
// Greatest codes under a window, of channels-last images of 8 bit codes.

#include "kernels/gemm_i8.hpp"
#include "kernels/pooling.hpp"

namespace kinglet::kernels {

/// The whole output; pixels lie together in both images. A window without any input pixel gives the least code.
void max_pool_i8(const PoolShape& shape, Codes input, void* output);

}  // namespace kinglet::kernels
