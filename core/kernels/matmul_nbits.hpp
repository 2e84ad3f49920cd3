#pragma once
// Matrix product of f32 with weights of 2, 4 or 8 bits, which become f32 in registers:
//
//   y[m, n] = sum over k of a[m, k] * (q[n, k] - zero[n, k / block]) * scale[n, k / block] + bias[n]
//
// The weights stay as the model file has them (com.microsoft MatMulNBits): no packing, no copy.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

struct NBits {
  size_t n = 0, k = 0;
  size_t bits = 4;    ///< 2, 4 or 8
  size_t block = 32;  ///< a power of two, at least 16
  /// [n, blocks, block * bits / 8]: low bits first; what the last block has beyond k does not count. Any
  /// alignment.
  const uint8_t* weights = nullptr;
  const float* scales = nullptr;  ///< [n, blocks]
  /// [n, blocks * bits / 8 rounded up], or [n, blocks], or neither: 2^(bits - 1).
  const uint8_t* packed_zeros = nullptr;
  const float* zeros = nullptr;
  /// Where not null, element k takes scale and zero of block groups[k] (< blocks) instead of k / block.
  const int32_t* groups = nullptr;

  size_t blocks() const { return (k + block - 1) / block; }
};

size_t matmul_nbits_scratch_floats(const NBits& w, size_t m);

/// y's rows are n floats. bias may be null. `scratch` holds matmul_nbits_scratch_floats(w, m) floats.
void matmul_nbits(const NBits& w, size_t m, const float* a, float* y, const float* bias, float* scratch);

}  // namespace kinglet::kernels
