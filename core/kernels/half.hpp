#pragma once
// Rows of float16 and bfloat16 from and to f32, element by element as base/half.hpp converts one. The bits are given, for
// uint16_t may point anywhere.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// y[i] = x[i], exact; a signaling NaN may become a quiet one.
void widen_f16(const uint16_t* x, float* y, size_t n);
void widen_bf16(const uint16_t* x, float* y, size_t n);

/// y[i] = x[i], rounded to nearest even; what is too large becomes an infinity. y may begin where x does.
void narrow_f16(const float* x, uint16_t* y, size_t n);
void narrow_bf16(const float* x, uint16_t* y, size_t n);

}  // namespace kinglet::kernels
