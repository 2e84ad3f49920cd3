#pragma once
// Matrix product of 8 bit integers with B packed once:
//   C[m, n] = (A[m, k] - a_zero) * (B[k, n] - b_zero)   in int32, and what an Int8Epilogue makes of it.
//
// A and B hold int8 or uint8 codes, each with zero points. Zero points are taken off by sums:
//   sum((a - a_zero) * (b - b_zero)) = sum(a * b) - a_zero * sum(b) - b_zero * sum(a - a_zero).
// Every product is exact; sums keep their low 32 bits.

#include <cstddef>
#include <cstdint>

#include "kernels/activation.hpp"

namespace kinglet::kernels {

/// A matrix of 8 bit codes.
struct Codes {
  const void* data = nullptr;
  bool is_signed = false;
};

/// How products are made. Packed B is for one of these.
enum class Int8Kernel : uint8_t {
  kPairs,        ///< two products of 16 bit numbers at a time: every host has this
  kDotSigned,    ///< four products at a time, of signed by signed bytes
  kDotUnsigned,  ///< four products at a time, of B's signed by A's unsigned bytes
};

/// The fastest that this host computes exactly. Relaxed SIMD leaves open what an instruction does with a byte above
/// 127; so it is tried, once.
Int8Kernel int8_kernel();

/// What becomes of the int32 sums; one value a column everywhere. With `scale`, float(sum + bias) * scale + addend
/// is stored as float, or rounded to nearest even, moved by `zero` and saturated as an 8 bit code.
struct Int8Epilogue {
  enum class Output : uint8_t { kInt32, kFloat, kUint8, kInt8 };
  Output output = Output::kInt32;
  const int32_t* b_zero = nullptr;  ///< of the packed codes, see pack_b_i8; null: all zero
  const int32_t* bias = nullptr;    ///< or null
  const float* scale = nullptr;     ///< needed unless the output is int32
  const float* addend = nullptr;    ///< or null
  int32_t zero = 0;                 ///< of the output codes
  Activation activation = {};       ///< of gemm_i8's floats
};

/// Bytes of an element of C.
constexpr size_t element_bytes(Int8Epilogue::Output output) {
  return output == Int8Epilogue::Output::kInt32 || output == Int8Epilogue::Output::kFloat ? 4 : 1;
}

/// Unsigned codes of B are packed less this, and so must be their zero points.
inline constexpr int32_t kUnsignedShift = 128;

/// Bytes that B[k, n] takes when packed.
size_t packed_b_i8_size(size_t k, size_t n, Int8Kernel kernel = int8_kernel());

/// Packs B[k, n], whose code (i, j) lies at b[i * row_stride + j * column_stride], one of which is 1, to memory aligned to 16.
void pack_b_i8(int8_t* packed, size_t k, size_t n, Codes b, ptrdiff_t row_stride, ptrdiff_t column_stride,
               Int8Kernel kernel = int8_kernel());

/// Bytes of scratch, aligned to 16, for a call of gemm_i8.
size_t gemm_i8_scratch_bytes(size_t m, size_t k, Int8Kernel kernel = int8_kernel());

/// Row i of A is k codes at a + i * lda with the zero point a_zero[i * a_zero_step] (step 0 or 1). C has the type of
/// epilogue.output, ldc elements from a row to the next; it overlaps neither A nor B.
void gemm_i8(size_t m, size_t n, size_t k, Codes a, ptrdiff_t lda, const int32_t* a_zero, size_t a_zero_step,
             const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue, void* scratch,
             Int8Kernel kernel = int8_kernel());

}  // namespace kinglet::kernels
